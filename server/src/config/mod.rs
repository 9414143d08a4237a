//! Settings: the commented defaults of `gx.toml`, then a file, then the
//! environment. Everything is checked before a port is bound.
//!
//! This room alone reads the environment.

mod check;
mod load;
mod network;
mod place;
mod show;
mod upstream;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use check::Faults;
pub use load::program;
pub use network::Network;
pub use upstream::Upstream;

/// The default file, which is the manual.
pub const DEFAULTS: &str = include_str!("../../gx.toml");

/// All settings; `gx.toml` says what each means.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "gx.toml documents every key")]
pub struct Config {
    pub environment: Environment,
    pub data_dir: String,
    pub keys_dir: String,
    pub instance: String,
    pub listen: Listen,
    pub gateway: Gateway,
    pub database: Database,
    pub redis: Redis,
    pub fabric: Fabric,
    pub devnet: Devnet,
    pub chaincode: Chaincode,
    pub lanes: Lanes,
    pub projector: Projector,
    pub intake: Intake,
    pub token: Token,
    pub session: Session,
    pub login: Login,
    pub limits: Limits,
    pub enroll: Enroll,
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
    Listen {
        host: std::net::IpAddr, identity: u16, wallet: u16, tokenomics: u16, metrics: u16,
        devnet: u16, devnet_ca: u16, devnet_org2: u16, origins: Vec<String>,
    }
}
section! {
    /// `[gateway]`.
    Gateway {
        host: std::net::IpAddr, port: u16, metrics: u16, admin: u16,
        identity: String, wallet: String, tokenomics: String, descriptor: String,
        trusted_hops: u32, per_s: u32, burst: u32,
    }
}
section! {
    /// `[database]`.
    Database {
        #[serde(serialize_with = "show::without_password")] url: String,
        #[serde(serialize_with = "show::hidden")] password: SecretString,
        #[serde(serialize_with = "show::without_password")] read_url: String,
        migrate: bool,
    }
}
section! {
    /// `[redis]`.
    Redis {
        #[serde(serialize_with = "show::without_password")] url: String,
        sentinels: Vec<String>, sentinel_name: String, user: String,
        #[serde(serialize_with = "show::hidden")] password: SecretString,
        sentinel_user: String,
        #[serde(serialize_with = "show::hidden")] sentinel_password: SecretString,
        tls: bool, tls_ca_file: String, tls_certificate_file: String, tls_key_file: String,
        prefix: String, timeout_ms: u64,
    }
}
section! {
    /// `[fabric]`.
    Fabric {
        peers: Vec<String>, channel: String, chaincode: String, msp_id: String,
        tls_ca_file: String, tls_certificate_file: String, tls_key_file: String, server_name: String,
        in_flight: usize, connect_ms: u64, evaluate_ms: u64, endorse_ms: u64, submit_ms: u64,
        identity: FabricIdentities,
    }
}
section! {
    /// `[fabric.identity]`.
    FabricIdentities { partner: FabricIdentity, admin: FabricIdentity, super_admin: FabricIdentity }
}
section! {
    /// `[fabric.identity.<name>]`.
    FabricIdentity { certificate_file: String, key_file: String }
}
section! {
    /// `[devnet]`.
    Devnet { batch_timeout_ms: u64, max_message_count: usize }
}
section! {
    /// `[chaincode]`.
    Chaincode {
        host: std::net::IpAddr, port: u16, package_id: String, threads: usize, answer_ms: u64,
        certificate_file: String, key_file: String, client_ca_file: String,
    }
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
    Intake { waiting: usize, batch_waiting: usize, fold: usize, timeout_ms: u64 }
}
section! {
    /// `[token]`.
    Token { issuer: String, audience: String, ttl_s: u64 }
}
section! {
    /// `[session]`.
    Session { idle_s: u64, lifetime_s: u64, retry_s: u64 }
}
section! {
    /// `[login]`.
    Login {
        concurrency: usize, waiting: usize, failures: u32, lock_s: u64,
        contact_failures: u32, contact_wait_s: u64,
    }
}
section! {
    /// `[limits]`.
    Limits {
        caller_per_s: u32, caller_burst: u32, address_per_s: u32, address_burst: u32,
        public_per_s: u32, public_burst: u32, message_bytes: usize, concurrency: usize, timeout_ms: u64,
        connections: usize, address_connections: usize, streams: u32, watches: usize, caller_watches: usize, connection_idle_s: u64, connection_age_s: u64, drain_ms: u64, trusted_proxies: Vec<Network>,
    }
}
section! {
    /// `[enroll]`.
    Enroll {
        url: String, ca_name: String, server_name: String, tls_ca_file: String,
        ca_certificate_file: String, folder: String,
        partner_id: String, #[serde(serialize_with = "show::hidden")] partner_secret: SecretString,
        admin_id: String, #[serde(serialize_with = "show::hidden")] admin_secret: SecretString,
        super_admin_id: String,
        #[serde(serialize_with = "show::hidden")] super_admin_secret: SecretString,
        renew_left_percent: u32, check_s: u64,
    }
}
section! {
    /// `[log]`.
    Log { format: LogFormat, filter: String }
}

impl Redis {
    /// Whether there is to be a Redis at all.
    pub fn is_set(&self) -> bool {
        !self.url.is_empty() || !self.sentinels.is_empty()
    }
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
