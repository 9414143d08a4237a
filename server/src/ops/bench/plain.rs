//! The rows of blocks once more, by nothing but SQL: what a projector writes, read from
//! tables that have it ready and written to tables like the live ones, as many blocks a
//! transaction as a projector takes.

use std::time::{Duration, Instant};

use anyhow::ensure;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::{bencher::Blocks, machine::Moment, measured::Side};
use crate::store::Store;

/// Where the tables are.
const SCHEMA: &str = "gx_bench";

/// The blocks, ready to be written.
#[derive(Debug)]
pub(super) struct Plain {
    blocks: Blocks,
    group: i64,
    commands: f64,
}

impl Plain {
    /// Makes the tables, as they were before the blocks.
    ///
    /// # Errors
    /// If the database fails, or the blocks have no commands.
    pub(super) async fn prepare(
        store: &Store,
        blocks: Blocks,
        group: usize,
    ) -> anyhow::Result<Self> {
        for statement in tables(blocks) {
            store.write().execute_unprepared(&statement).await?;
        }
        let commands = blocks.commands(store).await?;
        ensure!(commands > 0.0, "no block has a command");
        Ok(Self {
            blocks,
            group: i64::try_from(group)?,
            commands,
        })
    }

    /// Writes the rows, and drops the tables.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<Side> {
        let before = Moment::now(store).await?.resumed()?;
        let begun = Instant::now();
        let mut first = self.blocks.first;
        while first <= self.blocks.last {
            let last = (first + self.group - 1).min(self.blocks.last);
            let tx = store.write().begin().await?;
            tx.execute_unprepared(&write(Blocks { first, last }))
                .await?;
            tx.commit().await?;
            first = last + 1;
        }
        let elapsed: Duration = begun.elapsed();
        let count = self.commands;
        let mut side = Side::new(count / elapsed.as_secs_f64(), elapsed);
        side.spent = before.until(Moment::now(store).await?, count);
        let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
        store.write().execute_unprepared(&drop).await?;
        Ok(side)
    }
}

/// Tables like those that a projector writes, filled as they were before the blocks, and
/// tables with what it wrote.
fn tables(Blocks { first, last }: Blocks) -> Vec<String> {
    let mut statements = vec![
        format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"),
        format!("CREATE SCHEMA {SCHEMA}"),
    ];
    for table in [
        "operations",
        "outbox",
        "entries",
        "wallets",
        "blocks",
        "transactions",
    ] {
        statements.push(format!(
            "CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)"
        ));
    }
    for (ready, table, column) in [
        ("done", "operations", "block"),
        ("posted", "entries", "block"),
        ("shown", "blocks", "number"),
        ("carried", "transactions", "block"),
    ] {
        statements.push(format!(
            "CREATE UNLOGGED TABLE {SCHEMA}.{ready} AS SELECT * FROM public.{table} \
             WHERE {column} BETWEEN {first} AND {last}"
        ));
        statements.push(format!("CREATE INDEX ON {SCHEMA}.{ready} ({column})"));
    }
    statements.extend([
        format!(
            "INSERT INTO {SCHEMA}.operations (id, owner, request_id, request_digest, kind, state, \
             memo, lane, created_ms) SELECT id, owner, request_id, request_digest, kind, 1, memo, \
             lane, created_ms FROM {SCHEMA}.done"
        ),
        format!(
            "INSERT INTO {SCHEMA}.outbox (position, id, lane, number, request_digest, body, \
             created_ms) SELECT row_number() OVER (), id, lane, number, request_digest, \
             decode(repeat('00', 200), 'hex'), created_ms FROM {SCHEMA}.done"
        ),
        format!("INSERT INTO {SCHEMA}.wallets SELECT * FROM public.wallets"),
        "ANALYZE".to_owned(),
    ]);
    statements
}

/// What some blocks change.
fn write(Blocks { first, last }: Blocks) -> String {
    let of = |column: &str| format!("{column} BETWEEN {first} AND {last}");
    let (block, number) = (of("block"), of("number"));
    format!(
        "SET LOCAL search_path = {SCHEMA};
         UPDATE operations SET state = done.state, result = done.result, number = done.number, \
             fabric_tx_id = done.fabric_tx_id, block = done.block, settled_ms = done.settled_ms \
             FROM done WHERE done.{block} AND operations.id = done.id;
         DELETE FROM outbox USING done WHERE done.{block} AND outbox.id = done.id;
         UPDATE wallets SET balance_qirat = balance_qirat + changed.qirat \
             FROM (SELECT account, sum(delta_qirat)::bigint AS qirat FROM posted WHERE {block} \
                 GROUP BY account) AS changed WHERE wallets.account = changed.account;
         INSERT INTO entries SELECT * FROM posted WHERE {block};
         INSERT INTO blocks SELECT * FROM shown WHERE {number};
         INSERT INTO transactions SELECT * FROM carried WHERE {block};"
    )
}
