//! Endorsers that agree, differ and fail.

use std::sync::Arc;

use bytes::Bytes;
use gx_contract::{Invocation, State};
use gx_fabric::{
    ChaincodeFailure, Contract, LedgerError,
    contract::FUNCTION_BATCH,
    devnet::{Core, EndorserFault},
    proto::{common, protos},
};
use prost::Message;

use crate::harness::{Chain, Script, options};

fn behind(chain: &Chain, endorser: usize, behind: u64) {
    let fault = EndorserFault {
        behind,
        fails: None,
    };
    chain
        .core
        .faults(|faults| drop(faults.endorsers.insert(endorser, fault)));
}

#[test]
fn two_endorsers_at_one_height_agree_and_both_stand_in_the_transaction() {
    let chain = Chain::new(2);
    let prepared = chain.prepare("get a;put a 1");
    let envelope = common::Envelope::decode(prepared.envelope).unwrap();
    let payload = common::Payload::decode(envelope.payload).unwrap();
    let transaction = protos::Transaction::decode(payload.data).unwrap();
    let action = protos::ChaincodeActionPayload::decode(transaction.actions[0].payload.clone());
    assert_eq!(action.unwrap().action.unwrap().endorsements.len(), 2);
}

#[test]
fn endorsers_of_different_heights_disagree_until_the_view_is_the_same() {
    let chain = Chain::new(2);
    chain.run("put a 1");
    behind(&chain, 1, 1);
    let disagree = chain.try_prepare("get a");
    assert!(
        matches!(disagree, Err(LedgerError::Disagree { .. })),
        "{disagree:?}"
    );
    assert!(
        chain.try_prepare("get b").is_ok(),
        "what is the same on both"
    );
    behind(&chain, 1, 0);
    assert!(chain.try_prepare("get a").is_ok());
}

#[test]
fn one_that_refuses_and_one_that_does_not_disagree() {
    struct Picky;
    impl Contract for Picky {
        fn invoke(
            &self,
            state: &mut dyn State,
            _: &Invocation,
            _: &[u8],
        ) -> Result<Vec<u8>, ChaincodeFailure> {
            let known = state.get("a")?.is_some();
            known
                .then(Vec::new)
                .ok_or_else(|| ChaincodeFailure::new("there is no a"))
        }
        fn query(&self, _: &mut dyn State, _: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
            Ok(Vec::new())
        }
    }
    let mut options = options(Script, 2);
    options.endorsers[1].contract = Arc::new(Picky);
    let chain = Chain::with(Core::in_memory(options));
    assert!(matches!(
        chain.try_prepare("put a 1"),
        Err(LedgerError::Disagree { .. })
    ));
}

#[test]
fn a_peer_that_is_behind_answers_from_its_own_height() {
    let chain = Chain::running(&["put a 1", "put a 2", "put a 3"]);
    for (blocks, answer) in [(0, "a=3"), (1, "a=2"), (2, "a=1"), (3, "a=-")] {
        behind(&chain, 0, blocks);
        assert_eq!(chain.ask("get a"), answer);
    }
    assert_eq!(chain.core.height(), 4, "what is committed stays committed");
}

#[test]
fn what_a_peer_behind_endorses_conflicts() {
    let chain = Chain::running(&["put a 1", "put a 2"]);
    behind(&chain, 0, 1);
    let late = chain.prepare("get a;put a 3");
    assert_eq!(chain.commit(&[&late]), [11]);
}

#[test]
fn one_endorser_that_fails_on_everything_stops_endorsing_and_not_asking() {
    let chain = Chain::new(2);
    let error = LedgerError::Chaincode {
        message: "out of memory".into(),
    };
    let fault = EndorserFault {
        fails: Some(error.clone()),
        behind: 0,
    };
    chain
        .core
        .faults(|faults| drop(faults.endorsers.insert(0, fault)));
    assert_eq!(chain.try_prepare("put a 1").unwrap_err(), error);
    assert_eq!(chain.ask("get a"), "a=-");
    chain.core.faults(|faults| faults.endorsers.clear());
    assert!(chain.try_prepare("put a 1").is_ok());
}

#[test]
fn a_chaincode_error_leaves_nothing_behind() {
    let chain = Chain::new(1);
    let failed = chain.try_prepare("put a 1;explode");
    assert_eq!(
        failed.unwrap_err(),
        LedgerError::Chaincode {
            message: "cannot explode".into()
        }
    );
    assert_eq!(
        (chain.core.pending(), chain.ask("get a")),
        (0, "a=-".into())
    );
}

#[test]
fn a_committed_transaction_is_not_endorsed_again() {
    let chain = Chain::new(1);
    let (_, proposal) = chain.proposal(FUNCTION_BATCH, "put a 1");
    let envelope = chain.core.endorse(&proposal).unwrap();
    chain.core.submit(&envelope).unwrap();
    assert!(
        chain.core.endorse(&proposal).is_ok(),
        "pending is not committed"
    );
    chain.core.cut_block().unwrap();
    assert!(matches!(
        chain.core.endorse(&proposal),
        Err(LedgerError::Internal { .. })
    ));
}

#[test]
fn a_proposal_from_the_future_is_refused() {
    let mut options = options(Script, 1);
    options.clock = Arc::new(|| crate::harness::NOW_MS - 60_001);
    let chain = Chain::with(Core::in_memory(options));
    assert!(matches!(
        chain.try_prepare("get a"),
        Err(LedgerError::Chaincode { .. })
    ));
}

#[test]
fn garbage_is_no_proposal() {
    let chain = Chain::new(1);
    for garbage in [
        Bytes::new(),
        Bytes::from_static(b"\x0a\xff"),
        Bytes::from_static(b"x"),
    ] {
        assert!(matches!(
            chain.core.endorse(&garbage),
            Err(LedgerError::Internal { .. })
        ));
    }
}
