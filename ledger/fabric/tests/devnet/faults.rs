//! Every fault does what it says, as often as it was told, and then is gone.

use gx_fabric::{LedgerError, devnet::Faults};

use crate::harness::{Chain, Prepared};

/// Submits with one fault on; the answer, and what the next block then holds.
fn submit(switch: impl FnOnce(&mut Faults)) -> (Result<(), LedgerError>, Option<Vec<u8>>) {
    let chain = Chain::new(1);
    chain.core.faults(switch);
    let prepared = chain.prepare("get a;put a 1");
    let answer = chain.core.submit(&prepared.envelope);
    let number = chain.core.cut_block().unwrap();
    chain
        .core
        .faults(|faults| assert_eq!(*faults, Faults::default(), "spent"));
    (answer, number.map(|number| chain.flags(number)))
}

#[test]
fn a_lost_answer_is_not_a_lost_transaction() {
    let (answer, flags) = submit(|faults| faults.drop_submit_answers = 1);
    assert!(matches!(answer, Err(LedgerError::Unavailable { .. })));
    assert_eq!(flags, Some(vec![0]));
}

#[test]
fn a_lost_transaction_answers_the_same() {
    let (answer, flags) = submit(|faults| faults.lose_submits = 1);
    assert!(matches!(answer, Err(LedgerError::Unavailable { .. })));
    assert_eq!(flags, None);
}

#[test]
fn a_refused_envelope_is_not_ordered() {
    let (answer, flags) = submit(|faults| faults.refuse_envelopes = 1);
    assert!(matches!(answer, Err(LedgerError::EnvelopeRefused { .. })));
    assert_eq!(flags, None);
}

#[test]
fn a_doubled_submit_takes_effect_once() {
    let (answer, flags) = submit(|faults| faults.duplicate_submits = 1);
    assert_eq!((answer, flags), (Ok(()), Some(vec![0, 9])));
}

#[test]
fn a_doubled_submit_may_lose_its_answer_too() {
    let (answer, flags) = submit(|faults| {
        faults.duplicate_submits = 1;
        faults.drop_submit_answers = 1;
    });
    assert!(answer.is_err());
    assert_eq!(flags, Some(vec![0, 9]));
}

#[test]
fn a_forced_conflict_changes_nothing() {
    let chain = Chain::new(1);
    chain.core.faults(|faults| faults.conflicts = 1);
    let [one, two]: [Prepared; 2] = ["put a 1", "get a;put a 2"].map(|text| chain.prepare(text));
    assert_eq!(chain.commit(&[&one, &two]), [11, 0]);
    assert_eq!(chain.ask("get a"), "a=2");
}

#[test]
fn an_overloaded_gateway_recovers() {
    let chain = Chain::new(1);
    chain.core.faults(|faults| faults.overload = 1);
    assert!(matches!(
        chain.try_prepare("put a 1"),
        Err(LedgerError::Overloaded { .. })
    ));
    assert!(chain.try_prepare("put a 1").is_ok());
}
