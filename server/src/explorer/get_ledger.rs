//! `GetLedger`: the ledger's height, and how far the read model has followed.

use gx_proto::gx::ledger::v1::{GetLedgerResponse, Partition};

use crate::{
    app::App, auth::Caller, checkpoint, clock::timestamp, error::Result, outbox::catching_up,
};

pub(super) async fn handle(app: &App, caller: &Caller) -> Result<GetLedgerResponse> {
    let catching_up = catching_up::standing(&app.store).await?.is_some();
    let rows = checkpoint::all(app.store.read()).await?;
    // The height is looked up now and then; a block that was applied is known at once.
    let known = rows.iter().map(|row| row.height.max(row.block + 1));
    let height = known.max().unwrap_or(0);
    let last = rows.iter().min_by_key(|row| row.block);
    let last = last.filter(|row| row.block >= 0);
    Ok(GetLedgerResponse {
        height: unsigned(height),
        last_block_time: last.map(|row| timestamp(row.block_time_ms)),
        last_block_hash: last.map(|row| hex::encode(&row.hash)).unwrap_or_default(),
        as_of_block: last.map_or(0, |row| unsigned(row.block)),
        partitions: rows
            .iter()
            .map(|row| partition(row, height, caller))
            .collect(),
        catching_up,
    })
}

/// Before its first block a partition stands at -1, which shows as 0; the lag
/// tells the two apart. Why it stopped may name anybody's account, or the database.
fn partition(row: &checkpoint::Model, height: i64, caller: &Caller) -> Partition {
    let stopped = row.stopped.as_deref().map(|reason| {
        let is_shown = caller.reads_everything();
        if is_shown {
            reason
        } else {
            "a block cannot be applied"
        }
    });
    Partition {
        partition: u32::try_from(row.partition).unwrap_or(0),
        checkpoint: unsigned(row.block),
        lag_blocks: unsigned(height - row.block - 1),
        stopped: stopped.unwrap_or_default().to_owned(),
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use sea_orm::ActiveValue::Set;

    use super::*;
    use crate::fixture;

    #[tokio::test]
    async fn block_is_what_every_partition_has_applied() {
        let app = fixture::app().await;
        fixture::apply(&app, 0, 8).await;
        fixture::apply(&app, 1, 5).await;
        let ledger = handle(&app, &fixture::user(1)).await.unwrap();
        assert_eq!((ledger.height, ledger.as_of_block), (9, 5));
        let lags: Vec<_> = ledger
            .partitions
            .iter()
            .map(|row| (row.checkpoint, row.lag_blocks))
            .collect();
        assert_eq!(lags, [(8, 0), (5, 3)]);
        assert_eq!(ledger.last_block_hash.len(), 64);
    }

    #[tokio::test]
    async fn height_is_never_below_a_block_that_was_applied() {
        let app = fixture::app().await;
        fixture::apply(&app, 0, 8).await;
        fixture::change::<checkpoint::Entity>(&app, 0, |row| row.height = Set(2)).await;
        let ledger = handle(&app, &fixture::user(1)).await.unwrap();
        assert_eq!(ledger.height, 9);
        assert_eq!(ledger.partitions[1].lag_blocks, 9);
    }

    #[tokio::test]
    async fn the_reason_of_a_stop_is_for_those_who_read_everything() {
        let app = fixture::app().await;
        fixture::apply(&app, 0, 8).await;
        let reason = "block 9: gx1stranger has no wallet: database error";
        let stop = |row: &mut checkpoint::ActiveModel| row.stopped = Set(Some(reason.to_owned()));
        fixture::change::<checkpoint::Entity>(&app, 0, stop).await;
        let user = fixture::user(1);
        for (caller, told) in [
            (fixture::auditor(), reason),
            (user, "a block cannot be applied"),
        ] {
            let ledger = handle(&app, &caller).await.unwrap();
            let stopped: Vec<_> = ledger.partitions.iter().map(|row| &*row.stopped).collect();
            assert_eq!(stopped, [told, ""]);
        }
    }

    #[tokio::test]
    async fn a_database_that_went_back_says_so() {
        let app = fixture::app().await;
        assert!(!handle(&app, &fixture::user(1)).await.unwrap().catching_up);
        catching_up::mark(&app.store).await.unwrap();
        assert!(handle(&app, &fixture::user(1)).await.unwrap().catching_up);
    }

    #[tokio::test]
    async fn before_the_first_block_there_is_none() {
        let app = fixture::app().await;
        let ledger = handle(&app, &fixture::user(1)).await.unwrap();
        assert_eq!((ledger.height, ledger.as_of_block), (0, 0));
        assert_eq!(
            (ledger.last_block_time, ledger.last_block_hash.as_str()),
            (None, "")
        );
        assert!(ledger.partitions.iter().all(|row| row.lag_blocks == 0));
    }
}
