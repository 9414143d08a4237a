//! What a devnet is made of: its names, limits, endorsers and clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{Contract, GxContract};

/// The channel's name unless another is given.
pub const CHANNEL: &str = "gx";
/// The chaincode's name unless another is given.
pub const CHAINCODE: &str = "gx";
/// The organization's MSP unless another is given.
pub const MSP_ID: &str = "GxMSP";

/// Tells the time in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Gives a nonce that was never given before.
pub type Nonces = Arc<dyn Fn() -> [u8; 24] + Send + Sync>;

/// The clock of the operating system.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the room that a devnet's time comes from"
        )]
        let now = SystemTime::now();
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Nonces from the operating system.
pub fn system_nonces() -> Nonces {
    Arc::new(rand::random)
}

/// When the orderer cuts a block, and what it refuses. Fabric's names and, but for
/// the time, its defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long the first pending envelope waits for others.
    pub batch_timeout: Duration,
    /// A block has at most so many envelopes.
    pub max_message_count: usize,
    /// A block has at most so many bytes of envelopes, unless one alone has more.
    pub preferred_max_bytes: usize,
    /// A larger envelope is refused.
    pub absolute_max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_timeout: Duration::from_millis(100),
            max_message_count: 500,
            preferred_max_bytes: 2 << 20,
            absolute_max_bytes: 10 << 20,
        }
    }
}

/// A peer that runs the contract. All must come to the same result.
#[derive(Clone)]
pub struct Endorser {
    /// Its name in messages.
    pub name: String,
    /// Its organization.
    pub msp_id: String,
    /// What it runs; another contract makes it a peer on other rules.
    pub contract: Arc<dyn Contract>,
}

/// What a devnet is made of.
#[derive(Clone)]
pub struct CoreOptions {
    /// The channel's name.
    pub channel: String,
    /// The chaincode's name.
    pub chaincode: String,
    /// When blocks are cut.
    pub limits: Limits,
    /// Who endorses; the first also answers queries.
    pub endorsers: Vec<Endorser>,
    /// The network's own time: it dates block 0 and refuses proposals from the future.
    pub clock: Clock,
}

impl CoreOptions {
    /// One organization with `endorsers` peers that run `contract`, default names
    /// and limits, the system's clock.
    pub fn new(contract: Arc<dyn Contract>, endorsers: usize) -> Self {
        let endorser = |index| Endorser {
            name: format!("peer{index}"),
            msp_id: MSP_ID.into(),
            contract: contract.clone(),
        };
        Self {
            channel: CHANNEL.into(),
            chaincode: CHAINCODE.into(),
            limits: Limits::default(),
            endorsers: (0..endorsers.max(1)).map(endorser).collect(),
            clock: system_clock(),
        }
    }
}

impl Default for CoreOptions {
    fn default() -> Self {
        Self::new(Arc::new(GxContract), 1)
    }
}
