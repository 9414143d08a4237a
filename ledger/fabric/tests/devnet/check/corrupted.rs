//! The check itself: it finds nothing on a sound chain, and by its name whatever is
//! planted. Whoever plants has the keys of clients and makes all hashes fit again.

use gx_fabric::{
    contract::FUNCTION_BATCH,
    msp::SigningIdentity,
    proto::common::{Block, Envelope},
};
use prost::Message;

use super::{What, data_hash, faults, header_hash};
use crate::{
    harness::Script,
    wire::{
        edit::{Parts, edited, turned},
        harness::{Net, sign},
    },
};

/// A chain with a transaction of every kind: block 1 has a valid one, block 2 a valid
/// one, a conflict and a copy, block 3 a phantom, block 4 one that is endorsed by one
/// organization alone, block 5 a valid one.
async fn chain(net: &Net) -> Vec<Block> {
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let mut prepare = async |script: &str, msp_ids: &[&str]| {
        let proposal = net.proposal(partner, FUNCTION_BATCH, script.to_owned());
        let prepared = client
            .endorse_by(proposal.signed(partner), msp_ids)
            .await
            .unwrap();
        sign(partner, &prepared)
    };
    let first = prepare("get a;put a 1;put b 1", &[]).await;
    commit(net, &[&first]);
    let [one, two] = [
        prepare("get a;put a 2", &[]).await,
        prepare("get a;put a 3", &[]).await,
    ];
    let phantom = prepare("range a z 9;put r 1", &[]).await;
    commit(net, &[&one, &two, &one]);
    commit(net, &[&phantom]);
    commit(net, &[&prepare("put c 1", &["Org1MSP"]).await]);
    commit(
        net,
        &[&prepare("get a;range a z 9;put a 4;delete b", &[]).await],
    );
    blocks(net)
}

fn commit(net: &Net, envelopes: &[&Envelope]) {
    for envelope in envelopes {
        let bytes = envelope.encode_to_vec().into();
        net.core.submit(&bytes).unwrap();
    }
    net.core.cut_block().unwrap();
}

fn blocks(net: &Net) -> Vec<Block> {
    let blocks = 0..net.core.height();
    blocks
        .map(|number| net.core.block(number).unwrap().unwrap())
        .collect()
}

/// Makes hashes fit, from a block on.
fn rehash(blocks: &mut [Block], from: usize) {
    let mut previous = None;
    for (index, block) in blocks.iter_mut().enumerate() {
        let data = data_hash(block);
        let header = block.header.as_mut().unwrap();
        if index >= from {
            header.data_hash = data.to_vec().into();
            if let Some(previous) = previous {
                header.previous_hash = previous;
            }
        }
        previous = Some(header_hash(header).to_vec().into());
    }
}

/// Plants something into the first transaction of block 1.
fn replace(blocks: &mut [Block], change: impl FnOnce(Envelope) -> Envelope) {
    let envelopes = &mut blocks[1].data.as_mut().unwrap().data;
    let envelope = Envelope::decode(envelopes[0].clone()).unwrap();
    envelopes[0] = change(envelope).encode_to_vec().into();
    rehash(blocks, 1);
}

fn set_flag(block: &mut Block, index: usize, flag: u8) {
    let flags = &mut block.metadata.as_mut().unwrap().metadata[2];
    let mut changed = flags.to_vec();
    changed[index] = flag;
    *flags = changed.into();
}

type Plant = fn(&mut Vec<Block>, &SigningIdentity, &SigningIdentity);

/// What is planted, and what is found in which block first.
const PLANTED: &[(u64, What, Plant)] = &[
    (2, What::Number, |blocks, _, _| {
        blocks[2].header.as_mut().unwrap().number = 7;
        rehash(blocks, 3);
    }),
    (3, What::PreviousHash, |blocks, _, _| {
        let hash = &mut blocks[3].header.as_mut().unwrap().previous_hash;
        *hash = turned(hash, 9);
    }),
    (1, What::DataHash, |blocks, _, _| {
        let hash = &mut blocks[1].header.as_mut().unwrap().data_hash;
        *hash = turned(hash, 9);
        let previous = header_hash(blocks[1].header.as_ref().unwrap());
        blocks[2].header.as_mut().unwrap().previous_hash = previous.to_vec().into();
        rehash(&mut blocks[2..], 1);
    }),
    (2, What::FlagMissing, |blocks, _, _| {
        blocks[2].metadata.as_mut().unwrap().metadata[2].truncate(2);
    }),
    (1, What::CreatorSignature, |blocks, _, _| {
        replace(blocks, |mut envelope| {
            envelope.signature = turned(&envelope.signature, 300);
            envelope
        });
    }),
    (1, What::Creator, |blocks, _, stranger| {
        plant(blocks, stranger, |parts| {
            parts.creator.creator = stranger.creator().clone();
        });
    }),
    (1, What::TransactionId, |blocks, partner, _| {
        plant(blocks, partner, |parts| {
            parts.channel.tx_id = "ab".repeat(32)
        });
    }),
    (1, What::ProposalHash, |blocks, partner, _| {
        plant(blocks, partner, |parts| {
            parts.channel.timestamp.as_mut().unwrap().seconds += 1;
        });
    }),
    (1, What::EndorsementSignature, |blocks, partner, _| {
        plant(blocks, partner, |parts| {
            let signature = &mut parts.endorsements()[1].signature;
            *signature = turned(signature, 300);
        });
    }),
    (1, What::EndorsementMissing, |blocks, partner, _| {
        plant(blocks, partner, |parts| parts.endorsements().truncate(1));
    }),
    (2, What::ReadConflict, |blocks, _, _| {
        set_flag(&mut blocks[2], 1, 0)
    }),
    (2, What::Duplicate, |blocks, _, _| {
        set_flag(&mut blocks[2], 2, 0)
    }),
    (3, What::PhantomRead, |blocks, _, _| {
        set_flag(&mut blocks[3], 0, 0)
    }),
    (5, What::Flag, |blocks, _, _| {
        set_flag(&mut blocks[5], 0, 11)
    }),
];

fn plant(blocks: &mut [Block], who: &SigningIdentity, change: impl FnOnce(&mut Parts)) {
    replace(blocks, |envelope| edited(&envelope, who, change));
}

#[tokio::test]
async fn a_sound_chain_has_no_fault_and_every_planted_one_is_found_by_its_name() {
    let net = Net::start(Script).await;
    let authorities = net.authorities();
    let sound = chain(&net).await;
    assert_eq!(faults(&sound, &authorities), []);
    let stranger = crate::wire::refused::stranger();
    for (block, what, plant) in PLANTED {
        let mut blocks = sound.clone();
        plant(&mut blocks, net.identity("partner"), &stranger);
        let found = faults(&blocks, &authorities);
        let first = found.first().map(|fault| (fault.block, fault.what));
        assert_eq!(first, Some((*block, *what)), "{found:?}");
    }
}
