//! The package that operators install on their peers: it says where the server is,
//! and its digest is the id under which the server registers. The same content
//! makes the same bytes, for ever: times are zero, and nothing is compressed, since
//! no two compressors agree.

use std::{io, time::Duration};

use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Where peers find the server, and how they reach it: `connection.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Connection {
    address: String,
    dial_timeout: String,
    tls_required: bool,
    #[serde(flatten)]
    tls: Option<ConnectionTls>,
}

/// What peers need to reach a server with TLS, in PEM.
#[derive(Debug, Clone, Serialize)]
struct ConnectionTls {
    client_auth_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_cert: Option<String>,
    root_cert: String,
}

/// What is wrong with a package to be.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Peers refuse other labels.
    #[error(
        "label {0:?}: must begin with a letter or a digit and consist of letters, digits and .+-_"
    )]
    Label(String),
    /// Peers cannot dial it.
    #[error("address {0:?}: must be host:port")]
    Address(String),
    /// The package cannot be put together.
    #[error("the package cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A package and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The bytes of the file, a gzipped tar archive.
    pub bytes: Vec<u8>,
    /// `label:sha256`, as peers compute it.
    pub id: String,
}

impl Connection {
    /// A server without TLS, whom a peer tries to reach for so long.
    ///
    /// # Errors
    /// [`PackageError::Address`].
    pub fn plain(address: &str, dial_timeout: Duration) -> Result<Self, PackageError> {
        let wrong = || PackageError::Address(address.to_owned());
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        if host.is_empty() || port.parse::<u16>().map_or(true, |port| port == 0) {
            return Err(wrong());
        }
        Ok(Self {
            address: address.to_owned(),
            dial_timeout: format!("{}ms", dial_timeout.as_millis()),
            tls_required: false,
            tls: None,
        })
    }

    /// The same server with TLS: who issued its certificate, and the certificate and
    /// the key that a peer shows, if it is asked. The key is in the package for every
    /// holder of it to read.
    #[must_use]
    pub fn with_tls(mut self, root: String, client: Option<(String, String)>) -> Self {
        self.tls_required = true;
        let (client_cert, client_key) = client.unzip();
        self.tls = Some(ConnectionTls {
            client_auth_required: client_cert.is_some(),
            client_key,
            client_cert,
            root_cert: root,
        });
        self
    }
}

/// Makes a package.
///
/// # Errors
/// If peers would refuse the label.
pub fn package(label: &str, connection: &Connection) -> Result<Package, PackageError> {
    if !is_label(label) {
        return Err(PackageError::Label(label.to_owned()));
    }
    let connection = serde_json::to_vec(connection).map_err(io::Error::from)?;
    let metadata = serde_json::to_vec(&serde_json::json!({ "type": "ccaas", "label": label }))
        .map_err(io::Error::from)?;
    let code = archive(&[("connection.json", &connection)])?;
    let bytes = archive(&[("metadata.json", &metadata), ("code.tar.gz", &code)])?;
    let id = format!("{label}:{}", hex::encode(Sha256::digest(&bytes)));
    Ok(Package { bytes, id })
}

/// Whether a text has the form of a package's id.
pub fn is_package_id(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(label, digest)| {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        is_label(label) && digest.len() == 64 && digest.bytes().all(hexadecimal)
    })
}

fn is_label(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    let allowed = |one: char| one.is_ascii_alphanumeric() || ".+-_".contains(one);
    begins && text.chars().all(allowed)
}

fn archive(files: &[(&str, &[u8])]) -> io::Result<Vec<u8>> {
    let compressed = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::none());
    let mut archive = tar::Builder::new(compressed);
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, name, *content)?;
    }
    archive.into_inner()?.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use serde_json::{Value, json};

    use super::*;

    const DIAL: Duration = Duration::from_secs(10);

    fn plain() -> Connection {
        Connection::plain("gx.example.org:9999", DIAL).unwrap()
    }

    fn file(archive: &[u8], name: &str) -> Vec<u8> {
        let mut archive = tar::Archive::new(GzDecoder::new(archive));
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let mut entry = entries
            .find(|entry| entry.path().unwrap().to_str() == Some(name))
            .unwrap();
        assert!(entry.header().entry_type().is_file());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        content
    }

    fn connection(package: &Package) -> Value {
        let code = file(&package.bytes, "code.tar.gz");
        serde_json::from_slice(&file(&code, "connection.json")).unwrap()
    }

    #[test]
    fn a_package_says_what_it_is_and_where_the_server_is() {
        let package = package("gx_1.0", &plain()).unwrap();
        let metadata: Value =
            serde_json::from_slice(&file(&package.bytes, "metadata.json")).unwrap();
        assert_eq!(metadata, json!({"type": "ccaas", "label": "gx_1.0"}));
        let expected = json!({
            "address": "gx.example.org:9999", "dial_timeout": "10000ms", "tls_required": false,
        });
        assert_eq!(connection(&package), expected);
    }

    #[test]
    fn with_tls_it_holds_what_a_peer_needs() {
        let server = plain().with_tls("root".into(), None);
        let told = connection(&package("gx", &server).unwrap());
        let expected = json!({
            "address": "gx.example.org:9999", "dial_timeout": "10000ms", "tls_required": true,
            "client_auth_required": false, "root_cert": "root",
        });
        assert_eq!(told, expected);
        let client = Some(("certificate".into(), "key".into()));
        let mutual = plain().with_tls("root".into(), client);
        let told = connection(&package("gx", &mutual).unwrap());
        assert_eq!(told["client_auth_required"], true);
        assert_eq!(
            (&told["client_cert"], &told["client_key"]),
            (&json!("certificate"), &json!("key"))
        );
    }

    #[test]
    fn the_same_content_is_the_same_package_for_ever() {
        let package = package("gx_1.0", &plain()).unwrap();
        let digest = "97bc508768accffd80482d5062e4ffe59891b666df63e0b587c9545b125abe34";
        assert_eq!(package.id, format!("gx_1.0:{digest}"));
        assert!(is_package_id(&package.id));
    }

    #[test]
    fn what_peers_would_refuse_is_refused() {
        for label in ["", "_gx", "gx:1", "gx/1", "gé"] {
            assert!(
                matches!(package(label, &plain()), Err(PackageError::Label(_))),
                "{label}"
            );
            assert!(
                !is_package_id(&format!("{label}:{}", "0".repeat(64))),
                "{label}"
            );
        }
        for address in ["", "host", ":9999", "host:0", "host:port", "host:70000"] {
            let connection = Connection::plain(address, DIAL);
            assert!(
                matches!(connection, Err(PackageError::Address(_))),
                "{address}"
            );
        }
        assert!(!is_package_id("gx_1.0:00"));
    }
}
