//! How the network knows who speaks: by their word within one process, by
//! certificates and signatures over a wire.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;

use super::lock::lock;
use crate::msp::{Kind, Member, Membership, NotAuthentic};

/// So many members are remembered; then all are forgotten.
const REMEMBERED_MAX: usize = 1_000;

/// How the network knows who speaks.
#[derive(Clone)]
pub enum Trust {
    /// By what they say: the in-process form of an [`Identity`](crate::Identity). Nobody
    /// signs and nothing is checked.
    Word,
    /// By certificates and signatures.
    Certificates(Arc<Roll>),
}

/// The members of a channel, each found out once.
pub struct Roll {
    membership: Membership,
    known: Mutex<BTreeMap<Bytes, Arc<Member>>>,
}

impl From<Membership> for Roll {
    fn from(membership: Membership) -> Self {
        Self {
            membership,
            known: Mutex::default(),
        }
    }
}

impl Roll {
    /// The channel's organizations.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Finds out whose bytes a creator is, whenever its certificate holds.
    ///
    /// # Errors
    /// If it is nobody's that an organization vouches for.
    pub(super) fn member(&self, creator: &[u8]) -> Result<Arc<Member>, NotAuthentic> {
        if let Some(member) = lock(&self.known).get(creator) {
            return Ok(member.clone());
        }
        let member = Arc::new(self.membership.member(creator)?);
        let mut known = lock(&self.known);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(Bytes::copy_from_slice(creator), member.clone());
        Ok(member)
    }

    /// The member who signed a message, if its kind is one that `may`.
    pub(super) fn signer(&self, signed: &Signed<'_>, may: fn(Kind) -> bool) -> Option<Arc<Member>> {
        let member = self.member(signed.creator).ok()?;
        let may = member.kind().is_some_and(may);
        let has_signed = || {
            let certificate = &member.certificate;
            certificate.has_signed(signed.message, signed.signature)
        };
        (may && has_signed()).then_some(member)
    }
}

/// A message, who is said to have signed it, and the signature.
pub(super) struct Signed<'a> {
    pub(super) creator: &'a [u8],
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
}
