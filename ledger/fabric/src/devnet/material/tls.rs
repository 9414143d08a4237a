//! What the server shows to those who connect: a certificate for its names, and the
//! authority that clients trust for it.

use std::path::{Path, PathBuf};

use super::{MaterialError, RENEW_MS, TTL, files::Pair, organization::authority};
use crate::msp::{Certificate, SigningIdentity};

/// The names that every devnet answers to, besides the host's.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The server's certificate and key.
pub struct TlsMaterial {
    /// The certificate in PEM.
    pub certificate: String,
    /// The private key in PEM.
    pub key: String,
    /// The certificate of the authority that issued it, in PEM.
    pub authority_pem: String,
    /// The file of that one.
    pub authority_path: PathBuf,
}

impl TlsMaterial {
    /// Opens it in a devnet's folder. A certificate that is missing, ends soon or lacks
    /// a name is made anew, with a key of its own.
    pub(super) fn open(
        folder: &Path,
        names: &[String],
        now_ms: i64,
    ) -> Result<Self, MaterialError> {
        let folder = folder.join("tls");
        let authority = authority(folder.join("ca"), "tlsca", now_ms)?;
        let authority_pem = authority.certificate_pem().to_owned();
        let issuer = Certificate::from_pem(&authority_pem)?;
        let pair = Pair::open(folder.join("server"))?;
        let names = all_names(names);
        let found = pair.read()?;
        let usable = |certificate: &str, key: &str| {
            let identity = SigningIdentity::from_pem("", certificate, key).ok()?;
            let certificate = identity.certificate();
            let holds = certificate.not_after_ms() - now_ms > RENEW_MS
                && certificate.is_issued_by(&issuer)
                && names.iter().all(|name| certificate.names().contains(name));
            holds.then_some(())
        };
        let (certificate, key) = match (found.certificate, found.key) {
            (Some(certificate), Some(key)) if usable(&certificate, &key).is_some() => {
                (certificate, key)
            }
            _ => {
                let (certificate, key) = authority.issue_server(&names, now_ms, TTL)?;
                pair.write(&certificate, &key)?;
                (certificate, key)
            }
        };
        Ok(Self {
            certificate,
            key,
            authority_pem,
            authority_path: folder.join("ca").join("cert.pem"),
        })
    }
}

fn all_names(further: &[String]) -> Vec<String> {
    let host = gethostname::gethostname().into_string().ok();
    let mut names: Vec<String> = NAMES.map(str::to_owned).into();
    for name in host.into_iter().chain(further.iter().cloned()) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
