//! The projector, stepped by hand under a server that answers: a partition that
//! sleeps holds nobody else up and loses nothing, and an event that cannot be read
//! stops its partition until it can.

mod build;
mod ledger;
mod reads;
mod world;

use std::time::Duration;

use gx_proto::gx::{
    ledger::v1::GetLedgerResponse, operation::v1::OperationState, wallet::v1::GetWalletRequest,
};
use gx_server::projector::Applied;
use tonic::Code;

use crate::harness::{Database, GX, Refusal};
use world::{GRANT, World};

/// Checkpoint, lag and why it stopped, by partition.
fn places(ledger: &GetLedgerResponse) -> Vec<(u64, u64, bool)> {
    let partitions = ledger.partitions.iter();
    let place = partitions.map(|one| (one.checkpoint, one.lag_blocks, !one.stopped.is_empty()));
    place.collect()
}

/// Each answer says how old it is, while Bee's partition sleeps.
async fn sees_how_old_it_is(world: &World, [awake, asleep]: [u64; 2]) {
    let [ann, bee] = &world.accounts;
    let (seen, as_of) = world.wallet(ann).await;
    assert_eq!(as_of, awake);
    // 5 GX pay five basis points; what Bee sent has arrived already.
    assert_eq!(seen.balance_qirat, GRANT - GX - 5 * GX - 2_500 + 2 * GX);
    let (seen, as_of) = world.wallet(bee).await;
    assert_eq!((seen.balance_qirat, as_of), (GRANT, asleep));
    assert_eq!(seen.reserved_qirat, 2 * GX, "what Bee sent is held still");
    let supply = world.supply().await;
    assert_eq!(
        supply.as_of_block, asleep,
        "all partitions are at this block"
    );
    assert_eq!(supply.circulating_qirat, 2 * GRANT);
    let ledger = world.ledger_state().await;
    assert_eq!(ledger.as_of_block, asleep);
    assert_eq!(
        places(&ledger),
        [(awake, 0, false), (asleep, awake - asleep, false)]
    );
}

async fn sleeping_partition_holds_nobody_up_and_loses_nothing(database: Database) {
    let mut world = World::new(database).await;
    let [ann, bee] = world.accounts.clone();
    let [_, asleep] = world.checkpoints().await;

    // Partition 1, which is Bee's, sleeps from here on.
    let first = world.pay(&ann, &bee, GX).await;
    let second = world.pay(&bee, &ann, 2 * GX).await;
    world.settle(&[0]).await;
    let third = world.pay(&ann, &bee, 5 * GX).await;
    world.settle(&[0]).await;

    let told = world.operation(&first).await;
    assert_eq!(
        told.state(),
        OperationState::Succeeded,
        "the others advance"
    );
    assert_eq!(
        world.operation(&third).await.state(),
        OperationState::Succeeded
    );
    assert_ne!(
        world.operation(&second).await.state(),
        OperationState::Succeeded
    );
    let [awake, still] = world.checkpoints().await;
    assert_eq!(still, asleep);
    assert!(awake > asleep + 1, "{awake} {asleep}");

    sees_how_old_it_is(&world, [awake, asleep]).await;

    // Whoever wants it newer waits until the partition has woken.
    let mut client = world.client.wallet();
    let request = GetWalletRequest {
        account: bee.clone(),
        min_block: awake,
    };
    let (newer, ()) = tokio::join!(client.get_wallet(request), world.settle(&[0, 1]));
    let newer = newer.unwrap().into_inner();
    assert!(newer.as_of_block >= awake);
    let balance = newer.wallet.unwrap().balance_qirat;
    assert_eq!(balance, GRANT + GX + 5 * GX - 2 * GX, "nothing is lost");

    assert_eq!(
        world.operation(&second).await.state(),
        OperationState::Succeeded
    );
    assert_eq!(world.wallet(&bee).await.0.reserved_qirat, 0);
    let supply = world.supply().await;
    assert_eq!(supply.circulating_qirat, 2 * GRANT - 2_500);
    let parts = supply.pools_qirat + supply.treasuries_qirat + supply.circulating_qirat;
    assert_eq!(parts, supply.maximum_qirat);
    let ledger = world.ledger_state().await;
    assert!(
        places(&ledger).iter().all(|(_, lag, _)| *lag == 0),
        "{ledger:?}"
    );
}

#[tokio::test]
async fn sleeping_partition_holds_nobody_up_and_loses_nothing_on_sqlite() {
    sleeping_partition_holds_nobody_up_and_loses_nothing(Database::Sqlite).await;
}

#[tokio::test]
async fn sleeping_partition_holds_nobody_up_and_loses_nothing_on_postgres() {
    sleeping_partition_holds_nobody_up_and_loses_nothing(Database::Postgres).await;
}

#[tokio::test]
async fn read_that_is_too_new_for_a_sleeping_partition_is_told() {
    let mut world = World::new(Database::Sqlite).await;
    let [ann, bee] = world.accounts.clone();
    let [_, asleep] = world.checkpoints().await;
    let paid = world.pay(&ann, &bee, GX).await;
    world.settle(&[0]).await;
    let block = world.operation(&paid).await.metadata.unwrap().block;
    let request = GetWalletRequest {
        account: bee,
        min_block: block,
    };
    let refused = world.client.wallet().get_wallet(request).await.unwrap_err();
    let refused = Refusal::of(&refused);
    assert_eq!(refused.told(), (Code::FailedPrecondition, "STALE_READ"));
    assert_eq!(refused.metadata["as_of_block"], asleep.to_string());
    assert_eq!(refused.metadata["min_block"], block.to_string());
}

#[tokio::test]
async fn event_that_cannot_be_read_stops_its_partition_until_it_can() {
    let mut world = World::new(Database::Sqlite).await;
    let [ann, bee] = world.accounts.clone();
    let before = world.checkpoints().await;
    let paid = world.pay(&ann, &bee, GX).await;
    world.submit_and_cut().await;

    // Partition 0 reads garbage where the other reads the event.
    world.ledger.garble(true);
    for _ in 0..3 {
        let stopped = world.project(0).await;
        assert!(matches!(&stopped, Some(Applied::Stopped(_))), "{stopped:?}");
    }
    world.ledger.garble(false);
    assert_eq!(world.project(1).await, Some(Applied::Yes));

    let after = world.checkpoints().await;
    assert_eq!(after, [before[0], before[1] + 1], "it keeps its checkpoint");
    let ledger = world.ledger_state().await;
    assert_eq!(places(&ledger), [(after[0], 1, true), (after[1], 0, false)]);
    let reason = &ledger.partitions[0].stopped;
    assert!(reason.contains("event"), "{reason}");
    assert_ne!(
        world.operation(&paid).await.state(),
        OperationState::Succeeded
    );
    assert_eq!(
        world.wallet(&ann).await.0.balance_qirat,
        GRANT,
        "nothing of the block"
    );
    assert_eq!(world.wallet(&bee).await.0.balance_qirat, GRANT + GX);

    // Whoever can read it goes on from there, and nothing was skipped.
    world.settle(&[0, 1]).await;
    assert_eq!(
        world.operation(&paid).await.state(),
        OperationState::Succeeded
    );
    let (wallet, _) = world.wallet(&ann).await;
    assert_eq!(
        (wallet.balance_qirat, wallet.reserved_qirat),
        (GRANT - GX, 0)
    );
    let ledger = world.ledger_state().await;
    assert_eq!(places(&ledger)[0], (after[1], 0, false));
}

#[tokio::test]
async fn stopped_partition_shows_in_readiness_and_goes_on_by_itself() {
    let mut world = World::new(Database::Sqlite).await;
    let [ann, bee] = world.accounts.clone();
    let paid = world.pay(&ann, &bee, GX).await;
    world.submit_and_cut().await;
    world.ledger.garble(true);
    let running = world.run_projector();
    world.readiness(|parts| parts.contains("degraded")).await;
    let report = world.app.readiness.report();
    assert!(report.ready, "reads do not depend on it: {report:?}");
    assert_ne!(
        world.operation(&paid).await.state(),
        OperationState::Succeeded
    );

    world.ledger.garble(false);
    world.readiness(|parts| !parts.contains("degraded")).await;
    let settled = world.client.settled(&paid).await;
    assert_eq!(settled.state(), OperationState::Succeeded);
    running.stop().await;
}

/// An envelope is sent again where its fate cannot be told, but not as fast as that fails.
#[tokio::test]
async fn what_nobody_tells_of_is_sent_again_ever_more_seldom() {
    let mut world = World::new(Database::Sqlite).await;
    let [ann, bee] = world.accounts.clone();
    world.ledger.mute(true);
    let paid = world.pay(&ann, &bee, GX).await;
    let waits = world.waits(10).await;
    assert!(waits[9] >= Duration::from_secs(10), "{waits:?}");

    world.ledger.mute(false);
    world.settle(&[0, 1]).await;
    let told = world.operation(&paid).await;
    assert_eq!(told.state(), OperationState::Succeeded);
    assert_eq!(world.wallet(&bee).await.0.balance_qirat, GRANT + GX);
}
