//! What becomes of transactions that were prepared on the same state.

use bytes::Bytes;
use gx_fabric::proto::{common, kvrwset};
use gx_fabric::{LedgerError, ValidationFlag, block};
use prost::Message;

use crate::harness::Chain;

#[test]
fn of_two_that_write_what_the_other_read_the_first_takes_effect() {
    let chain = Chain::running(&["put a 1;put b 1"]);
    let one = chain.prepare("get a;put b 2");
    let two = chain.prepare("get b;put a 2");
    assert_eq!(chain.commit(&[&one, &two]), [0, 11]);
    assert_eq!(chain.ask("get a;get b"), "a=1 b=2");
    assert_eq!(
        chain.status(&two),
        Some((ValidationFlag::MVCC_READ_CONFLICT, 2))
    );
}

#[test]
fn a_read_from_before_an_earlier_block_conflicts_too() {
    let chain = Chain::running(&["put a 1"]);
    let late = chain.prepare("get a;put b 1");
    chain.run("put a 2");
    assert_eq!(chain.commit(&[&late]), [11]);
}

#[test]
fn the_absence_of_a_key_is_read_like_its_value() {
    let chain = Chain::new(1);
    let one = chain.prepare("get a;put a 1");
    let two = chain.prepare("get a;put a 2");
    let three = chain.prepare("get b");
    assert_eq!(chain.commit(&[&one, &two, &three]), [0, 11, 0]);
}

#[test]
fn blind_writes_never_conflict_and_the_last_one_stays() {
    let chain = Chain::new(1);
    let one = chain.prepare("put a 1");
    let two = chain.prepare("put a 2");
    assert_eq!(chain.commit(&[&one, &two]), [0, 0]);
    assert_eq!(chain.ask("get a"), "a=2");
}

#[test]
fn what_an_invalid_one_would_write_disturbs_nobody() {
    let chain = Chain::running(&["put a 1"]);
    let one = chain.prepare("put a 2");
    let invalid = chain.prepare("get a;put b 1");
    let three = chain.prepare("get b;put c 1");
    assert_eq!(chain.commit(&[&one, &invalid, &three]), [0, 11, 0]);
}

#[test]
fn a_key_that_appears_in_a_range_is_a_phantom() {
    let chain = Chain::running(&["put m1 1;put m3 1"]);
    let reader = chain.prepare("range m n 10;put x 1");
    let writer = chain.prepare("put m2 1");
    assert_eq!(chain.commit(&[&writer, &reader]), [0, 12]);
}

#[test]
fn a_key_that_changes_or_leaves_a_range_is_a_phantom() {
    for script in ["put m1 2", "delete m3"] {
        let chain = Chain::running(&["put m1 1;put m3 1"]);
        let reader = chain.prepare("range m n 10");
        chain.run(script);
        assert_eq!(chain.commit(&[&reader]), [12], "{script}");
    }
}

#[test]
fn a_range_that_its_limit_ended_covers_what_was_seen() {
    let chain = Chain::running(&["put m1 1;put m3 1;put m5 1"]);
    let beyond = chain.prepare("range m n 2");
    let within = chain.prepare("range m n 2");
    let exhausted = chain.prepare("range m n 4");
    assert_eq!(
        chain.commit(&[&chain.prepare("put m4 1"), &beyond, &exhausted]),
        [0, 0, 12]
    );
    assert_eq!(
        chain.commit(&[&chain.prepare("put m2 1"), &within]),
        [0, 12]
    );
}

#[test]
fn a_range_next_to_a_change_is_undisturbed() {
    let chain = Chain::running(&["put m1 1"]);
    let reader = chain.prepare("range m n 10");
    assert_eq!(
        chain.commit(&[&chain.prepare("put n 1;put l 1"), &reader]),
        [0, 0]
    );
}

#[test]
fn an_empty_value_is_a_removal() {
    let chain = Chain::running(&["put a 1;put b 1", "empty a"]);
    assert_eq!(chain.ask("range a z 10"), "b");
}

#[test]
fn a_second_copy_is_a_duplicate_and_the_first_keeps_its_flag() {
    let chain = Chain::new(1);
    let one = chain.prepare("get a;put a 1");
    assert_eq!(chain.commit(&[&one, &one]), [0, 9]);
    assert_eq!(chain.commit(&[&one]), [9]);
    assert_eq!(chain.status(&one), Some((ValidationFlag::VALID, 1)));
}

#[test]
fn a_copy_of_an_invalid_one_is_a_duplicate_too() {
    let chain = Chain::running(&["put a 1"]);
    let late = chain.prepare("get a;put a 2");
    chain.run("put a 3");
    assert_eq!(chain.commit(&[&late]), [11]);
    assert_eq!(chain.commit(&[&late]), [9]);
    assert_eq!(
        chain.status(&late),
        Some((ValidationFlag::MVCC_READ_CONFLICT, 3))
    );
}

#[test]
fn an_id_that_is_not_the_digest_is_flagged_and_taken_as_on_fabric() {
    let chain = Chain::new(1);
    let one = chain.prepare("put a 1");
    let mut envelope = common::Envelope::decode(one.envelope.clone()).unwrap();
    let mut payload = common::Payload::decode(envelope.payload).unwrap();
    let mut header = payload.header.unwrap();
    let mut channel = common::ChannelHeader::decode(header.channel_header).unwrap();
    channel.tx_id = "0".repeat(64);
    header.channel_header = channel.encode_to_vec().into();
    payload.header = Some(header);
    envelope.payload = payload.encode_to_vec().into();
    chain.core.submit(&envelope.encode_to_vec().into()).unwrap();
    let number = chain.core.cut_block().unwrap().unwrap();
    assert_eq!(chain.flags(number), [8]);
    let status = chain.core.status(&channel.tx_id).unwrap();
    assert_eq!(status.flag, ValidationFlag::BAD_PROPOSAL_TXID);
    assert_eq!(chain.status(&one), None);
}

#[test]
fn the_orderer_refuses_what_is_no_transaction() {
    let chain = Chain::new(1);
    let genesis = chain
        .core
        .block(0)
        .unwrap()
        .unwrap()
        .data
        .unwrap()
        .data
        .remove(0);
    for envelope in [Bytes::from_static(b"\xff"), Bytes::new(), genesis] {
        let refused = chain.core.submit(&envelope);
        assert!(
            matches!(refused, Err(LedgerError::EnvelopeRefused { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(chain.core.pending(), 0);
}

#[test]
fn nothing_pending_makes_no_block() {
    let chain = Chain::new(1);
    assert_eq!(chain.core.cut_block().unwrap(), None);
    assert_eq!(chain.core.height(), 1);
}

#[test]
fn a_transaction_carries_its_read_and_write_set_in_order() {
    let chain = Chain::running(&["put b 1"]);
    let prepared = chain.prepare("get b;get a;put d 1;put c 1;put c 2");
    let (_, effect) = gx_fabric::transaction::open(&prepared.envelope).unwrap();
    let version = Some(kvrwset::Version {
        block_num: 1,
        tx_num: 0,
    });
    let reads: Vec<_> = effect
        .rwset
        .reads
        .iter()
        .map(|read| (read.key.as_str(), read.version))
        .collect();
    assert_eq!(reads, [("a", None), ("b", version)]);
    let writes: Vec<_> = effect
        .rwset
        .writes
        .iter()
        .map(|write| (write.key.as_str(), &write.value[..]))
        .collect();
    assert_eq!(writes, [("c", &b"2"[..]), ("d", b"1")]);
    assert_eq!(effect.event.event_name, "gx.batch.v1");
    assert_eq!(effect.event.tx_id, prepared.tx_id);
}

#[test]
fn read_models_see_events_of_valid_transactions_alone() {
    let chain = Chain::new(1);
    let one = chain.prepare("get a;put a 1");
    let two = chain.prepare("get a;put a 2");
    chain.commit(&[&one, &two]);
    let read = block::read(&chain.core.block(1).unwrap().unwrap(), "gx").unwrap();
    assert_eq!(read.time_ms, crate::harness::NOW_MS);
    let seen: Vec<_> = read
        .transactions
        .iter()
        .map(|tx| (tx.index, tx.flag.0, tx.event.as_deref()))
        .collect();
    assert_eq!(seen, [(0, 0, Some(&b"a=-"[..])), (1, 11, None)]);
    let other = block::read(&chain.core.block(1).unwrap().unwrap(), "other").unwrap();
    assert!(other.transactions.iter().all(|tx| tx.event.is_none()));
}

#[test]
fn the_same_sources_make_the_same_chain() {
    let hash = || {
        let chain = Chain::running(&["put a 1", "get a;put b 1"]);
        block::hash(&chain.core.block(2).unwrap().unwrap())
    };
    assert_eq!(hash(), hash());
}

#[test]
fn a_fork_goes_its_own_way() {
    let chain = Chain::running(&["put a 1"]);
    let pending = chain.prepare("put a 2");
    chain.core.submit(&pending.envelope).unwrap();
    let fork = Chain::with(chain.core.fork().unwrap());
    fork.core.cut_block().unwrap();
    assert_eq!(
        (chain.ask("get a"), fork.ask("get a")),
        ("a=1".into(), "a=2".into())
    );
    assert_eq!((chain.core.pending(), chain.core.height()), (1, 2));
    chain.core.cut_block().unwrap();
    assert_eq!(chain.core.block(2).unwrap(), fork.core.block(2).unwrap());
}
