//! Streams of blocks.

use futures::StreamExt;
use gx_proto::gx::{
    identity::v1::Role,
    ledger::v1::{StreamBlocksRequest, StreamBlocksResponse},
};
use sea_orm::ActiveValue::Set;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::*;
use crate::{
    auth::{Context, session},
    explorer::{Api, stream_blocks::StreamBlocks},
    watch::Sent,
};

type Stream = Sent<StreamBlocksResponse>;

fn context() -> Context {
    fixture::context("/gx.ledger.v1.LedgerService/StreamBlocks")
}

async fn stream_of(api: &Api, caller: &Caller, request: StreamBlocksRequest) -> Stream {
    let stream = StreamBlocks::try_from(request).unwrap();
    let stream = stream.handle(api, caller, &context()).await;
    stream.unwrap_or_else(|error| panic!("{error}"))
}

fn from(from_block: u64) -> StreamBlocksRequest {
    StreamBlocksRequest {
        from_block,
        ..StreamBlocksRequest::default()
    }
}

async fn next(stream: &mut Stream) -> StreamBlocksResponse {
    stream.next().await.unwrap().unwrap()
}

/// The numbers of the next blocks.
async fn numbers(stream: &mut Stream, count: usize) -> Vec<u64> {
    let blocks = stream.take(count).map(|sent| sent.unwrap());
    let blocks: Vec<_> = blocks.collect().await;
    blocks
        .iter()
        .map(|sent| sent.block.as_ref().unwrap().number)
        .collect()
}

/// Blocks up to a number, applied.
async fn grow(app: &App, numbers: std::ops::Range<i64>) {
    for number in numbers.clone() {
        write(app, number, None).await;
    }
    fixture::apply_all(app, numbers.end - 1).await;
}

fn reason(end: Option<Result<StreamBlocksResponse, Status>>) -> (Code, String) {
    let status = end.expect("an end with a status").expect_err("an end");
    let info = status.get_error_details().error_info().cloned();
    (status.code(), info.unwrap().reason)
}

#[tokio::test]
async fn stream_goes_on_where_it_ended_and_misses_and_repeats_nothing() {
    let app = fixture::app().await;
    let api = Api::new(app.clone());
    let caller = fixture::signed_in(&app, 1, &[Role::User]).await;
    grow(&app, 0..7).await;
    let (mut seen, mut at) = (Vec::new(), 0);
    for step in 1..=10_i64 {
        let mut stream = stream_of(&api, &caller, from(at)).await;
        for _ in 0..step {
            // Some are there already, some come while the stream waits.
            let end = i64::try_from(at).unwrap() + 1;
            let height = crate::checkpoint::applied(app.store.read()).await.unwrap();
            let height = i64::try_from(height).unwrap();
            let (sent, ()) = tokio::join!(next(&mut stream), async {
                if height < end {
                    grow(&app, height..end + 1).await;
                }
            });
            at = sent.next_block;
            seen.push(sent.block.unwrap().number);
        }
    }
    assert!(seen.iter().copied().eq(0..55), "{seen:?}");
}

#[tokio::test]
async fn number_to_come_is_waited_for_and_blocks_are_read_once_for_all() {
    let app = fixture::app().await;
    let api = Api::new(app.clone());
    let caller = fixture::signed_in(&app, 1, &[Role::User]).await;
    grow(&app, 0..2).await;
    let mut ahead = stream_of(&api, &caller, from(3)).await;
    let mut behind = stream_of(&api, &caller, from(0)).await;
    assert_eq!(numbers(&mut behind, 2).await, [0, 1]);
    assert!(futures::poll!(ahead.next()).is_pending());
    grow(&app, 2..5).await;
    let (ahead, behind) = tokio::join!(numbers(&mut ahead, 2), numbers(&mut behind, 3));
    assert_eq!((ahead, behind), (vec![3, 4], vec![2, 3, 4]));
}

#[tokio::test]
async fn filter_passes_over_blocks_and_tells_how_far_it_is() {
    let app = fixture::app().await;
    let api = Api::new(app.clone());
    let caller = fixture::signed_in(&app, 1, &[Role::User]).await;
    let (ann, bee) = (
        fixture::person(&app, 1, "DE").await,
        fixture::person(&app, 2, "DE").await,
    );
    let others = fixture::account(3);
    for number in 0..1_100 {
        let pair = match number {
            30 => (ann.as_str(), bee.as_str()),
            _ => (bee.as_str(), others.as_str()),
        };
        let batch = (number % 10 == 0).then(|| transfers(number, &[pair]));
        write(&app, number, batch).await;
    }
    fixture::apply_all(&app, 1_099).await;
    // Bee's other commands are not Ann's to see, whatever she asks for.
    let request = StreamBlocksRequest {
        account: bee.to_string(),
        ..from(0)
    };
    let mut stream = stream_of(&api, &caller, request).await;
    let first = next(&mut stream).await;
    assert_eq!(
        (shown(&first.block.unwrap()), first.next_block),
        (vec![30], 31)
    );
    let progress = next(&mut stream).await;
    assert_eq!(progress.block, None);
    assert!((900..=1_100).contains(&progress.next_block), "{progress:?}");
}

#[tokio::test]
async fn stream_ends_with_its_session_and_with_its_connection() {
    let app = fixture::app().await;
    let api = Api::new(app.clone());
    let caller = fixture::signed_in(&app, 1, &[Role::User]).await;
    let mut stream = stream_of(&api, &caller, from(0)).await;
    assert!(futures::poll!(stream.next()).is_pending());
    fixture::change::<session::Entity>(&app, caller.session, |row| {
        row.revoked_ms = Set(Some(fixture::NOW_MS));
    })
    .await;
    app.wake.moved();
    let end = reason(stream.next().await);
    assert_eq!(end, (Code::Unauthenticated, "SESSION_REVOKED".to_owned()));
    assert!(stream.next().await.is_none());

    let caller = fixture::signed_in(&app, 2, &[Role::User]).await;
    let leaving = CancellationToken::new();
    let context = Context {
        leaving: leaving.clone(),
        ..context()
    };
    let stream = StreamBlocks::try_from(from(0)).unwrap();
    let mut stream = stream
        .handle(&api, &caller, &context)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(futures::poll!(stream.next()).is_pending());
    leaving.cancel();
    let end = reason(stream.next().await);
    assert_eq!(end, (Code::Unavailable, "UNAVAILABLE".to_owned()));
}

#[tokio::test]
async fn gap_in_the_read_model_ends_the_stream_and_is_not_passed_over() {
    let app = fixture::app().await;
    let api = Api::new(app.clone());
    let caller = fixture::signed_in(&app, 1, &[Role::User]).await;
    grow(&app, 0..2).await;
    write(&app, 3, None).await;
    fixture::apply_all(&app, 3).await;
    for number in [0, 2] {
        let mut stream = stream_of(&api, &caller, from(number)).await;
        let end = reason(stream.next().await);
        assert_eq!(end, (Code::Internal, "INTERNAL".to_owned()));
    }
}

#[test]
fn all_violations_are_told_at_once() {
    let request = StreamBlocksRequest {
        from_block: u64::MAX,
        account: "nobody".to_owned(),
        types: vec![99],
    };
    let error = StreamBlocks::try_from(request).unwrap_err();
    assert_eq!(fixture::violated(error), ["from_block", "account", "types"]);
}
