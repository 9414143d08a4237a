//! What the two sides say to each other, as JSON.

use serde::{Deserialize, Serialize};

/// Where the interface stands; the server answers without the prefix too.
pub(super) const PREFIX: &str = "/api/v1";

/// Asks for a certificate.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct EnrolmentRequest {
    /// A PKCS#10 request in PEM.
    #[serde(default)]
    pub(super) certificate_request: String,
    /// Attributes for the certificate; without, those that are registered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attr_reqs: Option<Vec<AttributeRequest>>,
    /// The authority, where the server has several. Programs in Go write `CAName`.
    #[serde(default, alias = "CAName", skip_serializing_if = "Option::is_none")]
    pub(super) caname: Option<String>,
    /// The kind of certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
}

/// One attribute that a certificate shall have.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct AttributeRequest {
    pub(super) name: String,
    /// Whether the certificate is of use without it.
    #[serde(default)]
    pub(super) optional: bool,
}

/// Every answer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer<T> {
    pub(super) result: T,
    #[serde(default)]
    pub(super) errors: Vec<Message>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
    pub(super) success: bool,
}

/// What went wrong.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Message {
    pub(super) code: u32,
    pub(super) message: String,
}

/// The result of an enrolment.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Issued {
    /// The certificate in PEM, in base64.
    pub(super) cert: String,
    pub(super) server_info: Info,
}

/// What an authority says of itself.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    #[serde(rename = "CAName")]
    pub(super) name: String,
    /// Certificates from the authority's own to the root, in PEM, in base64.
    #[serde(rename = "CAChain")]
    pub(super) chain: String,
    /// For anonymous credentials, which we have none of; clients want the fields.
    #[serde(default)]
    pub(super) issuer_public_key: String,
    #[serde(default)]
    pub(super) issuer_revocation_public_key: String,
    #[serde(default)]
    pub(super) version: String,
}
