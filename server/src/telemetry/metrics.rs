//! Every metric of the server by name, with its kind, labels and meaning. Alerts
//! and dashboards may name these and no others.
//!
//! Labels are of bounded size: methods come from the policy, reasons, codes and
//! kinds from enums, lanes are fixed by the first start, partitions by operators.

use anyhow::Context as _;
use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// A metric's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution in fixed buckets.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts or measures.
    pub meaning: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: &str = $name;)*
        /// Every metric of the server.
        pub const ALL: &[Metric] = &[$(Metric {
            name: $name, kind: Kind::$kind, labels: &[$($label),*], meaning: $meaning,
        }),*];
    };
}

metrics! {
    HTTP_REQUESTS = Counter "http_requests_total" ["service", "method", "code"]
        "gRPC calls answered, by canonical code.";
    HTTP_REQUEST_DURATION = Histogram "http_request_duration_seconds" ["service", "method"]
        "Time from a call's arrival to the end of its answer; a stream's whole life.";
    OUTBOX_QUEUE_DEPTH = Gauge "outbox_command_queue_depth" []
        "Accepted commands that are not settled; of those without a number at most 100000 \
         are counted.";
    PROJECTOR_LAG_MS = Gauge "projector_lag_milliseconds" ["partition"]
        "Greatest age that the oldest block not applied can have; 0 where all are.";
    PROJECTOR_LAG_BLOCKS = Gauge "projector_lag_blocks" ["partition"]
        "Blocks of the ledger that the partition has not applied.";
    PROJECTOR_STOPPED = Gauge "gx_projector_stopped" ["partition"]
        "1 while the partition stands still because it could not apply a block.";
    PROJECTOR_BLOCKS = Counter "gx_projector_blocks_total" []
        "Blocks applied, counted for each partition.";
    SETTLED_TWICE = Counter "gx_settled_twice_total" []
        "Outcomes of commands that were settled already.";
    FABRIC_CONNECTION = Gauge "fabric_sdk_connection_status" []
        "1 while the ledger answers the projector.";
    INTAKE_COMMITS = Counter "gx_intake_commits_total" []
        "Database transactions of the intake.";
    INTAKE_COMMANDS = Counter "gx_intake_commands_total" []
        "Commands that the intake made durable.";
    LANE_BATCHES = Counter "gx_lane_batches_total" ["outcome"]
        "Batches of all lanes: valid, or failed at a step of their way; one may fail many times.";
    LANE_BATCH_COMMANDS = Histogram "gx_lane_batch_commands" []
        "Commands in one batch.";
    LANE_HELD = Gauge "gx_lane_held" ["lane"]
        "1 while the lane holds and waits for the operators.";
    CHAINCODE_STREAMS = Gauge "gx_chaincode_streams" []
        "Streams of peers to the chaincode server.";
    CHAINCODE_TRANSACTIONS = Counter "gx_chaincode_transactions_total" ["outcome"]
        "Transactions that peers had run: completed, refused, failed or abandoned.";
    CHAINCODE_ROUND_TRIPS = Counter "gx_chaincode_round_trips_total" []
        "Questions of transactions to their peers.";
    CHAINCODE_DURATION = Histogram "gx_chaincode_transaction_duration_seconds" []
        "Time from a transaction's arrival to its answer.";
    AUDIT_SEAL_LAG = Gauge "gx_audit_seal_lag_seconds" []
        "Age of the oldest line of the audit log that is not sealed.";
    AUDIT_DROPPED = Counter "gx_audit_dropped_total" []
        "Lines about reads and refusals that could not be written.";
    AUTH_FAILURES = Counter "gx_auth_failures_total" ["reason"]
        "Calls refused for who called or what they may.";
    RATE_LIMITED = Counter "gx_rate_limited_total" ["kind"]
        "Calls refused by a rate limit: caller, address or public.";
    RATE_CHECKS = Counter "gx_rate_checks_total" ["path"]
        "Calls counted against a rate limit: by redis for all processes, by this process alone, \
         or refused from the memory of an earlier refusal (known).";
    REDIS_CONNECTED = Gauge "gx_redis_connected" []
        "1 while Redis is connected; absent where none is configured.";
    REDIS_QUESTIONS = Counter "gx_redis_questions_total" ["outcome"]
        "Questions to Redis: answered, failed, or not asked since it was away.";
    ANSWERS = Counter "gx_answers_total" ["from"]
        "Answers that everybody gets alike and that Redis may keep: from redis or database.";
    COPY_READS = Counter "gx_copy_reads_total" ["outcome"]
        "Reads that a copy of the database could take: read, or not since it was behind or away.";
    WATCHES_OPEN = Gauge "gx_watches_open" ["method"]
        "Calls that stay open: streams of blocks, of operations and of wallets.";
    PASSWORD_VERIFICATIONS = Counter "gx_password_verifications_total" []
        "Password verifications, also those against no account.";
    SUPPLY_QIRAT = Gauge "gx_supply_qirat" ["bucket"]
        "Coins of each pool by its account, of TREASURIES and of CIRCULATING, in Qirat.";
    IDENTITY_EXPIRES = Gauge "gx_identity_expires_seconds" ["identity"]
        "Time until the certificate ends under which GX submits; below 0 it has ended.";
    ENROLMENTS = Counter "gx_enrolments_total" ["identity", "outcome"]
        "Looks of gx enroll that found a certificate due: enrolled, renewed or failed.";
    DEADLOCKS = Counter "gx_deadlocks_total" []
        "Database transactions that were repeated after a deadlock or a serialization failure.";
}

/// Seconds, from a cached read to the longest wait for an operation.
const DURATION_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 60.0,
];

/// Commands, up to the largest batch that the settings allow.
const COMMANDS_BUCKETS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0,
];

/// Makes the recorder of this process and describes every metric.
///
/// # Errors
/// If there is a recorder already.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = builder()?
        .install_recorder()
        .context("installing the metrics recorder")?;
    describe();
    Ok(handle)
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    let buckets = |builder: PrometheusBuilder, name: &str, values| {
        builder
            .set_buckets_for_metric(Matcher::Full(name.to_owned()), values)
            .context("setting buckets")
    };
    let builder = buckets(
        PrometheusBuilder::new(),
        HTTP_REQUEST_DURATION,
        DURATION_BUCKETS,
    )?;
    let builder = buckets(builder, CHAINCODE_DURATION, DURATION_BUCKETS)?;
    buckets(builder, LANE_BATCH_COMMANDS, COMMANDS_BUCKETS)
}

/// Tells the recorder what every metric means. Counters without labels stand at 0
/// from the start, so that their first step is seen as one; a gauge that nobody has
/// set yet is absent, for 0 would be an answer.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.meaning),
            Kind::Gauge => describe_gauge!(metric.name, metric.meaning),
            Kind::Histogram => describe_histogram!(metric.name, metric.meaning),
        }
        if metric.kind == Kind::Counter && metric.labels.is_empty() {
            metrics::counter!(metric.name).increment(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: &str = include_str!("../../OPERATIONS.md");

    #[test]
    fn names_are_said_once_and_counters_end_in_total() {
        for (index, metric) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != metric.name));
            assert_eq!(
                metric.kind == Kind::Counter,
                metric.name.ends_with("_total")
            );
        }
    }

    #[test]
    fn operators_read_of_each_metric_what_it_says_itself() {
        let row = |metric: &Metric| {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let labels = metric.labels.iter().map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            let Metric { name, meaning, .. } = metric;
            format!("| `{name}` | {kind} | {labels} | {meaning} |\n")
        };
        let table: String = ALL.iter().map(row).collect();
        let table = format!("| metric | kind | labels | meaning |\n|---|---|---|---|\n{table}");
        assert!(
            OPERATIONS.ends_with(&table),
            "OPERATIONS.md must end with\n{table}"
        );
    }

    #[test]
    fn histograms_render_as_buckets() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::histogram!(HTTP_REQUEST_DURATION, "service" => "svc-wallet", "method" => "m")
                .record(0.02);
            metrics::histogram!(LANE_BATCH_COMMANDS).record(7.0);
        });
        let text = handle.render();
        assert!(text.contains("http_request_duration_seconds_bucket{service=\"svc-wallet\",method=\"m\",le=\"0.025\"} 1"), "{text}");
        assert!(
            text.contains("gx_lane_batch_commands_bucket{le=\"10\"} 1"),
            "{text}"
        );
        assert!(!text.contains("\noutbox_command_queue_depth"), "{text}");
        assert!(text.contains("gx_audit_dropped_total 0"), "{text}");
    }
}
