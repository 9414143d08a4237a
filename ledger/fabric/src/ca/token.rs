//! How a member shows that a request is its own: the certificate and a signature.
//!
//! The signature covers method, path and body, so that it is good for no other
//! request. An older form covered the body alone; Fabric CA refuses it by default,
//! and so does this.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::msp::{Certificate, SigningIdentity};

/// A request, as a signature covers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covered<'a> {
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) uri: &'a str,
    pub(super) body: &'a [u8],
}

impl Covered<'_> {
    fn message(&self, certificate: &str) -> String {
        let uri = BASE64_STANDARD.encode(self.uri);
        let body = BASE64_STANDARD.encode(self.body);
        format!("{}.{uri}.{body}.{certificate}", self.method)
    }

    /// The value of the header `authorization`.
    pub(super) fn sign(&self, identity: &SigningIdentity) -> String {
        let certificate = BASE64_STANDARD.encode(identity.certificate().pem());
        let signature = identity.sign(self.message(&certificate).as_bytes());
        format!("{certificate}.{}", BASE64_STANDARD.encode(signature))
    }

    /// Whose certificate the value of the header shows, if its key signed. Whether
    /// anybody vouches for the certificate is another question.
    pub(super) fn signer(&self, token: &str) -> Option<Certificate> {
        let (encoded, signature) = token.split_once('.')?;
        let pem = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let signature = BASE64_STANDARD.decode(signature).ok()?;
        let certificate = Certificate::from_pem(&pem).ok()?;
        let message = self.message(encoded);
        certificate
            .has_signed(message.as_bytes(), &signature)
            .then_some(certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msp::testing::Organization;

    const COVERED: Covered<'static> = Covered {
        method: "POST",
        uri: "/api/v1/reenroll",
        body: b"{}",
    };

    #[test]
    fn a_token_is_good_for_its_request_alone() {
        let member = Organization::new("Org1MSP").member(None);
        let token = COVERED.sign(&member);
        let signer = COVERED.signer(&token).unwrap();
        assert_eq!(signer.pem(), member.certificate().pem());
        let others = [
            Covered {
                method: "GET",
                ..COVERED
            },
            Covered {
                uri: "/api/v1/revoke",
                ..COVERED
            },
            Covered {
                body: b"{ }",
                ..COVERED
            },
        ];
        for other in others {
            assert!(other.signer(&token).is_none(), "{other:?}");
        }
    }

    #[test]
    fn the_older_form_and_what_is_no_token_are_refused() {
        let member = Organization::new("Org1MSP").member(None);
        let certificate = BASE64_STANDARD.encode(member.certificate().pem());
        let older = format!("{}.{certificate}", BASE64_STANDARD.encode(COVERED.body));
        let older = BASE64_STANDARD.encode(member.sign(older.as_bytes()));
        for token in [
            &format!("{certificate}.{older}"),
            &certificate,
            "",
            ".",
            "a.b",
        ] {
            assert!(COVERED.signer(token).is_none(), "{token}");
        }
    }
}
