//! Lanes: which stream of commands an account or a country belongs to, and the
//! digest that chains a lane's commands.

use std::fmt;
use std::str::FromStr;

use gx_proto::gx::contract::v1::{Domain, Lane};
use sha2::{Digest, Sha256};

use crate::account;
use crate::state::ChainRole;

/// The digest of a lane before its first command.
pub const FIRST_DIGEST: [u8; 32] = [0; 32];

/// The most partner lanes that Bootstrap may make.
pub const PARTNER_LANES_MAX: u32 = 256;

/// The lane of pools and treasuries.
pub const SYSTEM_LANE: LaneName = LaneName::new(LaneDomain::Sys, 0);

/// The lane of staff's commands.
pub const STAFF_LANE: LaneName = LaneName::new(LaneDomain::Staff, 0);

/// Which chain identity moves a lane; one for each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneDomain {
    /// Commands of users, by [`ChainRole::Partner`].
    Partner,
    /// Commands of staff, by [`ChainRole::Admin`].
    Staff,
    /// Commands of the system, by [`ChainRole::SuperAdmin`].
    Sys,
}

impl LaneDomain {
    /// The domain's word in keys and names.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Staff => "staff",
            Self::Sys => "sys",
        }
    }

    /// The role that moves lanes of this domain.
    #[must_use]
    pub const fn role(self) -> ChainRole {
        match self {
            Self::Partner => ChainRole::Partner,
            Self::Staff => ChainRole::Admin,
            Self::Sys => ChainRole::SuperAdmin,
        }
    }
}

impl From<LaneDomain> for Domain {
    fn from(domain: LaneDomain) -> Self {
        match domain {
            LaneDomain::Partner => Self::Partner,
            LaneDomain::Staff => Self::Staff,
            LaneDomain::Sys => Self::Sys,
        }
    }
}

/// A lane's name, shown as `partner/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneName {
    /// Who moves it.
    pub domain: LaneDomain,
    /// Its index within the domain, from 0.
    pub number: u32,
}

/// The text or message names no lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lane is named partner/<n>, staff/0 or sys/0")]
pub struct LaneNameError;

impl LaneName {
    /// Names a lane, whether it exists or not.
    #[must_use]
    pub const fn new(domain: LaneDomain, number: u32) -> Self {
        Self { domain, number }
    }

    /// Whether the lane exists; `partner_lanes` is `None` before Bootstrap, when
    /// only `sys/0` does.
    #[must_use]
    pub fn exists(self, partner_lanes: Option<u32>) -> bool {
        match (self.domain, partner_lanes) {
            (LaneDomain::Sys, _) | (LaneDomain::Staff, Some(_)) => self.number == 0,
            (LaneDomain::Partner, Some(lanes)) => self.number < lanes,
            (_, None) => false,
        }
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.domain.word(), self.number)
    }
}

impl FromStr for LaneName {
    type Err = LaneNameError;

    /// Reads exactly what `Display` writes: no sign, no leading zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, number) = text.split_once('/').ok_or(LaneNameError)?;
        let domain = match word {
            "partner" => LaneDomain::Partner,
            "staff" => LaneDomain::Staff,
            "sys" => LaneDomain::Sys,
            _ => return Err(LaneNameError),
        };
        let lane = Self::new(domain, number.parse().map_err(|_| LaneNameError)?);
        if lane.to_string() == text {
            Ok(lane)
        } else {
            Err(LaneNameError)
        }
    }
}

impl From<LaneName> for Lane {
    fn from(lane: LaneName) -> Self {
        Self {
            domain: Domain::from(lane.domain).into(),
            number: lane.number,
        }
    }
}

impl TryFrom<&Lane> for LaneName {
    type Error = LaneNameError;

    /// Fails on an unknown domain; a number is taken as it is.
    fn try_from(lane: &Lane) -> Result<Self, Self::Error> {
        let domain = match lane.domain() {
            Domain::Partner => LaneDomain::Partner,
            Domain::Staff => LaneDomain::Staff,
            Domain::Sys => LaneDomain::Sys,
            Domain::Unspecified => return Err(LaneNameError),
        };
        Ok(Self::new(domain, lane.number))
    }
}

/// The lane of an account: `sys/0` for pools and treasuries, else
/// `partner/(first 8 bytes of SHA-256 of the id, big endian, mod partner_lanes)`.
/// `partner_lanes` is at least 1 wherever it comes from the chain; 0 counts as 1.
#[must_use]
pub fn of_account(id: &str, partner_lanes: u32) -> LaneName {
    if account::has_system_name(id) {
        SYSTEM_LANE
    } else {
        hashed(id, partner_lanes)
    }
}

/// The lane of a country's first steps: the same hash over its alpha-2 code.
#[must_use]
pub fn of_country(country: &str, partner_lanes: u32) -> LaneName {
    hashed(country, partner_lanes)
}

/// The digest of a lane after one more command:
/// SHA-256(previous ‖ id ‖ request digest).
#[must_use]
pub fn chain_digest(previous: &[u8], id: &[u8], request_digest: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(previous)
        .chain_update(id)
        .chain_update(request_digest)
        .finalize()
        .into()
}

/// The number by which names are spread: the first 8 bytes of their SHA-256.
#[must_use]
pub fn spread(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    let first = digest.iter().take(8);
    first.fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn hashed(text: &str, partner_lanes: u32) -> LaneName {
    let number = spread(text) % u64::from(partner_lanes.max(1));
    LaneName::new(LaneDomain::Partner, number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        for text in ["partner/0", "partner/255", "staff/0", "sys/0"] {
            let lane: LaneName = text.parse().expect("a lane");
            assert_eq!(lane.to_string(), text);
        }
        for text in [
            "",
            "partner",
            "partner/",
            "partner/01",
            "partner/+1",
            "user/0",
        ] {
            assert!(text.parse::<LaneName>().is_err(), "{text}");
        }
    }

    #[test]
    fn lanes_exist_by_bootstrap() {
        let partner = LaneName::new(LaneDomain::Partner, 3);
        assert!(SYSTEM_LANE.exists(None) && !STAFF_LANE.exists(None) && !partner.exists(None));
        assert!(STAFF_LANE.exists(Some(4)) && partner.exists(Some(4)) && !partner.exists(Some(3)));
        assert!(!LaneName::new(LaneDomain::Sys, 1).exists(Some(4)));
    }

    #[test]
    fn system_accounts_belong_to_the_system() {
        assert_eq!(of_account("TREASURY_DE", 16), SYSTEM_LANE);
        assert_eq!(of_account(account::OPERATIONS_FUND, 16), SYSTEM_LANE);
    }

    /// SHA-256("DE") begins with 0x6814ef46f686990c.
    #[test]
    fn lanes_follow_from_the_hash() {
        assert_eq!(of_country("DE", 16).number, 12);
        assert_eq!(of_country("DE", 7).number, 1);
        assert_eq!(of_account("DE", 7), of_country("DE", 7));
    }

    #[test]
    fn digest_chains_all_parts() {
        let digest = chain_digest(&FIRST_DIGEST, &[1; 16], &[2; 32]);
        let mut bytes = vec![0; 32];
        bytes.extend([1; 16]);
        bytes.extend([2; 32]);
        assert_eq!(digest[..], Sha256::digest(bytes)[..]);
    }
}
