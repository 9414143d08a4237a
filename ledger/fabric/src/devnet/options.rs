//! What a devnet is made of: its names, limits, endorsers and clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::trust::Trust;
use crate::{
    Contract, GxContract,
    msp::{Membership, SigningIdentity},
};

/// The channel's name unless another is given.
pub const CHANNEL: &str = "gx";
/// The chaincode's name unless another is given.
pub const CHAINCODE: &str = "gx";
/// The organization's MSP unless another is given.
pub const MSP_ID: &str = "Org1MSP";

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
    /// What it signs endorsements with. Without one they bear its name and no
    /// signature, which is good enough only where nobody checks.
    pub identity: Option<SigningIdentity>,
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
    /// How the network knows who speaks.
    pub trust: Trust,
    /// The network's own time: it dates block 0 and refuses proposals from the future.
    pub clock: Clock,
}

impl CoreOptions {
    /// One organization with `endorsers` peers that run `contract`, default names
    /// and limits, the system's clock. Everybody is believed.
    pub fn new(contract: Arc<dyn Contract>, endorsers: usize) -> Self {
        let endorser = |index| Endorser {
            name: format!("peer{index}"),
            msp_id: MSP_ID.into(),
            contract: contract.clone(),
            identity: None,
        };
        Self {
            channel: CHANNEL.into(),
            chaincode: CHAINCODE.into(),
            limits: Limits::default(),
            endorsers: (0..endorsers.max(1)).map(endorser).collect(),
            trust: Trust::Word,
            clock: system_clock(),
        }
    }

    /// A channel whose members are known by certificates. Each of `endorsers`, a peer's
    /// address and identity, runs `contract`; a transaction needs one endorsement of
    /// every organization.
    pub fn certified(
        contract: Arc<dyn Contract>,
        members: Membership,
        endorsers: impl IntoIterator<Item = (String, SigningIdentity)>,
    ) -> Self {
        let endorser = |(name, identity): (String, SigningIdentity)| Endorser {
            name,
            msp_id: identity.msp_id().to_owned(),
            contract: contract.clone(),
            identity: Some(identity),
        };
        Self {
            endorsers: endorsers.into_iter().map(endorser).collect(),
            trust: Trust::Certificates(Arc::new(members.into())),
            ..Self::new(contract.clone(), 1)
        }
    }
}

impl Default for CoreOptions {
    fn default() -> Self {
        Self::new(Arc::new(GxContract), 1)
    }
}
