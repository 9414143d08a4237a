//! An identity to be kept: who it is at the authority, and when its certificate is
//! to be replaced.

use std::path::Path;

use anyhow::{Context, anyhow};
use gx_contract::ChainRole;
use gx_fabric::{
    ca::{Client, EnrolError, Enrolment, IdentityFolder, Wanted},
    msp::{Certificate, FilesError, IdentityFiles},
};
use secrecy::{ExposeSecret, SecretString};

use super::Outcome;
use crate::config::Enroll;

/// An identity.
pub(super) struct Identity {
    pub(super) name: &'static str,
    wanted: Wanted,
    secret: SecretString,
    folder: IdentityFolder,
}

/// What is to be done for one.
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// There is no certificate that is of use.
    Enrol,
    /// There is one that ends before long.
    Renew(IdentityFiles),
}

impl Identity {
    /// The identities that have a name, each with its folder in `folder`.
    pub(super) fn all(settings: &Enroll, folder: &Path) -> Vec<Self> {
        let all = [
            (
                "partner",
                ChainRole::Partner,
                &settings.partner_id,
                &settings.partner_secret,
            ),
            (
                "admin",
                ChainRole::Admin,
                &settings.admin_id,
                &settings.admin_secret,
            ),
            (
                "super_admin",
                ChainRole::SuperAdmin,
                &settings.super_admin_id,
                &settings.super_admin_secret,
            ),
        ];
        let named = all.into_iter().filter(|(_, _, id, _)| !id.is_empty());
        let identities = named.map(|(name, role, id, secret)| Self {
            name,
            wanted: Wanted {
                id: id.clone(),
                role: Some(role),
            },
            secret: secret.clone(),
            folder: IdentityFolder::new(folder.join(name)),
        });
        identities.collect()
    }

    /// The certificate that is in its place.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        let files = self.folder.open("").ok().flatten();
        files.map(|files| files.current().certificate().clone())
    }

    /// What is to be done at a time, if a certificate is replaced when `left_percent`
    /// of its life are left.
    ///
    /// # Errors
    /// If the files cannot be read; then nobody knows what they are worth.
    pub(super) fn due(&self, now_ms: i64, left_percent: u32) -> Result<Due, FilesError> {
        let files = match self.folder.open("") {
            Ok(Some(files)) => files,
            Ok(None) | Err(FilesError::Pair { .. }) => return Ok(Due::Enrol),
            Err(error) => return Err(error),
        };
        let identity = files.current();
        let certificate = identity.certificate();
        let Wanted { id, role } = &self.wanted;
        let is_its_own = certificate.common_name() == Some(id) && certificate.role() == *role;
        if !is_its_own || !certificate.holds_at(now_ms) {
            return Ok(Due::Enrol);
        }
        let life_ms = certificate.not_after_ms() - certificate.not_before_ms();
        let left_ms = certificate.not_after_ms() - now_ms;
        match left_ms < life_ms / 100 * i64::from(left_percent) {
            true => Ok(Due::Renew(files)),
            false => Ok(Due::Nothing),
        }
    }

    /// Gets a certificate for name and secret.
    pub(super) async fn enrol(&self, client: &Client) -> anyhow::Result<(Outcome, Enrolment)> {
        if self.secret.expose_secret().is_empty() {
            return Err(anyhow!(
                "there is no certificate that holds, and enroll.{}_secret is not set",
                self.name
            ));
        }
        let enrolment = client.enroll(&self.wanted, &self.secret).await?;
        Ok((Outcome::Enrolled, enrolment))
    }

    /// Gets a later certificate; with the secret, if the authority takes the one
    /// before no more.
    pub(super) async fn renew(
        &self,
        client: &Client,
        files: &IdentityFiles,
    ) -> anyhow::Result<(Outcome, Enrolment)> {
        match client.reenroll(&self.wanted, &files.current()).await {
            Ok(enrolment) => Ok((Outcome::Renewed, enrolment)),
            Err(EnrolError::Refused { .. }) if !self.secret.expose_secret().is_empty() => {
                self.enrol(client).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a certificate in its place.
    pub(super) fn keep(&self, enrolment: &Enrolment) -> anyhow::Result<()> {
        let kept = self.folder.write(enrolment);
        kept.context("the identity cannot be kept")
    }
}
