//! Who belongs to a channel: its organizations, each with the authorities that it
//! trusts.

use std::collections::BTreeMap;

use prost::Message;

use super::{Certificate, CertificateError};
use crate::{Identity, proto::msp::SerializedIdentity};

/// Why something is not taken as said by a member. Fabric tells callers less.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// The creator is no `msp.SerializedIdentity`, or its certificate cannot be read.
    #[error("the creator cannot be read")]
    Creator,
    /// Nobody knows the organization.
    #[error("MSP {0} is unknown")]
    UnknownMsp(String),
    /// The certificate is not issued by an authority of the organization.
    #[error("the certificate is not issued by an authority of {0}")]
    Foreign(String),
    /// The certificate holds no more, or does not hold yet.
    #[error("the certificate is not valid at this time")]
    Expired,
    /// The signature is not by the creator's key, or not in the form with low `s`.
    #[error("the signature is not the creator's")]
    Signature,
}

/// The organizations of a channel.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    authorities: BTreeMap<String, Vec<Certificate>>,
}

/// A member, known by its certificate.
#[derive(Debug, Clone)]
pub struct Member {
    /// The organization.
    pub msp_id: String,
    /// The certificate, issued by an authority of the organization.
    pub certificate: Certificate,
}

/// What somebody is within an organization: Fabric's node organizational units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Submits and reads.
    Client,
    /// Submits, reads and administers.
    Admin,
    /// Endorses and reads.
    Peer,
    /// Orders.
    Orderer,
}

impl Kind {
    fn named(unit: &str) -> Option<Self> {
        match unit {
            "client" => Some(Self::Client),
            "admin" => Some(Self::Admin),
            "peer" => Some(Self::Peer),
            "orderer" => Some(Self::Orderer),
            _ => None,
        }
    }

    /// Whether the channel takes transactions from such a member.
    pub fn may_write(self) -> bool {
        matches!(self, Self::Client | Self::Admin)
    }

    /// Whether the channel shows blocks and statuses to such a member.
    pub fn may_read(self) -> bool {
        self.may_write() || self == Self::Peer
    }
}

impl Membership {
    /// Adds an organization with its authorities, a PEM text of one or more.
    ///
    /// # Errors
    /// If a certificate cannot be read.
    pub fn with(
        mut self,
        msp_id: impl Into<String>,
        authorities: &str,
    ) -> Result<Self, CertificateError> {
        let authorities = Certificate::all_from_pem(authorities)?;
        self.authorities.insert(msp_id.into(), authorities);
        Ok(self)
    }

    /// The organizations, in order of their names.
    pub fn msp_ids(&self) -> impl Iterator<Item = &str> {
        self.authorities.keys().map(String::as_str)
    }

    /// The organizations with the authorities that each trusts.
    pub fn authorities(&self) -> impl Iterator<Item = (&str, &[Certificate])> {
        let all = self.authorities.iter();
        all.map(|(msp_id, authorities)| (msp_id.as_str(), authorities.as_slice()))
    }

    /// Finds out whose bytes a creator is. Time plays no part: a block is judged
    /// alike for ever.
    ///
    /// # Errors
    /// If it is nobody's that the organization vouches for.
    pub fn member(&self, creator: &[u8]) -> Result<Member, NotAuthentic> {
        let SerializedIdentity { mspid, id_bytes } =
            SerializedIdentity::decode(creator).map_err(|_| NotAuthentic::Creator)?;
        let authorities = self
            .authorities
            .get(&mspid)
            .ok_or_else(|| NotAuthentic::UnknownMsp(mspid.clone()))?;
        let pem = std::str::from_utf8(&id_bytes).map_err(|_| NotAuthentic::Creator)?;
        let certificate = Certificate::from_pem(pem).map_err(|_| NotAuthentic::Creator)?;
        let vouched = authorities
            .iter()
            .any(|authority| certificate.is_issued_by(authority));
        if !vouched || certificate.is_authority() {
            return Err(NotAuthentic::Foreign(mspid));
        }
        Ok(Member {
            msp_id: mspid,
            certificate,
        })
    }

    /// Finds out who signed a message, at any time.
    ///
    /// # Errors
    /// If the creator is no member or did not sign it.
    pub fn signer(
        &self,
        creator: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<Member, NotAuthentic> {
        let member = self.member(creator)?;
        match member.certificate.has_signed(message, signature) {
            true => Ok(member),
            false => Err(NotAuthentic::Signature),
        }
    }
}

impl Member {
    /// Whether the certificate holds at a time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`NotAuthentic::Expired`] if it does not.
    pub fn valid_at(&self, now_ms: i64) -> Result<(), NotAuthentic> {
        match self.certificate.holds_at(now_ms) {
            true => Ok(()),
            false => Err(NotAuthentic::Expired),
        }
    }

    /// What the member is within its organization; `None` where the certificate names
    /// nothing or more than one, which Fabric takes for nobody.
    pub fn kind(&self) -> Option<Kind> {
        let mut kinds = self
            .certificate
            .units()
            .iter()
            .filter_map(|unit| Kind::named(unit));
        kinds.next().filter(|_| kinds.next().is_none())
    }

    /// The organization and the role, as the contract asks for them.
    pub fn identity(&self) -> Identity {
        Identity {
            msp_id: self.msp_id.clone(),
            role: self.certificate.role(),
        }
    }
}
