//! A PKCS#10 request for a certificate. Only its key and common name count; what
//! else the certificate says is the authority's word.

use p256::{ecdsa::VerifyingKey, pkcs8::DecodePublicKey};
use rcgen::SubjectPublicKeyInfo;
use x509_parser::{
    certification_request::X509CertificationRequest, pem::parse_x509_pem, prelude::FromDer,
};

use super::Refusal;
use crate::msp::common_name;

/// A request whose maker has the key.
pub(super) struct Request {
    pub(super) common_name: String,
    pub(super) key: SubjectPublicKeyInfo,
}

impl Request {
    pub(super) fn from_pem(pem: &str) -> Result<Self, Refusal> {
        let decoded = parse_x509_pem(pem.as_bytes()).ok();
        let (_, block) = decoded.ok_or_else(|| Refusal::request("CSR Decode failed"))?;
        if !["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"].contains(&block.label.as_str()) {
            return Err(Refusal::request("not a certificate or csr"));
        }
        let parsed = X509CertificationRequest::from_der(&block.contents).ok();
        let (_, request) = parsed.ok_or_else(|| Refusal::request("CSR Decode failed"))?;
        let info = &request.certification_request_info;
        let key = info.subject_pki.raw;
        VerifyingKey::from_public_key_der(key)
            .map_err(|_| Refusal::request("the CSR's key must be of ECDSA on P-256"))?;
        request
            .verify_signature()
            .map_err(|_| Refusal::request("the CSR is not signed by its key"))?;
        Ok(Self {
            common_name: common_name(&info.subject).ok_or_else(Refusal::common_name)?,
            key: SubjectPublicKeyInfo::from_der(key)
                .map_err(|_| Refusal::request("the CSR's key cannot be read"))?,
        })
    }
}
