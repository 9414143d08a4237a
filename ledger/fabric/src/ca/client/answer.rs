//! What an authority's answer must be before any of it is kept.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{EnrolError, Wanted};
use crate::{
    ca::wire::Issued,
    msp::{Certificate, SigningIdentity},
};

/// No chain is longer.
const DEPTH: usize = 8;

/// What was asked for, and whom to trust.
pub(super) struct Expected<'a> {
    pub(super) wanted: &'a Wanted,
    /// In PEM.
    pub(super) key: &'a str,
    pub(super) trusted: Option<&'a [Certificate]>,
    pub(super) now_ms: i64,
}

impl Expected<'_> {
    /// The certificate in PEM and its issuers up to one that is trusted.
    pub(super) fn check(&self, issued: &Issued) -> Result<(String, Vec<Certificate>), EnrolError> {
        let pem = text(&issued.cert)?;
        let identity = SigningIdentity::from_pem("", &pem, self.key)
            .map_err(|error| EnrolError::Untrusted(error.to_string()))?;
        let certificate = identity.certificate();
        self.check_holder(certificate)?;
        let chain = Certificate::all_from_pem(&text(&issued.server_info.chain)?)
            .map_err(|error| untrusted(format!("its chain: {error}")))?;
        let path = self.path(certificate, &chain)?;
        Ok((pem, path))
    }

    fn check_holder(&self, certificate: &Certificate) -> Result<(), EnrolError> {
        let Wanted { id, role } = self.wanted;
        let subject = certificate.subject();
        if certificate.common_name() != Some(id) {
            return Err(untrusted(format!("it is for {subject}, not for {id}")));
        }
        if certificate.is_authority() {
            return Err(untrusted("it is an authority's own certificate"));
        }
        if !certificate.holds_at(self.now_ms) {
            return Err(untrusted("it does not hold now"));
        }
        match role {
            Some(role) if certificate.role() != Some(*role) => {
                let role = role.attribute();
                Err(untrusted(format!("it does not have the role {role}")))
            }
            _ => Ok(()),
        }
    }

    /// The issuers, from the certificate's own to one that is trusted; to a root of
    /// the chain itself, if nobody is trusted yet.
    fn path(
        &self,
        certificate: &Certificate,
        chain: &[Certificate],
    ) -> Result<Vec<Certificate>, EnrolError> {
        let roots = |chain: &[Certificate]| {
            let roots = chain.iter().filter(|one| one.is_issued_by(one));
            roots.cloned().collect()
        };
        let trusted = self.trusted.map_or_else(|| roots(chain), <[_]>::to_vec);
        let issuer = |of: &Certificate, among: &[Certificate]| {
            let holds = |one: &&Certificate| one.holds_at(self.now_ms) && of.is_issued_by(one);
            among.iter().find(holds).cloned()
        };
        let (mut path, mut last) = (Vec::new(), certificate.clone());
        while path.len() < DEPTH {
            if let Some(end) = issuer(&last, &trusted) {
                path.push(end);
                return Ok(path);
            }
            let Some(next) = issuer(&last, chain) else {
                break;
            };
            path.push(next.clone());
            last = next;
        }
        Err(untrusted(
            "its issuers lead to no authority that is trusted",
        ))
    }
}

fn text(encoded: &str) -> Result<String, EnrolError> {
    let decoded = BASE64_STANDARD.decode(encoded).ok();
    decoded
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| untrusted("it is not in base64"))
}

fn untrusted(why: impl Into<String>) -> EnrolError {
    EnrolError::Untrusted(why.into())
}
