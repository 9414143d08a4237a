//! Settings: the commented defaults of `gx.toml`, then a file, then the
//! environment. Everything is checked before a port is bound.
//!
//! This room alone reads the environment.

mod check;
mod load;
mod network;
mod place;
mod show;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use check::Faults;
pub use network::Network;

/// The default file, which is the manual.
pub const DEFAULTS: &str = include_str!("../../gx.toml");

/// All settings; `gx.toml` says what each means.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "gx.toml documents every key")]
pub struct Config {
    pub environment: Environment,
    pub data_dir: String,
    pub instance: String,
    pub listen: Listen,
    pub database: Database,
    pub ledger: Ledger,
    pub lanes: Lanes,
    pub projector: Projector,
    pub intake: Intake,
    pub token: Token,
    pub login: Login,
    pub limits: Limits,
    pub log: Log,
}

/// Where GX runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "gx.toml documents every key")]
pub enum Environment {
    Local,
    Devnet,
    Testnet,
    Mainnet,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$rule:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "gx.toml documents every key")]
        pub struct $name { $($(#[$rule])* pub $field: $type),* }
    };
}

section! {
    /// `[listen]`.
    Listen { host: std::net::IpAddr, identity: u16, wallet: u16, tokenomics: u16, metrics: u16 }
}
section! {
    /// `[database]`.
    Database {
        #[serde(serialize_with = "show::without_password")] url: String,
        #[serde(serialize_with = "show::hidden")] password: SecretString,
    }
}
section! {
    /// `[ledger]`.
    Ledger { batch_timeout_ms: u64, max_message_count: usize }
}
section! {
    /// `[lanes]`.
    Lanes { partner: u32, batch_commands: usize, lease_ms: i64, poll_ms: u64, status_ms: u64 }
}
section! {
    /// `[projector]`.
    Projector { partitions: u32, group_blocks: usize }
}
section! {
    /// `[intake]`.
    Intake { waiting: usize, fold: usize, timeout_ms: u64 }
}
section! {
    /// `[token]`.
    Token { issuer: String, audience: String, ttl_s: u64 }
}
section! {
    /// `[login]`.
    Login { concurrency: usize, waiting: usize, failures: u32, lock_s: u64 }
}
section! {
    /// `[limits]`.
    Limits {
        caller_per_s: u32, caller_burst: u32, address_per_s: u32, address_burst: u32,
        public_per_s: u32, public_burst: u32, message_bytes: usize, concurrency: usize, timeout_ms: u64,
        connections: usize, streams: u32, watches: usize, caller_watches: usize, connection_age_s: u64, drain_ms: u64, trusted_proxies: Vec<Network>,
    }
}
section! {
    /// `[log]`.
    Log { format: LogFormat, filter: String }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "gx.toml documents every key")]
pub enum LogFormat {
    Json,
    Text,
}

impl Default for Config {
    #[expect(clippy::expect_used, reason = "a test parses the same constant")]
    fn default() -> Self {
        toml::from_str(DEFAULTS).expect("the default file is valid")
    }
}
