//! The rules of the money on the devnet: what batches of different lanes do to each
//! other in one block.

use std::collections::BTreeMap;

use gx_contract::{
    account::AccountId,
    lane::{FIRST_DIGEST, LaneName, SYSTEM_LANE, chain_digest, of_account, of_country},
};
use gx_fabric::{Endorsed, GxContract, Ledger, devnet::Core};
use gx_proto::gx::contract::v1::{
    Batch, Bootstrap, Command, CountryShare, CreateAccount, LoadCountries, Transfer, command::Body,
};

use crate::{harness::options, ledger::with};

const LANES: u32 = 16;
const GX: u64 = 1_000_000;

/// A ledger and the places of its lanes.
struct Chain {
    ledger: gx_fabric::devnet::InProcessLedger,
    lanes: BTreeMap<LaneName, (u64, [u8; 32])>,
}

impl Chain {
    /// Endorses a batch of one command, and counts it as its lane's next.
    async fn prepare(&mut self, lane: LaneName, id: u8, body: Body) -> Endorsed {
        let (number, digest) = self.lanes.get(&lane).copied().unwrap_or((0, FIRST_DIGEST));
        let (id, request_digest) = ([id; 16], [id; 32]);
        let batch = Batch {
            lane: Some(lane.into()),
            first_sequence: number + 1,
            previous_digest: digest.to_vec().into(),
            rules_version: 1,
            commands: vec![Command {
                id: id.to_vec().into(),
                request_digest: request_digest.to_vec().into(),
                body: Some(body),
            }],
            credits: Vec::new(),
        };
        let next = (number + 1, chain_digest(&digest, &id, &request_digest));
        self.lanes.insert(lane, next);
        self.ledger.endorse(&batch).await.unwrap()
    }

    /// Orders what was endorsed into one block; the flags that it gets.
    async fn commit(&self, endorsed: &[Endorsed]) -> Vec<u8> {
        for one in endorsed {
            self.ledger.submit(&one.envelope).await.unwrap();
        }
        let number = self.ledger.core().cut_block().unwrap().unwrap();
        let block = self.ledger.core().block(number).unwrap().unwrap();
        block.metadata.unwrap().metadata[2].to_vec()
    }

    async fn run(&mut self, lane: LaneName, id: u8, body: Body) {
        let endorsed = self.prepare(lane, id, body).await;
        assert_eq!(self.commit(&[endorsed]).await, [0]);
    }
}

/// A bootstrapped chain with three people; the first two belong to different lanes.
async fn chain() -> (Chain, [String; 3]) {
    let ledger = with(Core::in_memory(options(GxContract, 2)));
    let mut chain = Chain {
        ledger,
        lanes: BTreeMap::new(),
    };
    let bootstrap = Bootstrap {
        partner_lanes: LANES,
    };
    chain.run(SYSTEM_LANE, 1, Body::Bootstrap(bootstrap)).await;
    let share = CountryShare {
        country: "AA".to_owned(),
        share_ppb: 1_000_000_000,
    };
    let countries = LoadCountries {
        countries: vec![share],
    };
    chain
        .run(SYSTEM_LANE, 2, Body::LoadCountries(countries))
        .await;

    let account = |number: u8| AccountId::from_bits([number; 10]).to_string();
    let first = account(1);
    let apart = |number: &u8| of_account(&account(*number), LANES) != of_account(&first, LANES);
    let second = account((2..).find(apart).unwrap());
    let people = [first.clone(), second, account(200)];
    for (person, id) in people.iter().zip(3..) {
        let create = CreateAccount {
            account: person.clone(),
            country: "AA".to_owned(),
            commitment: vec![id; 32].into(),
            grant_eligible: true,
        };
        let lane = of_country("AA", LANES);
        chain.run(lane, id, Body::CreateAccount(create)).await;
    }
    (chain, people)
}

fn transfer(sender: &str, receiver: &str) -> Body {
    Body::Transfer(Transfer {
        sender: sender.to_owned(),
        receiver: receiver.to_owned(),
        amount_qirat: GX,
        max_fee_qirat: 0,
        reference_digest: Vec::new().into(),
    })
}

#[tokio::test]
async fn two_batches_of_two_lanes_that_pay_one_receiver_are_both_valid() {
    let (mut chain, [first, second, receiver]) = chain().await;
    let one = chain
        .prepare(of_account(&first, LANES), 10, transfer(&first, &receiver))
        .await;
    let two = chain
        .prepare(of_account(&second, LANES), 11, transfer(&second, &receiver))
        .await;
    assert_eq!(chain.commit(&[one, two]).await, [0, 0]);
}

#[tokio::test]
async fn two_batches_of_one_lane_on_one_place_cannot_both_commit() {
    let (mut chain, [first, _, receiver]) = chain().await;
    let lane = of_account(&first, LANES);
    let place = chain.lanes.get(&lane).copied();
    let one = chain.prepare(lane, 10, transfer(&first, &receiver)).await;
    chain.lanes.remove(&lane);
    if let Some(place) = place {
        chain.lanes.insert(lane, place);
    }
    let two = chain.prepare(lane, 11, transfer(&first, &receiver)).await;
    assert_eq!(chain.commit(&[one, two]).await, [0, 11]);
}
