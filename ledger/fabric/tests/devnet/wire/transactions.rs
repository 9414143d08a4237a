//! A transaction's way over the wire.

use std::sync::Arc;

use gx_fabric::{
    LedgerError,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    devnet::{Core, CoreOptions, EndorserFault, Faults, Server, ServerError, ServerOptions},
};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::harness::{Net, details, sign};
use crate::harness::Script;

#[tokio::test]
async fn a_transaction_is_endorsed_submitted_and_found_in_its_block() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let proposal = net.proposal(partner, FUNCTION_BATCH, "get a;put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    assert!(prepared.signature.is_empty(), "the client signs");
    client.submit(sign(partner, &prepared)).await.unwrap();
    let mut waiting = client.clone();
    let status = waiting.status(partner, &proposal.tx_id);
    let (status, number) = tokio::join!(status, async { net.core.cut_block().unwrap() });
    let status = status.unwrap();
    assert_eq!((status.result, status.block_number), (0, 1));
    assert_eq!(number, Some(1));

    let user = net.identity("user");
    let question = net.proposal(user, FUNCTION_QUERY, "get a");
    assert_eq!(client.evaluate(question.signed(user)).await.unwrap(), "a=1");
    net.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_committed_proposal_is_not_run_again_and_its_envelope_lands_as_a_duplicate() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    let envelope = sign(partner, &prepared);
    for flag in [0, 9] {
        client.submit(envelope.clone()).await.unwrap();
        let number = net.core.cut_block().unwrap().unwrap();
        assert_eq!(net.flags(number), [flag]);
        let status = client.status(partner, &proposal.tx_id).await.unwrap();
        assert_eq!((status.result, status.block_number), (0, 1));
    }
    let again = client.endorse(proposal.signed(partner)).await.unwrap_err();
    let said = &details(&again)[0].message;
    let expected = format!(
        "duplicate transaction found [{}]. Creator [",
        proposal.tx_id
    );
    assert!(said.starts_with(&expected), "{said}");
}

#[tokio::test]
async fn peers_that_differ_are_named() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let fault = |fails| {
        move |faults: &mut Faults| {
            let fault = EndorserFault { fails, behind: 0 };
            faults.endorsers.insert(1, fault);
        }
    };
    let message = "chaincode stream terminated".to_owned();
    net.core
        .faults(fault(Some(LedgerError::Internal { message })));
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let refused = client.endorse(proposal.signed(partner)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    assert!(refused.message().starts_with("failed to collect enough"));
    let details = details(&refused);
    assert_eq!((details.len(), details[0].msp_id.as_str()), (1, "Org2MSP"));

    net.core.faults(fault(None));
    let run = client.endorse(proposal.signed(partner)).await.unwrap();
    client.submit(sign(partner, &run)).await.unwrap();
    net.core.cut_block().unwrap();
    net.core
        .faults(|faults| faults.endorsers.get_mut(&1).unwrap().behind = 1);
    let differs = net.proposal(partner, FUNCTION_BATCH, "get a");
    let refused = client.endorse(differs.signed(partner)).await.unwrap_err();
    let details = super::harness::details(&refused);
    assert_eq!(details[0].message, "ProposalResponsePayloads do not match");
    assert_eq!(details[0].msp_id, "Org2MSP");
}

/// A client of one organization may speak to another one's peer, which asks its own
/// endorser first.
#[tokio::test]
async fn each_organization_s_gateway_serves_every_member_and_asks_its_own_endorser() {
    let second = |options: &mut ServerOptions| options.msp_id = Some("Org2MSP".to_owned());
    let net = Net::with(Script, |_| {}, second).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    client.submit(sign(partner, &prepared)).await.unwrap();
    net.core.cut_block().unwrap();
    let status = client.status(partner, &proposal.tx_id).await.unwrap();
    assert_eq!((status.result, status.block_number), (0, 1));

    // The first organization's endorser is down.
    let message = "chaincode stream terminated".to_owned();
    let fails = Some(LedgerError::Internal { message });
    net.core.faults(|faults| {
        let fault = EndorserFault { fails, behind: 0 };
        faults.endorsers.insert(0, fault);
    });
    let question = net.proposal(partner, FUNCTION_QUERY, "get a");
    let answer = client.evaluate(question.signed(partner)).await;
    assert_eq!(answer.unwrap(), "a=1");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 2");
    let refused = client.endorse(proposal.signed(partner)).await.unwrap_err();
    assert!(refused.message().starts_with("failed to collect enough"));
    let details = details(&refused);
    assert_eq!((details.len(), details[0].msp_id.as_str()), (1, "Org1MSP"));
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_there_is_room_for() {
    let net = Net::with(Script, |_| {}, |options| options.gateway_calls_max = 1).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let mut waiting = client.clone();
    let wait = waiting.status(partner, "ab");
    tokio::pin!(wait);
    let question = net.proposal(partner, FUNCTION_QUERY, "get a");
    let refused = loop {
        // The wait is under way at some moment; until then the question is answered.
        tokio::select! {
            biased;
            ended = &mut wait => panic!("{ended:?}"),
            asked = client.evaluate(question.signed(partner)) => match asked {
                Ok(_) => {}
                Err(refused) => break refused,
            },
        }
    };
    assert_eq!(refused.code(), Code::Unknown);
    assert_eq!(
        refused.message(),
        "too many requests for /gateway.Gateway, exceeding concurrency limit (1)"
    );
}

#[tokio::test]
async fn a_connection_breaks_after_the_orderer_has_taken_an_envelope() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    net.core.faults(|faults| faults.drop_connections = 1);
    let broken = client.submit(sign(partner, &prepared)).await.unwrap_err();
    assert!(
        matches!(broken.code(), Code::Unavailable | Code::Unknown),
        "{broken:?}"
    );
    assert_eq!(net.core.pending(), 1);
    net.core.cut_block().unwrap();
    let status = client.status(partner, &proposal.tx_id).await.unwrap();
    assert_eq!(status.result, 0, "the client connects again by itself");
}

#[tokio::test]
async fn answers_are_held_back_until_the_fault_is_over() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    net.core.faults(|faults| faults.hold_answers = true);
    let submit = client.submit(sign(partner, &prepared));
    tokio::pin!(submit);
    while net.core.pending() == 0 {
        tokio::select! {
            biased;
            answered = &mut submit => panic!("{answered:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    net.core.faults(|faults| faults.hold_answers = false);
    submit.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_ends_whoever_waits() {
    let net = Net::start(Script).await;
    let partner = net.identity("partner");
    let mut client = net.client().await;
    client
        .evaluate(
            net.proposal(partner, FUNCTION_QUERY, "get a")
                .signed(partner),
        )
        .await
        .unwrap();
    let partner = partner.clone();
    let (ended, stopped) = tokio::join!(client.status(&partner, "ab"), net.server.shutdown());
    assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
    stopped.unwrap();
}

#[test]
fn a_devnet_that_believes_everybody_does_not_serve() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let core = Arc::new(Core::in_memory(CoreOptions::default()));
    let options = ServerOptions::new("127.0.0.1:0".parse().unwrap(), String::new(), String::new());
    let refused = runtime.block_on(Server::start(core, options, &CancellationToken::new()));
    assert!(matches!(refused.err(), Some(ServerError::Trusting)));
}
