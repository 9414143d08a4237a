//! A transaction's way over the wire.

use gx_fabric::contract::{FUNCTION_BATCH, FUNCTION_QUERY};

use super::harness::{Net, sign};
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
