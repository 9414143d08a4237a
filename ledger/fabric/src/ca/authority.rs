//! An authority of an organization: issues certificates as Fabric CA does.

use std::collections::BTreeMap;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::msp::{Certificate, CertificateError};

/// Where Fabric CA writes attributes.
const ATTRIBUTES: &[u64] = &[1, 2, 3, 4, 5, 6, 7, 8, 1];
/// How far back certificates hold, for clocks that are behind; as Fabric CA does.
const BACKDATE: Duration = Duration::minutes(5);
/// How long an authority's own certificate holds.
const AUTHORITY_TTL: Duration = Duration::days(15 * 365);

/// Why an authority cannot be made or cannot issue.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A certificate, key or request that cannot be read or signed.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// The authority's own certificate cannot be used.
    #[error(transparent)]
    Own(#[from] CertificateError),
    /// A time that a certificate cannot state.
    #[error("{0} ms since the epoch is no time that a certificate can state")]
    Time(i64),
}

/// What a member is within an organization; stands in the certificate as its
/// organizational unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Submits and asks.
    Client,
    /// Endorses.
    Peer,
}

/// Who gets a certificate.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The name under which the authority knows the holder.
    pub name: String,
    /// What the holder is.
    pub unit: Unit,
    /// What stands in the certificate about the holder.
    pub attributes: BTreeMap<String, String>,
}

impl Unit {
    /// As it stands in certificates and registrations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Peer => "peer",
        }
    }
}

/// A certificate and the key that signs for it.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A root with a key of its own.
    ///
    /// # Errors
    /// If no certificate can be made, say because of the time.
    pub fn create(name: &str, now_ms: i64) -> Result<Self, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
        ];
        holds(&mut params, now_ms, AUTHORITY_TTL)?;
        let key = KeyPair::generate()?;
        params.serial_number = Some(serial_number());
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate: Certificate::from_pem(&certificate)?,
            issuer: Issuer::new(params, key),
        })
    }

    /// One that was made before, from its certificate and key in PEM.
    ///
    /// # Errors
    /// If either cannot be read.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key)?;
        Ok(Self {
            certificate: Certificate::from_pem(certificate)?,
            issuer: Issuer::from_ca_cert_pem(certificate, key)?,
        })
    }

    /// Its certificate in PEM.
    pub fn certificate_pem(&self) -> &str {
        self.certificate.pem()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its private key in PEM, to be kept where nobody else reads it.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Issues a certificate for a key; the answer is PEM. It holds no longer than
    /// the authority's own.
    ///
    /// # Errors
    /// If the certificate cannot be made.
    pub fn issue(
        &self,
        holder: &Holder,
        key: &impl PublicKeyData,
        now_ms: i64,
        ttl: std::time::Duration,
    ) -> Result<String, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let subject = &mut params.distinguished_name;
        subject.push(DnType::OrganizationalUnitName, holder.unit.name());
        subject.push(DnType::CommonName, holder.name.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        if !holder.attributes.is_empty() {
            let json = serde_json::json!({ "attrs": holder.attributes }).to_string();
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(
                    ATTRIBUTES,
                    json.into_bytes(),
                ));
        }
        self.sign(params, key, now_ms, ttl)
    }

    /// Issues a certificate for a server, and a key for it; both in PEM.
    ///
    /// # Errors
    /// If the certificate cannot be made.
    pub fn issue_server(
        &self,
        names: &[String],
        now_ms: i64,
        ttl: std::time::Duration,
    ) -> Result<(String, String), AuthorityError> {
        let mut params = CertificateParams::new(names)?;
        let name = names.first().map_or("server", String::as_str);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = self.sign(params, &key, now_ms, ttl)?;
        Ok((certificate, key.serialize_pem()))
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        key: &impl PublicKeyData,
        now_ms: i64,
        ttl: std::time::Duration,
    ) -> Result<String, AuthorityError> {
        let ttl = Duration::try_from(ttl).unwrap_or(AUTHORITY_TTL);
        holds(&mut params, now_ms, ttl)?;
        params.not_after = params
            .not_after
            .min(time_of(self.certificate.not_after_ms())?);
        params.serial_number = Some(serial_number());
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

/// Sets from when and until when a certificate holds.
fn holds(params: &mut CertificateParams, now_ms: i64, ttl: Duration) -> Result<(), AuthorityError> {
    let now = time_of(now_ms)?;
    params.not_before = now - BACKDATE;
    params.not_after = now + ttl;
    Ok(())
}

fn time_of(ms: i64) -> Result<OffsetDateTime, AuthorityError> {
    let nanos = i128::from(ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| AuthorityError::Time(ms))
}

/// 158 bits by chance: nobody foresees a certificate's bytes, and no two of one
/// authority are alike.
fn serial_number() -> SerialNumber {
    let mut bytes: [u8; 20] = rand::random();
    // The first bit is the sign.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}
