//! Whose signature: certificates and keys.

use gx_fabric::proto::msp::SerializedIdentity;
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use prost::Message;
use x509_parser::{pem::parse_x509_pem, prelude::X509Certificate};

/// The authorities' certificates in PEM, by their organizations' MSPs.
pub(crate) type Authorities = Vec<(String, String)>;

/// Somebody whom an organization's authority vouches for.
pub(crate) struct Signer {
    pub(crate) msp_id: String,
    pub(crate) is_peer: bool,
    key: VerifyingKey,
}

impl Signer {
    /// Finds out whose bytes an identity is.
    pub(crate) fn of(identity: &[u8], authorities: &Authorities) -> Option<Self> {
        let identity = SerializedIdentity::decode(identity).ok()?;
        let (_, authority) = authorities.iter().find(|(id, _)| *id == identity.mspid)?;
        let (_, authority) = parse_x509_pem(authority.as_bytes()).ok()?;
        let authority = authority.parse_x509().ok()?;
        let (_, own) = parse_x509_pem(&identity.id_bytes).ok()?;
        let own: X509Certificate<'_> = own.parse_x509().ok()?;
        own.verify_signature(Some(authority.public_key())).ok()?;
        let mut units = own.subject().iter_organizational_unit();
        Some(Self {
            msp_id: identity.mspid,
            is_peer: units.any(|unit| unit.as_str() == Ok("peer")),
            key: VerifyingKey::from_public_key_der(own.public_key().raw).ok()?,
        })
    }

    /// Whether this one signed a message, in the one form that counts.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_der(signature).ok();
        signature.is_some_and(|signature| {
            signature.normalize_s() == signature && self.key.verify(message, &signature).is_ok()
        })
    }
}
