//! The server's trait over the core.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use gx_fabric::{
    Ledger, LedgerError, ValidationFlag,
    devnet::{Core, InProcessLedger, MSP_ID},
};
use gx_proto::gx::contract::v1::{
    Batch, BatchCommitted, BatchRefusal, Command, Domain, Lane, Query, query_result,
};
use prost::Message;

use crate::harness::{Cursors, NOW_MS, nonces, options};

pub(crate) fn ledger() -> InProcessLedger {
    with(Core::in_memory(options(Cursors, 1)))
}

pub(crate) fn with(core: Core) -> InProcessLedger {
    InProcessLedger::with_sources(Arc::new(core), MSP_ID, Arc::new(|| NOW_MS), nonces(1))
}

pub(crate) fn batch(domain: Domain, first_sequence: u64, commands: usize) -> Batch {
    Batch {
        lane: Some(Lane {
            domain: domain.into(),
            number: 0,
        }),
        first_sequence,
        commands: vec![Command::default(); commands],
        ..Batch::default()
    }
}

/// Commits a batch of one command and returns its block.
pub(crate) async fn commit(ledger: &InProcessLedger, sequence: u64) -> u64 {
    let endorsed = ledger
        .endorse(&batch(Domain::Partner, sequence, 1))
        .await
        .unwrap();
    ledger.submit(&endorsed.envelope).await.unwrap();
    ledger.core().cut_block().unwrap().unwrap()
}

#[tokio::test]
async fn a_batch_goes_from_endorsement_to_its_event() {
    let ledger = ledger();
    let endorsed = ledger.endorse(&batch(Domain::Staff, 1, 3)).await.unwrap();
    ledger.submit(&endorsed.envelope).await.unwrap();
    ledger.core().cut_block().unwrap();

    let status = ledger
        .commit_status(&endorsed.tx_id, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((status.flag, status.block), (ValidationFlag::VALID, 1));
    let block = ledger
        .blocks(1)
        .await
        .unwrap()
        .next()
        .await
        .unwrap()
        .unwrap();
    assert_eq!((block.number, block.time_ms), (1, NOW_MS));
    assert_eq!(block.transactions[0].tx_id, endorsed.tx_id);
    let event = block.transactions[0].event.clone().unwrap();
    let event = BatchCommitted::decode(event).unwrap();
    assert_eq!(
        event.msp_id, "Org1MSP gx_admin",
        "the identity of the lane's domain"
    );
    assert_eq!(event.cursor.unwrap().number, 3);
}

#[tokio::test]
async fn the_contract_refuses_in_its_own_words() {
    let ledger = ledger();
    commit(&ledger, 1).await;
    let refused = ledger
        .endorse(&batch(Domain::Partner, 1, 1))
        .await
        .unwrap_err();
    let LedgerError::BatchRefused(refused) = refused else {
        panic!("{refused}")
    };
    assert_eq!(refused.reason(), BatchRefusal::LaneCursor);
    assert_eq!(refused.cursor.unwrap().number, 1);
}

#[tokio::test]
async fn a_batch_without_a_lane_has_no_identity() {
    let nowhere = ledger().endorse(&batch(Domain::Unspecified, 1, 1)).await;
    assert!(matches!(nowhere, Err(LedgerError::Internal { .. })));
}

#[tokio::test]
async fn an_envelope_sent_again_is_harmless() {
    let ledger = ledger();
    let endorsed = ledger.endorse(&batch(Domain::Partner, 1, 1)).await.unwrap();
    for _ in 0..3 {
        ledger.submit(&endorsed.envelope).await.unwrap();
        ledger.core().cut_block().unwrap();
    }
    let status = ledger
        .commit_status(&endorsed.tx_id, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((status.flag, status.block), (ValidationFlag::VALID, 1));
    let flags: Vec<_> = ledger.blocks(1).await.unwrap().take(3).collect().await;
    let flags: Vec<_> = flags
        .into_iter()
        .map(|block| block.unwrap().transactions[0].flag.0)
        .collect();
    assert_eq!(flags, [0, 9, 9]);
}

#[tokio::test]
async fn a_question_is_answered_from_the_state() {
    let ledger = ledger();
    commit(&ledger, 1).await;
    commit(&ledger, 2).await;
    let answer = ledger.query(&Query::default()).await.unwrap();
    let Some(query_result::Result::Lane(cursor)) = answer.result else {
        panic!("{answer:?}")
    };
    assert_eq!(cursor.number, 2);
    assert_eq!(ledger.height().await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_transaction_times_out() {
    let ledger = ledger();
    let asked = tokio::time::Instant::now();
    let unknown = ledger.commit_status("00", Duration::from_secs(60)).await;
    assert_eq!(unknown, Err(LedgerError::Timeout));
    assert_eq!(asked.elapsed().as_secs(), 60);
    let unknown = ledger.commit_status("00", Duration::ZERO).await;
    assert_eq!(
        (unknown, asked.elapsed().as_secs()),
        (Err(LedgerError::Timeout), 60)
    );
}

#[tokio::test]
async fn a_status_that_got_lost_is_there_the_next_time() {
    let ledger = ledger();
    let endorsed = ledger.endorse(&batch(Domain::Partner, 1, 1)).await.unwrap();
    ledger.submit(&endorsed.envelope).await.unwrap();
    ledger.core().cut_block().unwrap();
    ledger
        .core()
        .faults(|faults| faults.drop_status_answers = 1);
    let status = || ledger.commit_status(&endorsed.tx_id, Duration::ZERO);
    assert_eq!(status().await, Err(LedgerError::Timeout));
    assert!(status().await.is_ok());
}

#[tokio::test]
async fn the_stream_resumes_at_any_number_and_links_up() {
    let ledger = ledger();
    for sequence in 1..=5 {
        commit(&ledger, sequence).await;
    }
    let all: Vec<_> = ledger
        .blocks(0)
        .await
        .unwrap()
        .take(6)
        .map(Result::unwrap)
        .collect()
        .await;
    assert!(
        all.windows(2)
            .all(|pair| pair[1].previous_hash == pair[0].hash)
    );
    for from in 0..6 {
        let rest = ledger.blocks(from as u64).await.unwrap().take(6 - from);
        assert_eq!(
            rest.map(Result::unwrap).collect::<Vec<_>>().await,
            all[from..]
        );
    }
}

#[tokio::test]
async fn a_stream_gets_what_is_committed_before_and_after_it_looks() {
    let ledger = ledger();
    let mut blocks = ledger.blocks(0).await.unwrap();
    commit(&ledger, 1).await;
    assert_eq!(blocks.next().await.unwrap().unwrap().number, 0);
    assert_eq!(blocks.next().await.unwrap().unwrap().number, 1);
    let waiting = tokio::spawn(async move { blocks.next().await.unwrap().unwrap().number });
    tokio::task::yield_now().await;
    commit(&ledger, 2).await;
    assert_eq!(waiting.await.unwrap(), 2);
}

#[tokio::test]
async fn a_stream_may_begin_in_the_future() {
    let ledger = ledger();
    let mut blocks = ledger.blocks(2).await.unwrap();
    commit(&ledger, 1).await;
    commit(&ledger, 2).await;
    assert_eq!(blocks.next().await.unwrap().unwrap().number, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stream_loses_a_block_committed_while_it_subscribes() {
    const BLOCKS: u64 = 200;
    let ledger = ledger();
    let writer = ledger.clone();
    let writing = tokio::spawn(async move {
        for sequence in 1..=BLOCKS {
            commit(&writer, sequence).await;
            tokio::task::yield_now().await;
        }
    });
    let mut readers = Vec::new();
    for _ in 0..50 {
        let from = ledger.height().await.unwrap() / 2;
        let blocks = ledger.blocks(from).await.unwrap();
        let wanted = (BLOCKS + 1 - from) as usize;
        let numbers = blocks.take(wanted).map(|block| block.unwrap().number);
        readers.push((from, tokio::spawn(numbers.collect::<Vec<_>>())));
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    for (from, reader) in readers {
        assert_eq!(reader.await.unwrap(), (from..=BLOCKS).collect::<Vec<_>>());
    }
}
