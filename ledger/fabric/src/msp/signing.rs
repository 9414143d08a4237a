//! Who signs: a certificate and its key.

use bytes::Bytes;
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use prost::Message;

use super::{Certificate, CertificateError};
use crate::proto::msp::SerializedIdentity;

/// Why nothing can be signed with a certificate and a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key is no PKCS#8 or SEC 1 text of a key of ECDSA on P-256.
    #[error("not a private key of ECDSA on P-256 in PEM")]
    Key,
    /// The key is another one's.
    #[error("the private key does not belong to the certificate")]
    Foreign,
}

/// A member of an organization with its key. Shown without the key.
#[derive(Clone)]
pub struct SigningIdentity {
    msp_id: String,
    certificate: Certificate,
    key: SigningKey,
    creator: Bytes,
}

impl SigningIdentity {
    /// From a certificate and a key in PEM.
    ///
    /// # Errors
    /// If either cannot be read, or they do not belong together.
    pub fn from_pem(
        msp_id: impl Into<String>,
        certificate: &str,
        key: &str,
    ) -> Result<Self, SigningError> {
        let msp_id = msp_id.into();
        let certificate = Certificate::from_pem(certificate)?;
        let key = SecretKey::from_pkcs8_pem(key)
            .ok()
            .or_else(|| SecretKey::from_sec1_pem(key).ok())
            .map(SigningKey::from)
            .ok_or(SigningError::Key)?;
        if key.verifying_key() != certificate.key() {
            return Err(SigningError::Foreign);
        }
        let creator = SerializedIdentity {
            mspid: msp_id.clone(),
            id_bytes: Bytes::copy_from_slice(certificate.pem().as_bytes()),
        };
        Ok(Self {
            creator: creator.encode_to_vec().into(),
            msp_id,
            certificate,
            key,
        })
    }

    /// The organization.
    pub fn msp_id(&self) -> &str {
        &self.msp_id
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The identity as it stands in signature headers and endorsements; always the
    /// same bytes, since transaction ids are made of them.
    pub fn creator(&self) -> &Bytes {
        &self.creator
    }

    /// Signs the SHA-256 of `message`: ECDSA in DER, with `s` in the lower half.
    pub fn sign(&self, message: &[u8]) -> Bytes {
        let signature: Signature = self.key.sign(message);
        Bytes::copy_from_slice(signature.normalize_s().to_der().as_bytes())
    }
}

impl std::fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningIdentity")
            .field("msp_id", &self.msp_id)
            .field("subject", &self.certificate.subject())
            .finish_non_exhaustive()
    }
}
