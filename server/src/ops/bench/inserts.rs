//! What PostgreSQL alone can do, by its own tool: rows like those of the outbox, each
//! statement a transaction.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;

use super::measured::Side;
use crate::{
    config::Config,
    store::{DatabaseUrl, Store},
};

/// Inserts rows with pgbench.
#[derive(Debug)]
pub(super) struct Inserts {
    url: String,
    store: Store,
}

impl Inserts {
    /// Makes the table to insert into, anew where a measurement that failed left one.
    pub(super) async fn prepare(config: &Config, store: &Store) -> anyhow::Result<Self> {
        let DatabaseUrl::Postgres(url) = config.database_url().map_err(anyhow::Error::msg)? else {
            anyhow::bail!("this figure compares with PostgreSQL, and database.url is another");
        };
        let inserts = Self {
            url: url.expose_secret().to_owned(),
            store: store.clone(),
        };
        inserts.drop_table().await?;
        let table = "CREATE TABLE gx_bench \
                     (id uuid PRIMARY KEY, lane text NOT NULL, body bytea NOT NULL)";
        store.write().execute_unprepared(table).await?;
        Ok(inserts)
    }

    /// Removes the table.
    pub(super) async fn drop_table(&self) -> anyhow::Result<()> {
        let drop = "DROP TABLE IF EXISTS gx_bench";
        self.store.write().execute_unprepared(drop).await?;
        Ok(())
    }

    /// Runs so many clients for a time, so many rows a statement.
    pub(super) async fn run(
        &self,
        clients: usize,
        rows: u64,
        time: Duration,
    ) -> anyhow::Result<Side> {
        let mut pgbench = Command::new("pgbench");
        pgbench
            .args(["--no-vacuum", "--protocol=prepared", "--file=-"])
            .arg(format!("--client={clients}"))
            .arg(format!("--jobs={}", clients.min(2)))
            .arg(format!("--time={}", time.as_secs().max(1)))
            .arg(&self.url);
        let ran = tokio::task::spawn_blocking(move || output(pgbench, &statement(rows))).await?;
        let ran = ran.context("pgbench cannot be run; it comes with PostgreSQL")?;
        let told = String::from_utf8_lossy(&ran.stdout);
        let failed = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "pgbench: {failed}");
        read(&told, rows).with_context(|| format!("pgbench told something else: {told}"))
    }
}

/// What a program writes that is given an input.
fn output(mut program: Command, input: &str) -> std::io::Result<Output> {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    running.wait_with_output()
}

/// A row is as large as a transfer in the outbox.
fn statement(rows: u64) -> String {
    format!(
        "INSERT INTO gx_bench (id, lane, body) SELECT gen_random_uuid(), 'partner/0', \
         decode(repeat('00', 200), 'hex') FROM generate_series(1, {rows});\n"
    )
}

/// Reads what pgbench tells.
fn read(told: &str, rows: u64) -> Option<Side> {
    let number = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start().split(' ').next()?.parse::<f64>().ok()
    };
    let mean = Duration::from_secs_f64(number("latency average = ")? / 1_000.0);
    let rate = number("tps = ")? * rows as f64;
    Some(Side::new(rate, mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_mean_time_are_read() {
        let told = "transaction type: 1.sql\nnumber of failed transactions: 0 (0.000%)\n\
                    latency average = 1.250 ms\ninitial connection time = 3.1 ms\n\
                    tps = 800.5 (without initial connection time)\n";
        let side = read(told, 100).unwrap();
        assert_eq!(side.rate, 80_050.0);
        assert_eq!(side.mean, Duration::from_micros(1_250));
        assert!(read("latency average = 1 ms", 1).is_none());
    }
}
