//! The one room that chance and ids come from.

use rand::{Rng, TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of a command: the first 16 bytes of a hash over its owner and the
/// client's request_id, so that a retry is the same command, whatever the
/// database remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub Uuid);

impl CommandId {
    /// The command that `owner` asked for under `request_id`.
    pub fn derive(owner: &str, request_id: Uuid) -> Self {
        Self::hash(&[b"request", owner.as_bytes(), request_id.as_bytes()])
    }

    /// A command that a job derives from facts.
    pub fn derive_job(job: &str, facts: &[u8]) -> Self {
        Self::hash(&[b"job", job.as_bytes(), facts])
    }

    /// The id as the chain carries it.
    pub fn bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }

    fn hash(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new_with_prefix(b"gx command id\0");
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize()[..16]);
        Self(Uuid::from_bytes(id))
    }
}

/// `N` unpredictable bytes.
///
/// # Panics
/// If the operating system has no randomness; nothing safe can be done then.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "without randomness no secret can be made"
    )]
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives randomness");
    bytes
}

/// A random UUID (version 4), for tokens of leases and sessions.
pub fn random_uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid()
}

/// A UUID (version 7) that sorts by the time it was made.
pub fn ordered_uuid(now_ms: i64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now_ms).unwrap_or(0), &random_bytes())
        .into_uuid()
}

/// A number below `bound`, for jitter; not for secrets.
pub fn jitter(bound: u64) -> u64 {
    if bound == 0 {
        0
    } else {
        rand::rng().next_u64() % bound
    }
}
