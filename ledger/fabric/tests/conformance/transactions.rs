//! What becomes of transactions.

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use gx_fabric::{Ledger, LedgerError, Transaction, ValidationFlag};
use gx_proto::gx::contract::v1::{BatchCommitted, BatchRefusal};
use prost::Message;

use crate::net::{LANE, Net, void};

pub(crate) async fn a_batch_is_endorsed_ordered_and_found_in_its_block(net: &Net) {
    let before = net.cursor(LANE).await.number;
    let (endorsed, status) = net.moved().await;
    let found = transaction(net, status.block, &endorsed.tx_id).await;
    assert_eq!(found.flag, ValidationFlag::VALID);
    let event = BatchCommitted::decode(found.event.unwrap()).unwrap();
    assert_eq!(event.msp_id, net.ledger.msp_id());
    assert_eq!(event.first_sequence, before + 1);
    assert_eq!(net.cursor(LANE).await.number, before + 1);
    assert!(net.ledger.height().await.unwrap() > status.block);
}

pub(crate) async fn an_envelope_sent_again_is_a_duplicate_and_changes_nothing(net: &Net) {
    let (endorsed, first) = net.moved().await;
    let cursor = net.cursor(LANE).await;
    net.ledger.submit(&endorsed.envelope).await.unwrap();
    let again = transaction(net, first.block + 1, &endorsed.tx_id).await;
    assert_eq!(again.flag, ValidationFlag::DUPLICATE_TXID);
    assert_eq!(again.event, None);
    assert_eq!(net.status(&endorsed).await, first);
    assert_eq!(net.cursor(LANE).await, cursor);
}

pub(crate) async fn of_two_batches_on_one_cursor_one_conflicts(net: &Net) {
    let cursor = net.cursor(LANE).await;
    let first = net.endorse(&void(&cursor)).await;
    let second = net.endorse(&void(&cursor)).await;
    net.ledger.submit(&first.envelope).await.unwrap();
    net.ledger.submit(&second.envelope).await.unwrap();
    let flags = [
        net.status(&first).await.flag,
        net.status(&second).await.flag,
    ];
    let (valid, conflict) = (ValidationFlag::VALID, ValidationFlag::MVCC_READ_CONFLICT);
    // Several orderers may put them in either order.
    assert!(
        flags == [valid, conflict] || flags == [conflict, valid],
        "{flags:?}"
    );
    net.follows(cursor.number + 1).await;
    assert_eq!(net.cursor(LANE).await.number, cursor.number + 1);
}

pub(crate) async fn a_batch_on_an_old_cursor_is_refused_and_told_the_cursor(net: &Net) {
    let old = net.cursor(LANE).await;
    net.moved().await;
    let current = net.cursor(LANE).await;
    let error = net.ledger.endorse(&void(&old)).await.unwrap_err();
    let LedgerError::BatchRefused(refused) = error else {
        panic!("{error:?}");
    };
    assert_eq!(refused.reason(), BatchRefusal::LaneCursor);
    let told = refused.cursor.unwrap();
    assert_eq!((told.number, told.digest), (current.number, current.digest));
}

pub(crate) async fn a_transaction_that_never_was_has_no_status(net: &Net) {
    let never = "0".repeat(64);
    let asked = net.ledger.commit_status(&never, Duration::from_millis(200));
    assert_eq!(asked.await, Err(LedgerError::Timeout));
}

/// The client checks that each block follows the one before and holds what its header
/// says.
pub(crate) async fn blocks_are_linked_from_the_first_to_the_last(net: &Net) {
    let height = usize::try_from(net.ledger.height().await.unwrap()).unwrap();
    let blocks = net.ledger.raw_blocks(0).await.unwrap().take(height);
    let blocks: Vec<_> = blocks.collect().await;
    assert_eq!(blocks.len(), height);
    assert!(blocks.iter().all(Result::is_ok), "{blocks:?}");
}

/// The first transaction of this id in a block or a later one.
async fn transaction(net: &Net, from: u64, tx_id: &str) -> Transaction {
    let blocks = net.ledger.blocks(from).await.unwrap();
    let found = blocks.filter_map(async |block| {
        let transactions = block.unwrap().transactions;
        transactions.into_iter().find(|found| found.tx_id == tx_id)
    });
    pin!(found).next().await.unwrap()
}
