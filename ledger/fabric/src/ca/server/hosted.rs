//! One authority with those whom it knows: who is who, and what stands in whose
//! certificate.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Refusal, call::Login, request::Request};
use crate::{
    ca::{Authority, Holder, Registration, wire::AttributeRequest},
    msp::Certificate,
};

/// So many wrong secrets in a row lock an identity until the next start; Fabric
/// CA's default.
const ATTEMPTS: u32 = 10;

/// An authority behind the port.
pub(super) struct Hosted {
    name: String,
    authority: Arc<Authority>,
    known: BTreeMap<String, Known>,
}

/// Somebody whom it knows.
pub(super) struct Known {
    registration: Registration,
    wrong_secrets: AtomicU32,
}

impl Hosted {
    pub(super) fn new(name: String, authority: Arc<Authority>, known: Vec<Registration>) -> Self {
        let known = known.into_iter().map(|registration| {
            let id = registration.id.clone();
            (id, Known::new(registration))
        });
        Self {
            name,
            authority,
            known: known.collect(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The authority's own certificate in PEM.
    pub(super) fn chain(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// Who has this name and secret.
    pub(super) fn by_secret(&self, login: &Login) -> Result<&Known, Refusal> {
        let known = self.known.get(&login.id);
        // A name that is unknown takes as long as one that is known.
        let secret = known.map_or("", |known| known.registration.secret.expose_secret());
        let equal = bool::from(digest(&login.secret).ct_eq(&digest(secret)));
        let known = known.ok_or_else(|| Refusal::stranger("unknown identity"))?;
        known.attempt(equal && !secret.is_empty()).map(|()| known)
    }

    /// Whose certificate this is, if it is ours and holds.
    pub(super) fn by_certificate(
        &self,
        certificate: &Certificate,
        now_ms: i64,
    ) -> Result<&Known, Refusal> {
        let own = self.authority.certificate();
        if certificate.is_authority() || !certificate.is_issued_by(own) {
            return Err(Refusal::stranger("a certificate of another authority"));
        }
        if !certificate.holds_at(now_ms) {
            return Err(Refusal::stranger("a certificate that does not hold now"));
        }
        let known = certificate.common_name().and_then(|id| self.known.get(id));
        known.ok_or_else(|| Refusal::stranger("unknown identity"))
    }

    /// Issues a certificate in PEM.
    pub(super) fn issue(
        &self,
        known: &Known,
        request: &Request,
        attributes: Option<&[AttributeRequest]>,
        now_ms: i64,
        ttl: Duration,
    ) -> Result<String, Refusal> {
        let registration = &known.registration;
        if request.common_name != registration.id {
            return Err(Refusal::common_name());
        }
        let holder = Holder {
            name: registration.id.clone(),
            unit: registration.unit,
            attributes: known.attributes(attributes)?,
        };
        let issued = self.authority.issue(&holder, &request.key, now_ms, ttl);
        let issued = issued
            .map_err(|error| Refusal::other(format!("Certificate signing failure: {error}")))?;
        tracing::info!(
            authority = self.name,
            id = registration.id,
            "a certificate is issued"
        );
        Ok(issued)
    }
}

impl Known {
    fn new(registration: Registration) -> Self {
        Self {
            registration,
            wrong_secrets: AtomicU32::new(0),
        }
    }

    /// Counts an attempt, so that of many at once no more than the bound are tried.
    fn attempt(&self, right: bool) -> Result<(), Refusal> {
        let counted = |wrong| (wrong < ATTEMPTS).then_some(if right { 0 } else { wrong + 1 });
        let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
        match self.wrong_secrets.fetch_update(set, read, counted) {
            Err(_) => Err(Refusal::stranger("locked by too many wrong secrets")),
            Ok(_) if right => Ok(()),
            Ok(_) => Err(Refusal::stranger("wrong secret")),
        }
    }

    /// The attributes for a certificate: those asked for, or else those that always
    /// stand in it.
    fn attributes(
        &self,
        asked: Option<&[AttributeRequest]>,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let all = self.registration.all_attributes();
        let Some(asked) = asked else {
            let always = all.into_iter().filter(|attribute| attribute.ecert);
            return Ok(always.map(|one| (one.name, one.value)).collect());
        };
        let has = |name: &str| all.iter().any(|one| one.name == name);
        let missing: Vec<_> = asked
            .iter()
            .filter(|one| !one.optional && !has(&one.name))
            .map(|one| one.name.as_str())
            .collect();
        if !missing.is_empty() {
            return Err(Refusal::other(format!(
                "Failed to find requested attributes: The following required attributes are \
                 missing: [{}]",
                missing.join(" ")
            )));
        }
        let wanted = |name: &str| asked.iter().any(|one| one.name == name);
        let given = all.iter().filter(|one| wanted(&one.name));
        Ok(given
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect())
    }
}

/// Of the same length whatever it is of, so that comparing tells nothing.
fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msp::testing::NOW_MS;

    fn hosted() -> (Hosted, String) {
        let registration = Registration::client("partner", None);
        let secret = registration.secret.expose_secret().to_owned();
        let authority = Arc::new(Authority::create("ca", NOW_MS).unwrap());
        (
            Hosted::new("ca".into(), authority, vec![registration]),
            secret,
        )
    }

    fn login(id: &str, secret: &str) -> Login {
        Login {
            id: id.to_owned(),
            secret: secret.to_owned().into(),
        }
    }

    #[test]
    fn wrong_secrets_lock_an_identity_and_a_right_one_before_clears_them() {
        let (hosted, secret) = hosted();
        let tried = |secret: &str| hosted.by_secret(&login("partner", secret)).is_ok();
        for _ in 0..3 {
            assert!((1..ATTEMPTS).all(|_| !tried("wrong")) && tried(&secret));
        }
        assert!((0..ATTEMPTS).all(|_| !tried("wrong")));
        assert!(!tried(&secret));
    }

    #[test]
    fn nobody_enrols_with_an_empty_secret() {
        let nobody = Registration {
            secret: String::new().into(),
            ..Registration::client("nobody", None)
        };
        let authority = Arc::new(Authority::create("ca", NOW_MS).unwrap());
        let hosted = Hosted::new("ca".into(), authority, vec![nobody]);
        for id in ["nobody", "unknown"] {
            assert!(hosted.by_secret(&login(id, "")).is_err(), "{id}");
        }
    }

    #[test]
    fn attributes_are_those_asked_for_or_else_the_usual() {
        let known = Known::new(Registration::client(
            "partner",
            Some(gx_contract::ChainRole::Partner),
        ));
        let names = |asked: Option<&[(&str, bool)]>| {
            let asked = asked.map(|asked| {
                let asked = asked.iter().map(|&(name, optional)| AttributeRequest {
                    name: name.to_owned(),
                    optional,
                });
                asked.collect::<Vec<_>>()
            });
            let given = known.attributes(asked.as_deref()).ok()?;
            Some(given.into_keys().collect::<Vec<_>>().join(" "))
        };
        let usual = "gxc_role hf.Affiliation hf.EnrollmentID hf.Type";
        assert_eq!(names(None).as_deref(), Some(usual));
        assert_eq!(names(Some(&[])).as_deref(), Some(""));
        let asked = [("gxc_role", false), ("colour", true)];
        assert_eq!(names(Some(&asked)).as_deref(), Some("gxc_role"));
        assert_eq!(names(Some(&[("colour", false)])), None);
    }
}
