//! Single blocks, lists and transactions.

use gx_proto::gx::{
    common::v1::Reason,
    ledger::v1::{
        Block, CommandOutcome, GetBlockRequest, GetTransactionRequest, ListBlocksRequest,
        ListBlocksResponse, Transaction,
    },
};

use super::*;
use crate::{
    error::{Error, Result},
    explorer::{get_block::GetBlock, get_transaction::GetTransaction, list_blocks::ListBlocks},
};

async fn block_of(app: &App, caller: &Caller, number: u64, min_block: u64) -> Result<Block> {
    let name = format!("blocks/{number}");
    let read = GetBlock::try_from(GetBlockRequest { name, min_block })?;
    Ok(read.handle(app, caller).await?.block.unwrap())
}

async fn transaction_of(app: &App, caller: &Caller, id: &str) -> Result<Transaction> {
    let name = format!("transactions/{id}");
    let min_block = 0;
    let read = GetTransaction::try_from(GetTransactionRequest { name, min_block })?;
    Ok(read.handle(app, caller).await?.transaction.unwrap())
}

async fn list(app: &App, page_size: u32, page_token: &str) -> ListBlocksResponse {
    let request = ListBlocksRequest {
        page_size,
        page_token: page_token.to_owned(),
        min_block: 0,
    };
    let list = ListBlocks::try_from(request).unwrap();
    list.handle(app).await.unwrap()
}

fn not_found<T: std::fmt::Debug>(answer: Result<T>) -> bool {
    answer.unwrap_err().reason() == Reason::NotFound
}

#[tokio::test]
async fn block_is_shown_once_every_partition_has_applied_it() {
    let app = fixture::app().await;
    let ann = fixture::user(1);
    for number in [0, 1] {
        write(&app, number, None).await;
        fixture::apply(&app, 0, number).await;
        assert!(not_found(
            block_of(&app, &ann, number.unsigned_abs(), 0).await
        ));
        assert_eq!(list(&app, 0, "").await.blocks.len() as i64, number);
        assert!(not_found(transaction_of(&app, &ann, &tx_id(number)).await));
        fixture::apply(&app, 1, number).await;
        let shown = block_of(&app, &ann, number.unsigned_abs(), 0)
            .await
            .unwrap();
        assert_eq!(i64::try_from(shown.number), Ok(number));
        transaction_of(&app, &ann, &tx_id(number)).await.unwrap();
    }
    write(&app, 2, None).await;
    let (waited, ()) = tokio::join!(block_of(&app, &ann, 2, 2), fixture::apply_all(&app, 2));
    assert_eq!(waited.unwrap().name, "blocks/2");
}

#[tokio::test]
async fn commands_are_shown_by_right_and_counted_for_everybody() {
    let app = fixture::app().await;
    let (ann, bee, cem) = (
        fixture::person(&app, 1, "DE").await,
        fixture::person(&app, 2, "DE").await,
        fixture::person(&app, 3, "DE").await,
    );
    let (ann, bee, cem) = (ann.as_str(), bee.as_str(), cem.as_str());
    let batch = transfers(10, &[(ann, bee), (bee, cem), (ann, cem)]);
    // Ann's last one was refused: nothing on the chain says whose it was.
    write(&app, 10, Some(refused(batch, 2))).await;
    for place in [0, 2] {
        record(&app, id(10, place), &fixture::user(1)).await;
    }
    fixture::apply_all(&app, 10).await;

    let seen = async |caller: Caller| {
        let block = block_of(&app, &caller, 10, 0).await.unwrap();
        assert_eq!((block.command_count, block.transaction_count), (3, 1));
        assert_eq!(block.transactions[0].command_count, 3);
        let transaction = transaction_of(&app, &caller, &tx_id(10)).await.unwrap();
        assert_eq!(
            block.transactions,
            [transaction],
            "both reads show the same"
        );
        shown(&block)
    };
    assert_eq!(seen(fixture::user(1)).await, [10, 12]);
    assert_eq!(seen(fixture::user(2)).await, [10, 11]);
    assert_eq!(seen(fixture::user(3)).await, [11]);
    assert_eq!(seen(fixture::user(4)).await, [0; 0]);
    assert_eq!(seen(fixture::auditor()).await, [10, 11, 12]);

    let block = block_of(&app, &fixture::user(1), 10, 0).await.unwrap();
    let [paid, refused] = &block.transactions[0].commands[..] else {
        panic!("{block:?}");
    };
    assert_eq!(paid.operation, crate::outbox::operation::name(id(10, 0)));
    assert_eq!(
        (paid.outcome(), paid.reason.as_str()),
        (CommandOutcome::Done, "")
    );
    let deltas: Vec<_> = paid
        .postings
        .iter()
        .map(|one| (one.account.as_str(), one.delta_qirat))
        .collect();
    assert_eq!(deltas, [(ann, -1), (bee, 1)]);
    assert_eq!(refused.outcome(), CommandOutcome::Refused);
    assert_eq!(
        (refused.reason.as_str(), refused.postings.len()),
        ("CHAIN_REFUSED", 0)
    );
}

#[tokio::test]
async fn pages_of_blocks_are_complete_while_blocks_come_in() {
    let app = fixture::app().await;
    for number in 0..8 {
        write(&app, number, None).await;
    }
    fixture::apply_all(&app, 7).await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(&app, 3, &token).await;
        seen.extend(page.blocks.iter().map(|block| block.number));
        assert!(
            page.blocks
                .iter()
                .all(|block| block.transactions.is_empty())
        );
        let number = 8 + i64::try_from(seen.len()).unwrap();
        write(&app, number, None).await;
        fixture::apply_all(&app, number).await;
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn transaction_is_the_first_of_its_id_valid_or_not() {
    let app = fixture::app().await;
    write(&app, 0, None).await;
    let copy = transaction::Model {
        block: 1,
        position: 0,
        fabric_tx_id: tx_id(0),
        flag: 9,
        lane: String::new(),
        first_number: 0,
        commands: 0,
        event: None,
    };
    let tx = app.store.begin().await.unwrap();
    shown_in(&tx, &[], &[copy]).await.unwrap();
    tx.commit().await.unwrap();
    fixture::apply_all(&app, 1).await;
    let found = transaction_of(&app, &fixture::user(1), &tx_id(0)).await;
    let found = found.unwrap();
    assert_eq!((found.block, found.validation_code), (0, 11));
    assert!(not_found(
        transaction_of(&app, &fixture::user(1), &tx_id(7)).await
    ));
}

#[test]
fn names_have_one_form() {
    for name in ["", "transactions/", "transactions/0"] {
        let name = name.to_owned();
        let message = GetTransactionRequest { name, min_block: 0 };
        let error: Error = GetTransaction::try_from(message).unwrap_err();
        assert_eq!(fixture::violated(error), ["name"]);
    }
}
