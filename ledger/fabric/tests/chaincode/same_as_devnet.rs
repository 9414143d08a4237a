//! What a batch reads and writes through a peer is what it reads and writes on the
//! devnet, byte for byte, whatever the peer offers: endorsers of mixed versions
//! agree.

use std::{collections::BTreeMap, sync::Arc};

use gx_contract::{
    account::AccountId,
    lane::{FIRST_DIGEST, LaneName, SYSTEM_LANE, chain_digest, of_account, of_country},
};
use gx_fabric::{
    GxContract, Identity,
    devnet::{CHAINCODE, Core, CoreOptions},
    proposal::Draft,
    proto::{kvrwset::Version, protos::chaincode_message::Type},
    transaction::{self, Effect},
};
use gx_proto::gx::contract::v1::{
    AccountCredits, Batch, Bootstrap, Command, CountryShare, CreateAccount, CreditKey,
    LoadCountries, Transfer, command::Body,
};
use prost::Message;

use crate::{
    harness::{CHANNEL, Member, NOW_MS, Server},
    peer::{Peer, offers},
    simulator::Simulator,
};

const LANES: u32 = 4;

/// A devnet and a peer's state that follow each other, and the places of lanes.
struct Twins {
    devnet: Core,
    simulator: Simulator,
    members: BTreeMap<&'static str, Member>,
    lanes: BTreeMap<LaneName, (u64, [u8; 32])>,
    batches: u8,
}

impl Twins {
    fn new() -> Self {
        let mut options = CoreOptions::new(Arc::new(GxContract), 1);
        options.clock = Arc::new(|| NOW_MS);
        let roles = ["gx_partner_api", "gx_admin", "gx_super_admin"];
        Self {
            devnet: Core::in_memory(options),
            simulator: Simulator::new(),
            members: roles.map(|role| (role, Member::new(Some(role)))).into(),
            lanes: BTreeMap::new(),
            batches: 0,
        }
    }

    /// The next batch of a lane.
    fn batch(&mut self, lane: LaneName, bodies: Vec<Body>) -> Batch {
        self.batches += 1;
        let (number, first_digest) = self.lanes.get(&lane).copied().unwrap_or((0, FIRST_DIGEST));
        let mut next = (number, first_digest);
        let command = |(index, body): (usize, Body)| {
            let mut id = [self.batches; 16];
            id[0] = index as u8;
            let request_digest = [id[0]; 32];
            next = (next.0 + 1, chain_digest(&next.1, &id, &request_digest));
            Command {
                id: id.to_vec().into(),
                request_digest: request_digest.to_vec().into(),
                body: Some(body),
            }
        };
        let commands = bodies.into_iter().enumerate().map(command).collect();
        self.lanes.insert(lane, next);
        Batch {
            lane: Some(lane.into()),
            first_sequence: number + 1,
            previous_digest: first_digest.to_vec().into(),
            rules_version: 1,
            commands,
            credits: Vec::new(),
        }
    }

    /// Runs a batch on the devnet as a block of its own.
    fn run_on_devnet(&mut self, batch: &Batch) -> (Effect, Version) {
        let domain = batch.lane.unwrap().domain();
        let draft = Draft {
            channel: CHANNEL,
            chaincode: CHAINCODE,
            function: "Batch",
            argument: batch.encode_to_vec().into(),
            creator: Identity::of_domain("GxMSP", domain).unwrap().to_creator(),
            nonce: [self.batches; 24],
            timestamp_ms: NOW_MS,
        };
        let envelope = self.devnet.endorse(&draft.encode().1).unwrap();
        let (_, effect) = transaction::open(&envelope).unwrap();
        self.devnet.submit(&envelope).unwrap();
        let block_num = self.devnet.cut_block().unwrap().unwrap();
        let version = Version {
            block_num,
            tx_num: 0,
        };
        (effect, version)
    }

    /// Runs a batch through peers that offer different things, and on the devnet.
    async fn run(&mut self, peers: &mut [Peer], batch: Batch) -> Effect {
        let (effect, version) = self.run_on_devnet(&batch);
        let domain = batch.lane.unwrap().domain();
        let role = Identity::of_domain("GxMSP", domain).unwrap().role.unwrap();
        let member = &self.members[role.attribute()];
        for peer in peers {
            let transaction = member.batch(batch.encode_to_vec());
            let tx_id = transaction.txid.clone();
            let answer = peer.run_one(&mut self.simulator, transaction).await;
            assert_eq!(answer.response.status, 200, "{:?}", answer.response);
            let set = self.simulator.set(&tx_id);
            assert_eq!(set, effect.rwset);
            assert_eq!(set.encode_to_vec(), effect.rwset.encode_to_vec());
            assert_eq!(answer.event.unwrap().payload, effect.event.payload);
        }
        self.simulator.commit(&effect.rwset, version);
        effect
    }
}

fn transfer(sender: &str, receiver: &str, amount_qirat: u64) -> Body {
    Body::Transfer(Transfer {
        sender: sender.to_owned(),
        receiver: receiver.to_owned(),
        amount_qirat,
        max_fee_qirat: 1_000_000,
        reference_digest: Vec::new().into(),
    })
}

fn create(account: &str, number: u8) -> Body {
    Body::CreateAccount(CreateAccount {
        account: account.to_owned(),
        country: "AA".to_owned(),
        commitment: vec![number; 32].into(),
        grant_eligible: true,
    })
}

/// Two people whose accounts are in different lanes.
fn people() -> [String; 2] {
    let account = |number: u8| AccountId::from_bits([number; 10]).to_string();
    let first = account(1);
    let apart = |number: &u8| of_account(&account(*number), LANES) != of_account(&first, LANES);
    let second = account((2..).find(apart).unwrap());
    [first, second]
}

fn genesis() -> Vec<Body> {
    let bootstrap = Bootstrap {
        partner_lanes: LANES,
    };
    let share = CountryShare {
        country: "AA".to_owned(),
        share_ppb: 1_000_000_000,
    };
    let countries = LoadCountries {
        countries: vec![share],
    };
    vec![Body::Bootstrap(bootstrap), Body::LoadCountries(countries)]
}

#[tokio::test]
async fn batched_and_single_operations_read_and_write_what_the_devnet_does() {
    let server = Server::start(GxContract).await;
    let mut peers = Vec::new();
    for offered in [None, Some(offers(1_000)), Some(offers(3))] {
        peers.push(Peer::ready(&server, offered).await);
    }
    let mut twins = Twins::new();
    for body in genesis() {
        let batch = twins.batch(SYSTEM_LANE, vec![body]);
        twins.run(&mut peers, batch).await;
    }
    let [first, second] = people();
    let country = of_country("AA", LANES);
    let batch = twins.batch(country, vec![create(&first, 1), create(&second, 2)]);
    let opened = twins.run(&mut peers, batch).await;
    assert!(opened.rwset.writes.len() > 5, "{:?}", opened.rwset);

    let lane = of_account(&first, LANES);
    let bodies = vec![
        transfer(&first, &second, 1_000_000),
        transfer(&first, &second, u64::MAX / 4),
        transfer(&first, &second, 2_000_000),
    ];
    let paid = twins.batch(lane, bodies);
    let sequence = paid.first_sequence;
    twins.run(&mut peers, paid).await;

    // The receiver spends what came: the batch names the credit, which is removed.
    let own = of_account(&second, LANES);
    let mut spent = twins.batch(own, vec![transfer(&second, &first, 501_000_000)]);
    let open = CreditKey {
        msp_id: "GxMSP".to_owned(),
        lane: Some(lane.into()),
        first_sequence: sequence,
    };
    spent.credits = vec![AccountCredits {
        account: second,
        credits: vec![open],
    }];
    let spent = twins.run(&mut peers, spent).await;
    assert!(spent.rwset.writes.iter().any(|write| write.is_delete));

    let asked = |kind| twins.simulator.count(kind);
    assert!(asked(Type::DelState) > 0 && asked(Type::PutState) > 0);
    assert!(asked(Type::WriteBatchState) > 0 && asked(Type::GetStateMultiple) > 0);
    server.stop().await;
}
