//! An organization: its authority, its peer, and identities of which each may submit
//! what its attribute says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use gx_contract::ChainRole;
use rcgen::KeyPair;

use super::{MaterialError, RENEW_MS, TTL, files::Pair};
use crate::{
    ca::{Authority, Holder, Unit},
    msp::{Certificate, SigningIdentity},
};

/// The attribute that names what its holder may submit.
const ROLE: &str = "gxc_role";

/// The identities of every organization; `user` may only ask.
const IDENTITIES: [(&str, Option<ChainRole>); 4] = [
    ("partner", Some(ChainRole::Partner)),
    ("admin", Some(ChainRole::Admin)),
    ("super_admin", Some(ChainRole::SuperAdmin)),
    ("user", None),
];

/// An organization of the channel.
pub struct Organization {
    /// Its name in the folder.
    pub name: &'static str,
    /// Its MSP.
    pub msp_id: &'static str,
    /// Its authority.
    pub authority: Arc<Authority>,
    /// The certificate of its authority.
    pub authority_pem: String,
    /// Its one peer.
    pub peer: SigningIdentity,
    /// Its identities by name.
    pub identities: BTreeMap<&'static str, IdentityFiles>,
}

/// An identity, and where it stands.
#[derive(Debug)]
pub struct IdentityFiles {
    /// The identity.
    pub identity: SigningIdentity,
    /// The certificate in PEM.
    pub certificate: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

impl Organization {
    /// Opens an organization in a devnet's folder, and makes what is missing.
    pub(super) fn open(
        folder: &Path,
        name: &'static str,
        msp_id: &'static str,
        now_ms: i64,
    ) -> Result<Self, MaterialError> {
        let own = folder.join("organizations").join(name);
        let authority = authority(own.join("ca"), &format!("ca.{name}"), now_ms)?;
        let issuer = Issuer {
            authority: &authority,
            certificate: Certificate::from_pem(authority.certificate_pem())?,
            msp_id,
            now_ms,
        };
        let peer = Holder {
            name: format!("peer0.{name}"),
            unit: Unit::Peer,
            attributes: BTreeMap::new(),
        };
        let peer = issuer.member(own.join("peer"), &peer)?.identity;
        let identities = IDENTITIES.into_iter().map(|(identity, role)| {
            let folder = folder.join("identities").join(name).join(identity);
            Ok((identity, issuer.member(folder, &client(identity, role))?))
        });
        Ok(Self {
            name,
            msp_id,
            peer,
            identities: identities.collect::<Result<_, MaterialError>>()?,
            authority_pem: authority.certificate_pem().to_owned(),
            authority: Arc::new(authority),
        })
    }
}

fn client(name: &str, role: Option<ChainRole>) -> Holder {
    let attribute = role.map(|role| (ROLE.to_owned(), role.attribute().to_owned()));
    Holder {
        name: name.to_owned(),
        unit: Unit::Client,
        attributes: attribute.into_iter().collect(),
    }
}

/// The authority in a folder, made if it is missing.
pub(super) fn authority(
    folder: PathBuf,
    name: &str,
    now_ms: i64,
) -> Result<Authority, MaterialError> {
    let pair = Pair::open(folder)?;
    let found = pair.read()?;
    if let (Some(certificate), Some(key)) = (found.certificate, found.key) {
        return Authority::from_pem(&certificate, &key).map_err(|source| MaterialError::Damaged {
            path: pair.folder().to_owned(),
            source,
        });
    }
    let authority = Authority::create(name, now_ms)?;
    pair.write(authority.certificate_pem(), &authority.key_pem())?;
    Ok(authority)
}

/// Who issues certificates of an organization, and when.
struct Issuer<'a> {
    authority: &'a Authority,
    certificate: Certificate,
    msp_id: &'static str,
    now_ms: i64,
}

impl Issuer<'_> {
    /// The member in a folder. One that is missing or no good is made; a certificate
    /// that ends soon is issued anew for its key.
    fn member(&self, folder: PathBuf, holder: &Holder) -> Result<IdentityFiles, MaterialError> {
        let pair = Pair::open(folder)?;
        let found = pair.read()?;
        let identity = found.certificate.zip(found.key.clone());
        let identity = identity.and_then(|(certificate, key)| {
            SigningIdentity::from_pem(self.msp_id, &certificate, &key).ok()
        });
        let identity = match identity.filter(|identity| self.holds(identity.certificate())) {
            Some(identity) => identity,
            None => self.issue(&pair, found.key.as_deref(), holder)?,
        };
        Ok(IdentityFiles {
            identity,
            certificate: pair.certificate_path(),
            key: pair.key_path(),
        })
    }

    fn holds(&self, certificate: &Certificate) -> bool {
        certificate.not_after_ms() - self.now_ms > RENEW_MS
            && certificate.is_issued_by(&self.certificate)
    }

    fn issue(
        &self,
        pair: &Pair,
        key: Option<&str>,
        holder: &Holder,
    ) -> Result<SigningIdentity, MaterialError> {
        let kept = key.and_then(|key| KeyPair::from_pem(key).ok());
        let key = match &kept {
            Some(key) => key,
            None => &KeyPair::generate()?,
        };
        let certificate = self.authority.issue(holder, key, self.now_ms, TTL)?;
        let identity = SigningIdentity::from_pem(self.msp_id, &certificate, &key.serialize_pem())?;
        match kept {
            Some(_) => pair.write_certificate(&certificate)?,
            None => pair.write(&certificate, &key.serialize_pem())?,
        }
        Ok(identity)
    }
}
