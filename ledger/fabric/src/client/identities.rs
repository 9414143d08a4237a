//! Who speaks: one identity a domain of lanes.

use std::sync::Arc;

use gx_proto::gx::contract::v1::Domain;

use crate::{
    LedgerError,
    msp::{IdentityFiles, SigningIdentity},
};

/// The identities that a process has been given. One that submits batches needs that
/// of each lane's domain; one that only reads needs any.
#[derive(Clone, Default)]
pub struct Identities {
    /// Submits commands of users.
    pub partner: Option<Arc<IdentityFiles>>,
    /// Submits commands of staff.
    pub admin: Option<Arc<IdentityFiles>>,
    /// Submits commands of the system.
    pub super_admin: Option<Arc<IdentityFiles>>,
}

impl Identities {
    /// The identity that moves a domain's lanes.
    pub(super) fn of_domain(&self, domain: Domain) -> Result<Arc<SigningIdentity>, LedgerError> {
        let (name, files) = match domain {
            Domain::Partner => ("partner", &self.partner),
            Domain::Staff => ("admin", &self.admin),
            Domain::Sys => ("super_admin", &self.super_admin),
            Domain::Unspecified => {
                return Err(LedgerError::internal("the batch names no lane"));
            }
        };
        let files = files.as_ref().ok_or_else(|| {
            LedgerError::internal(format!("this process has no identity `{name}`"))
        })?;
        Ok(files.current())
    }

    /// An identity for reading.
    pub(super) fn any(&self) -> Result<Arc<SigningIdentity>, LedgerError> {
        let files = [&self.partner, &self.admin, &self.super_admin];
        let first = files.into_iter().flatten().next();
        first
            .map(|files| files.current())
            .ok_or_else(|| LedgerError::internal("this process has no identity"))
    }

    /// All of them, by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Arc<IdentityFiles>)> {
        let all = [
            ("partner", &self.partner),
            ("admin", &self.admin),
            ("super_admin", &self.super_admin),
        ];
        all.into_iter()
            .filter_map(|(name, files)| files.as_ref().map(|files| (name, files)))
    }
}
