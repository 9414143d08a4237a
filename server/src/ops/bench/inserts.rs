//! What PostgreSQL alone can do, by its own tool: rows like those of the outbox, and all
//! rows of a transfer.

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
    /// Makes the tables to insert into, anew where a measurement that failed left some.
    pub(super) async fn prepare(config: &Config, store: &Store) -> anyhow::Result<Self> {
        let DatabaseUrl::Postgres(url) = config.database_url().map_err(anyhow::Error::msg)? else {
            anyhow::bail!("this figure compares with PostgreSQL, and database.url is another");
        };
        let inserts = Self {
            url: url.expose_secret().to_owned(),
            store: store.clone(),
        };
        inserts.drop_tables().await?;
        let tables = "CREATE TABLE gx_bench \
                      (id uuid PRIMARY KEY, lane text NOT NULL, body bytea NOT NULL); \
                      CREATE TABLE gx_bench_operations (LIKE operations INCLUDING ALL); \
                      CREATE TABLE gx_bench_outbox (LIKE outbox INCLUDING ALL); \
                      CREATE TABLE gx_bench_audit_log (LIKE audit_log INCLUDING ALL)";
        store.write().execute_unprepared(tables).await?;
        Ok(inserts)
    }

    /// Removes the tables.
    pub(super) async fn drop_tables(&self) -> anyhow::Result<()> {
        let drop = "DROP TABLE IF EXISTS \
                    gx_bench, gx_bench_operations, gx_bench_outbox, gx_bench_audit_log";
        self.store.write().execute_unprepared(drop).await?;
        Ok(())
    }

    /// Runs so many clients for a time. A transaction of theirs is what is to be written.
    pub(super) async fn run(
        &self,
        clients: usize,
        what: What,
        time: Duration,
    ) -> anyhow::Result<Side> {
        let mut pgbench = Command::new("pgbench");
        pgbench
            .args(["--no-vacuum", "--protocol=prepared", "--file=-"])
            .arg(format!("--client={clients}"))
            .arg(format!("--jobs={}", clients.min(2)))
            .arg(format!("--time={}", time.as_secs().max(1)))
            .arg(&self.url);
        let ran = tokio::task::spawn_blocking(move || output(pgbench, &what.script())).await?;
        let ran = ran.context("pgbench cannot be run; it comes with PostgreSQL")?;
        let told = String::from_utf8_lossy(&ran.stdout);
        let failed = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "pgbench: {failed}");
        read(&told, what.count()).with_context(|| format!("pgbench told something else: {told}"))
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

/// What a transaction writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// So many rows of a table with one index, each as large as a transfer in the outbox.
    Rows(u64),
    /// What so many transfers leave for good when they are taken, and nothing that is read,
    /// locked or held meanwhile: operations, the outbox, lines of the audit log.
    Transfers(u64),
}

impl What {
    fn count(self) -> u64 {
        match self {
            Self::Rows(count) | Self::Transfers(count) => count,
        }
    }

    fn script(self) -> String {
        let all = format!("FROM generate_series(1, {})", self.count());
        let body = "decode(repeat('00', 200), 'hex')";
        let digest = "decode(repeat('00', 32), 'hex')";
        match self {
            Self::Rows(_) => format!(
                "INSERT INTO gx_bench (id, lane, body) \
                 SELECT gen_random_uuid(), 'partner/0', {body} {all};\n"
            ),
            Self::Transfers(_) => format!(
                "BEGIN;\n\
                 INSERT INTO gx_bench_operations (id, owner, request_id, request_digest, kind, \
                 state, lane, created_ms) SELECT gen_random_uuid(), 'users/' || \
                 md5(mod(g, 16)::text), gen_random_uuid(), {digest}, 1, 1, 'partner/0', 0 {all} g;\n\
                 INSERT INTO gx_bench_outbox (id, lane, request_digest, body, held_account, \
                 held_qirat, created_ms) SELECT gen_random_uuid(), 'partner/' || mod(g, 16), \
                 {digest}, {body}, 'an account of twenty', 100, 0 {all} g;\n\
                 INSERT INTO gx_bench_audit_log (at_ms, actor, action, subject, outcome, \
                 request_id, client) SELECT 0, gen_random_uuid(), \
                 '/gx.wallet.v1.WalletService/Transfer', 'operations/' || md5(''), 'OK', \
                 gen_random_uuid()::text, '127.0.0.1' {all};\n\
                 COMMIT;\n"
            ),
        }
    }
}

/// Reads what pgbench tells.
fn read(told: &str, count: u64) -> Option<Side> {
    let number = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start().split(' ').next()?.parse::<f64>().ok()
    };
    let mean = Duration::from_secs_f64(number("latency average = ")? / 1_000.0);
    let rate = number("tps = ")? * count as f64;
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
