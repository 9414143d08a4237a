//! X.509 certificates of people and peers: how long they hold, what attributes
//! Fabric CA wrote into them, and what their keys have signed.

use std::{collections::BTreeMap, net::IpAddr};

use gx_contract::ChainRole;
use p256::{
    ecdsa::{DerSignature, Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use serde::Deserialize;
use x509_parser::{
    asn1_rs::{Oid, oid},
    extensions::GeneralName,
    pem::parse_x509_pem,
    prelude::{FromDer, X509Certificate},
};

/// The extension into which Fabric CA writes attributes, as JSON.
const ATTRIBUTES: Oid<'static> = oid!(1.2.3.4.5.6.7.8.1);
/// The attribute that names what its holder may submit.
const ROLE: &str = "gxc_role";

/// Why a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not PEM, or not of type CERTIFICATE.
    #[error("not a certificate in PEM")]
    Pem,
    /// It is not X.509 in DER.
    #[error("not an X.509 certificate: {0}")]
    X509(String),
    /// Its key is not one of ECDSA on P-256, the only one that Fabric takes from
    /// clients by default.
    #[error("the key is not of ECDSA on P-256")]
    Key,
}

/// A certificate, decoded once.
#[derive(Debug, Clone)]
pub struct Certificate {
    pem: String,
    der: Vec<u8>,
    key: VerifyingKey,
    subject: String,
    not_before_ms: i64,
    not_after_ms: i64,
    is_authority: bool,
    units: Vec<String>,
    names: Vec<String>,
    attributes: BTreeMap<String, String>,
}

/// What the extension holds.
#[derive(Deserialize)]
struct Attributes {
    attrs: BTreeMap<String, String>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// If there is none, or its key is not of ECDSA on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let (_, block) = parse_x509_pem(pem.as_bytes()).map_err(|_| CertificateError::Pem)?;
        if block.label != "CERTIFICATE" {
            return Err(CertificateError::Pem);
        }
        let unreadable = |error: &dyn std::fmt::Display| CertificateError::X509(error.to_string());
        let (_, x509) =
            X509Certificate::from_der(&block.contents).map_err(|error| unreadable(&error))?;
        let key = VerifyingKey::from_public_key_der(x509.public_key().raw)
            .map_err(|_| CertificateError::Key)?;
        Ok(Self {
            pem: pem.to_owned(),
            key,
            subject: x509.subject().to_string(),
            not_before_ms: x509.validity().not_before.timestamp().saturating_mul(1_000),
            not_after_ms: x509.validity().not_after.timestamp().saturating_mul(1_000),
            is_authority: x509.is_ca(),
            units: units(&x509),
            names: names(&x509),
            attributes: attributes(&x509),
            der: block.contents,
        })
    }

    /// Reads every certificate of a PEM text.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, CertificateError> {
        const END: &str = "-----END CERTIFICATE-----";
        let found: Result<Vec<_>, _> = pem
            .split_inclusive(END)
            .filter(|part| part.contains(END))
            .map(|part| Self::from_pem(&format!("{}\n", part.trim_start())))
            .collect();
        found.and_then(|found| match found.is_empty() {
            true => Err(CertificateError::Pem),
            false => Ok(found),
        })
    }

    /// The text that it was read from; an identity is these bytes.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its holder's distinguished name.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// From when on it holds, in milliseconds since the Unix epoch.
    pub fn not_before_ms(&self) -> i64 {
        self.not_before_ms
    }

    /// Until when it holds, in milliseconds since the Unix epoch.
    pub fn not_after_ms(&self) -> i64 {
        self.not_after_ms
    }

    /// Its holder's organizational units, of which one tells client from peer.
    pub fn units(&self) -> &[String] {
        &self.units
    }

    /// The hosts that it is for: names, and addresses as they are written.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it may issue others.
    pub fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// An attribute that Fabric CA wrote into it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// What its holder may submit. The attribute alone counts, no organizational unit.
    pub fn role(&self) -> Option<ChainRole> {
        ChainRole::from_attribute(self.attribute(ROLE)?)
    }

    /// Its key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether `authority` issued it.
    pub fn is_issued_by(&self, authority: &Self) -> bool {
        let parsed = X509Certificate::from_der(&self.der).ok();
        let issuer = X509Certificate::from_der(&authority.der).ok();
        let (Some((_, own)), Some((_, issuer))) = (parsed, issuer) else {
            return false;
        };
        authority.is_authority
            && own.issuer() == issuer.subject()
            && own.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// Whether its key signed the SHA-256 of `message`. A signature whose `s` is in
    /// the upper half is none: Fabric takes one of the two forms alone.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(der) = DerSignature::from_bytes(signature) else {
            return false;
        };
        let Ok(signature) = Signature::try_from(der) else {
            return false;
        };
        signature.normalize_s() == signature && self.key.verify(message, &signature).is_ok()
    }
}

fn units(x509: &X509Certificate<'_>) -> Vec<String> {
    let units = x509.subject().iter_organizational_unit();
    units
        .filter_map(|unit| unit.as_str().ok())
        .map(str::to_owned)
        .collect()
}

fn names(x509: &X509Certificate<'_>) -> Vec<String> {
    let found = x509.subject_alternative_name().ok().flatten();
    let names = found.map(|found| found.value.general_names.as_slice());
    let names = names.unwrap_or_default().iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok().map(|address| address.to_string())
}

fn attributes(x509: &X509Certificate<'_>) -> BTreeMap<String, String> {
    let extension = x509.get_extension_unique(&ATTRIBUTES).ok().flatten();
    extension
        .and_then(|extension| serde_json::from_slice::<Attributes>(extension.value).ok())
        .map(|attributes| attributes.attrs)
        .unwrap_or_default()
}
