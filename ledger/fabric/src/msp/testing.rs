//! Members for tests.

use std::time::Duration;

use rcgen::KeyPair;

use super::SigningIdentity;
use crate::ca::{Authority, Holder, Unit};

/// When certificates of the tests are made.
pub(crate) const NOW_MS: i64 = 1_795_000_000_000;

/// An organization whose authority issues what the tests need.
pub(crate) struct Organization {
    authority: Authority,
    msp_id: &'static str,
}

impl Organization {
    /// A new one.
    pub(crate) fn new(msp_id: &'static str) -> Self {
        Self {
            authority: Authority::create(msp_id, NOW_MS).unwrap(),
            msp_id,
        }
    }

    /// The certificate of its authority.
    pub(crate) fn pem(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// A certificate and its key, both in PEM, with a role or without.
    pub(crate) fn issue(&self, role: Option<&str>) -> (String, String) {
        let role = role.map(|role| ("gxc_role".to_owned(), role.to_owned()));
        let holder = Holder {
            name: "member".into(),
            unit: Unit::Client,
            attributes: role.into_iter().collect(),
        };
        let key = KeyPair::generate().unwrap();
        let hour = Duration::from_secs(3_600);
        let certificate = self.authority.issue(&holder, &key, NOW_MS, hour).unwrap();
        (certificate, key.serialize_pem())
    }

    /// A member who can sign.
    pub(crate) fn member(&self, role: Option<&str>) -> SigningIdentity {
        let (certificate, key) = self.issue(role);
        SigningIdentity::from_pem(self.msp_id, &certificate, &key).unwrap()
    }
}
