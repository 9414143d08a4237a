//! Blocks over the wire.

use std::{sync::atomic::Ordering, time::Duration};

use futures::StreamExt;
use gx_fabric::{
    contract::FUNCTION_BATCH,
    devnet::system_clock,
    proto::{
        common::{Envelope, HeaderType, Status},
        protos::{deliver_response::Type, filtered_transaction::Data},
    },
};

use tokio::time::timeout;

use super::{
    edit::{high, turned},
    harness::{Client, Net, sign},
    seek::{Ask, FAIL, Got, Stream, answered, asked, at, newest, next, oldest},
};
use crate::harness::Script;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Commits so many blocks of one transaction each.
async fn grow(net: &Net, client: &mut Client, blocks: usize) {
    let partner = net.identity("partner");
    for _ in 0..blocks {
        let proposal = net.proposal(partner, FUNCTION_BATCH, "get a;put a 1");
        let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
        client.submit(sign(partner, &prepared)).await.unwrap();
        net.core.cut_block().unwrap();
    }
}

/// Commits eight blocks that are more than windows and buffers hold.
async fn grow_beyond_windows(net: &Net, client: &mut Client) {
    let partner = net.identity("partner");
    let large = format!("put a {}", "x".repeat(1 << 20));
    for _ in 0..8 {
        let proposal = net.proposal(partner, FUNCTION_BATCH, large.clone());
        let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
        client.submit(sign(partner, &prepared)).await.unwrap();
        net.core.cut_block().unwrap();
    }
}

#[tokio::test]
async fn a_request_is_answered_from_its_start_to_its_end() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    grow(&net, &mut client, 3).await;
    let all = [
        (oldest(), at(2), vec![0, 1, 2]),
        (at(1), at(1), vec![1]),
        (at(1), newest(), vec![1, 2, 3]),
        (oldest(), oldest(), vec![0]),
        (newest(), newest(), vec![3]),
    ];
    for (start, stop, blocks) in all {
        let got = asked(&net, &mut client, Ask::new(start, stop)).await;
        assert_eq!(got, (blocks, Status::Success));
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_ends_with_its_status() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    grow(&net, &mut client, 1).await;
    let now_ms = (system_clock())();
    let rows = [
        (Ask::new(None, at(1)), vec![], Status::BadRequest),
        (Ask::new(at(1), None), vec![], Status::BadRequest),
        (Ask::new(at(1), at(0)), vec![], Status::BadRequest),
        (Ask::new(at(3), at(9)), vec![], Status::NotFound),
        (
            Ask {
                behavior: FAIL,
                ..Ask::new(at(1), at(2))
            },
            vec![1],
            Status::NotFound,
        ),
        (
            Ask {
                channel: "other",
                ..Ask::new(at(0), at(0))
            },
            vec![],
            Status::NotFound,
        ),
        (
            Ask {
                time_ms: now_ms - 16 * 60_000,
                ..Ask::new(at(0), at(0))
            },
            vec![],
            Status::BadRequest,
        ),
        (
            Ask {
                time_ms: now_ms + 16 * 60_000,
                ..Ask::new(at(0), at(0))
            },
            vec![],
            Status::BadRequest,
        ),
    ];
    for (index, (ask, blocks, status)) in rows.into_iter().enumerate() {
        let got = asked(&net, &mut client, ask).await;
        assert_eq!(got, (blocks, status), "row {index}");
    }
}

#[tokio::test]
async fn requests_follow_one_another_on_a_stream() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    grow(&net, &mut client, 1).await;
    let user = net.identity("user");
    let mut stream = Stream::open(&mut client).await;
    stream.ask(Ask::new(at(0), at(1)).signed(user));
    stream.ask(Ask::new(at(1), at(1)).signed(user));
    let success = || Got::Status(Status::Success);
    assert_eq!(
        stream.take().await,
        [
            Got::Block(0),
            Got::Block(1),
            success(),
            Got::Block(1),
            success()
        ]
    );
}

#[tokio::test]
async fn blocks_that_do_not_exist_yet_are_waited_for() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let user = net.identity("user");
    let mut streams = Vec::new();
    for start in [at(0), at(1), next()] {
        let mut stream = Stream::open(&mut client).await;
        stream.ask(Ask::new(at(0), at(0)).signed(user));
        assert_eq!(stream.next().await, Got::Block(0));
        assert_eq!(stream.next().await, Got::Status(Status::Success));
        stream.ask(Ask::new(start, at(u64::MAX)).signed(user));
        streams.push(stream);
    }
    assert_eq!(streams[0].next().await, Got::Block(0));
    // A stream that asks for the next commit must have asked before it comes: an
    // answer on another stream of the same connection that was asked later says so.
    let mut last = Stream::open(&mut client).await;
    last.ask(Ask::new(at(0), at(0)).signed(user));
    assert_eq!(last.next().await, Got::Block(0));
    grow(&net, &mut client, 2).await;
    for stream in &mut streams[..2] {
        assert_eq!(stream.take().await, [Got::Block(1), Got::Block(2)]);
    }
    assert!(matches!(streams[2].next().await, Got::Block(1 | 2)));
}

#[tokio::test]
async fn a_request_with_one_bit_turned_is_answered_no_block() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let sound = Ask::new(at(0), at(0)).signed(net.identity("user"));
    for byte in (0..sound.payload.len()).step_by(5) {
        let request = Envelope {
            payload: turned(&sound.payload, byte * 8 + byte % 8),
            ..sound.clone()
        };
        let (blocks, status) = answered(&mut client, request).await;
        assert!(
            blocks.is_empty() && status != Status::Success,
            "byte {byte}"
        );
    }
    for byte in 0..sound.signature.len() {
        let request = Envelope {
            signature: turned(&sound.signature, byte * 8 + byte % 8),
            ..sound.clone()
        };
        assert_eq!(
            answered(&mut client, request).await,
            (vec![], Status::Forbidden)
        );
    }
    let request = Envelope {
        signature: high(&sound.signature),
        ..sound.clone()
    };
    assert_eq!(
        answered(&mut client, request).await,
        (vec![], Status::Forbidden)
    );
    assert_eq!(
        answered(&mut client, sound).await,
        (vec![0], Status::Success)
    );
}

#[tokio::test]
async fn a_reader_whose_certificate_expires_gets_no_further_block() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let user = net.identity("user");
    let mut stream = Stream::open(&mut client).await;
    stream.ask(Ask::new(at(0), at(u64::MAX)).signed(user));
    assert_eq!(stream.next().await, Got::Block(0));
    let partner = net.identity("partner");
    let proposal = net.proposal(partner, FUNCTION_BATCH, "put a 1");
    let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
    client.submit(sign(partner, &prepared)).await.unwrap();
    let year_ms = 366 * 24 * 60 * 60 * 1_000;
    net.ahead_ms.store(year_ms, Ordering::Relaxed);
    net.core.cut_block().unwrap();
    assert_eq!(net.flags(1), [0], "blocks are judged alike at any time");
    assert_eq!(
        stream.take().await,
        [Got::Status(Status::Forbidden), Got::End]
    );
    let ask = Ask {
        time_ms: (net.core.options().clock)(),
        ..Ask::new(at(0), at(0))
    };
    assert_eq!(
        asked(&net, &mut client, ask).await,
        (vec![], Status::Forbidden)
    );
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_up_nobody() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let user = net.identity("user");
    let mut slow = net.client().await;
    let lazy = Stream::open(&mut slow).await;
    lazy.ask(Ask::new(at(0), at(u64::MAX)).signed(user));
    grow_beyond_windows(&net, &mut client).await;
    let (blocks, status) = asked(&net, &mut client, Ask::new(at(0), newest())).await;
    assert_eq!((blocks.len(), status), (9, Status::Success));
    drop(lazy);
}

#[tokio::test]
async fn filtered_blocks_name_transactions_and_events_and_carry_nothing() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let partner = net.identity("partner");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let proposal = net.proposal(partner, FUNCTION_BATCH, "get a;put a 1");
        let prepared = client.endorse(proposal.signed(partner)).await.unwrap();
        client.submit(sign(partner, &prepared)).await.unwrap();
        ids.push(proposal.tx_id);
    }
    net.core.cut_block().unwrap();
    let request = Ask::new(at(0), at(1)).signed(net.identity("user"));
    let requests = futures::stream::iter([request]);
    let answers = client.deliver.deliver_filtered(requests).await.unwrap();
    let answers: Vec<_> = answers
        .into_inner()
        .map(|answer| answer.unwrap())
        .collect()
        .await;
    let [
        Some(Type::FilteredBlock(first)),
        Some(Type::FilteredBlock(block)),
        Some(Type::Status(200)),
    ] = &[0, 1, 2].map(|index| answers[index].r#type.clone())
    else {
        panic!("{answers:?}");
    };
    assert_eq!((first.number, first.channel_id.as_str()), (0, "gx"));
    assert_eq!(block.number, 1);
    let seen: Vec<_> = block
        .filtered_transactions
        .iter()
        .map(|found| (found.txid.clone(), found.tx_validation_code))
        .collect();
    assert_eq!(seen, [(ids[0].clone(), 0), (ids[1].clone(), 11)]);
    for found in &block.filtered_transactions {
        assert_eq!(found.r#type, HeaderType::EndorserTransaction as i32);
        let Some(Data::TransactionActions(actions)) = &found.data else {
            panic!("{found:?}");
        };
        let event = actions.chaincode_actions[0]
            .chaincode_event
            .as_ref()
            .unwrap();
        assert_eq!(
            (event.event_name.as_str(), &event.tx_id),
            ("gx.batch.v1", &found.txid)
        );
        assert!(event.payload.is_empty());
    }
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let mut stream = Stream::open(&mut client).await;
    stream.ask(Ask::new(at(0), at(u64::MAX)).signed(net.identity("user")));
    assert_eq!(stream.next().await, Got::Block(0));
    let (ended, stopped) = tokio::join!(stream.answers.next(), net.server.shutdown());
    assert_eq!(ended.unwrap().unwrap_err().code(), tonic::Code::Unavailable);
    stopped.unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_nobody_who_does_not_read() {
    let net = Net::start(Script).await;
    let mut client = net.client().await;
    let mut slow = net.client().await;
    let lazy = Stream::open(&mut slow).await;
    lazy.ask(Ask::new(at(0), at(u64::MAX)).signed(net.identity("user")));
    grow_beyond_windows(&net, &mut client).await;
    let stopped = timeout(PATIENCE, net.server.shutdown()).await;
    stopped.expect("an end").unwrap();
    drop(lazy);
}

#[tokio::test]
async fn who_asks_and_reads_no_more_gives_the_place_back() {
    let net = Net::with(Script, |_| {}, |serve| serve.deliver_streams_max = 1).await;
    let mut client = net.client().await;
    let user = net.identity("user");
    let mut stream = Stream::open(&mut client).await;
    stream.ask(Ask::new(at(0), at(u64::MAX)).signed(user));
    assert_eq!(stream.next().await, Got::Block(0));
    let second = client.deliver.deliver(futures::stream::pending()).await;
    assert_eq!(second.unwrap_err().code(), tonic::Code::Unknown);
    drop(stream);
    let given_back = async {
        while client
            .deliver
            .deliver(futures::stream::pending())
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, given_back).await.expect("a place");
}
