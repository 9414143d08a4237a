//! Exchanges what the chain determines of the live read model for what was made of it
//! beside, in one transaction: rows that differ, and no others, so that readers see the
//! one or the other, no table is ever empty, and it is short where little differs.

mod rows;

use anyhow::bail;
use sea_orm::{DatabaseTransaction, QueryOrder, entity::prelude::*};
use serde::Serialize;

use self::rows::{CHAIN_COLUMNS, GROWING, WHOLE};
use super::rebuild::Rebuild;
use crate::{
    audit, checkpoint,
    error::{Error, Result},
    fault::kill_point,
    outbox::entity::{control, lane},
    store::{Beside, Lock, Store, lock_out_sharers_in},
};

/// What stands in the audit log as the action.
const ACTION: &str = "projector rebuild";

/// What one table had that the chain does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// The table.
    pub table: &'static str,
    /// Rows that were removed, changed or inserted; a row that differs in a table whose
    /// rows never change counts twice.
    pub rows: u64,
}

/// What was exchanged.
#[derive(Debug, Serialize)]
pub struct Exchanged {
    /// The lowest checkpoint at which it was done.
    pub block: i64,
    /// Tables that differed.
    pub mended: Vec<Mended>,
}

/// The block up to which the tables that grow were compared: up to there the exchange
/// looks at the blocks that were noted alone.
#[derive(Debug, Clone, Copy)]
pub struct Compared(i64);

/// Notes, beside everybody, at which blocks up to one that both have applied the tables
/// differ whose rows never change: so much need not be found out while others wait.
///
/// # Errors
/// If the database fails.
pub async fn compare(live: &Store, beside: &Beside, block: i64) -> Result<Compared> {
    let tx = beside.begin_look(live).await?;
    tx.execute_unprepared(&rows::notes()).await?;
    for table in &GROWING {
        table.note_in(&tx, block).await?;
    }
    tx.commit().await?;
    Ok(Compared(block))
}

/// Exchanges rows once the made model is where the live one stands; `None`, and nothing
/// is changed, if blocks up to there have not been read.
///
/// It locks as everybody does: the control row, so that nobody takes or settles commands
/// meanwhile, the checkpoints, the lanes, and the wallets that differ.
///
/// # Errors
/// If the partitions were dealt anew, or the live model went back or parted from the
/// chain, or the database fails. Nothing is changed then.
pub async fn exchange(
    live: &Store,
    beside: &Beside,
    made: &mut Rebuild,
    compared: Compared,
    now_ms: i64,
) -> anyhow::Result<Option<Exchanged>> {
    let tx = beside.begin_exchange(live).await?;
    lock_out_sharers_in(&tx, control::Entity).await?;
    control::Entity::find_by_id(1).for_update().one(&tx).await?;
    let rows = checkpoint::Entity::find().order_by_asc(checkpoint::Column::Partition);
    let rows = rows.for_update().all(&tx).await?;
    if rows.len() != made.progress().len() {
        bail!(
            "the partitions were dealt anew meanwhile: there are {} now; run it again",
            rows.len()
        );
    }
    let targets: Vec<_> = rows.iter().map(|row| row.block).collect();
    if !made.reach_read(&targets).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    same_place_in(&tx, &rows, beside.store()).await?;
    let mended = mend_in(&tx, compared.0).await?;
    let block = targets.into_iter().min().unwrap_or(-1);
    let entry = audit::Entry::of_system(ACTION, format!("blocks/{block}"));
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    kill_point("exchange");
    tx.commit().await?;
    Ok(Some(Exchanged { block, mended }))
}

/// Both models are of the same blocks, and have settled the same commands.
async fn same_place_in(
    tx: &DatabaseTransaction,
    live: &[checkpoint::Model],
    made: &Store,
) -> anyhow::Result<()> {
    let made_rows = checkpoint::all(made.read()).await?;
    for (live, made) in live.iter().zip(made_rows) {
        if (live.partition, live.block, &live.hash) != (made.partition, made.block, &made.hash) {
            bail!(
                "partition {} is at block {} with another hash than the chain's, or another \
                 process made rows meanwhile",
                live.partition,
                live.block
            );
        }
    }
    let lanes = || lane::Entity::find().order_by_asc(lane::Column::Name);
    let (live, made) = (
        lanes().for_update().all(tx).await?,
        lanes().all(made.read()).await?,
    );
    let settled = |row: &lane::Model| (row.settled_number, row.settled_digest.clone());
    for (live, made) in live.iter().zip(made) {
        if settled(live) != settled(&made) {
            bail!(
                "lane {} is settled up to {}, on the chain up to {}: gx restored and a backup \
                 mend that, not a rebuild",
                live.name,
                live.settled_number,
                made.settled_number
            );
        }
    }
    Ok(())
}

async fn mend_in(tx: &DatabaseTransaction, compared: i64) -> Result<Vec<Mended>, Error> {
    let mut mended = Vec::new();
    let mut tell = |table, rows| {
        if rows > 0 {
            mended.push(Mended { table, rows });
        }
    };
    for table in WHOLE.iter().chain(&GROWING) {
        tell(table.name, table.exchange_in(tx, compared).await?);
    }
    for (table, statements) in CHAIN_COLUMNS {
        let mut rows = 0;
        for statement in statements {
            rows += tx.execute_unprepared(&statement()).await?.rows_affected();
        }
        tell(table, rows);
    }
    Ok(mended)
}
