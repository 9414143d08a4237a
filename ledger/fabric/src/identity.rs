//! Who submits: an MSP and a role, and how they stand in a transaction.

use bytes::Bytes;
use gx_contract::ChainRole;
use gx_proto::gx::contract::v1::Domain;
use prost::Message;

use crate::proto::msp::SerializedIdentity;

/// What stands before the role in the in-process form of an identity.
const ROLE_PREFIX: &str = "gxc_role=";

/// An identity of the chain.
///
/// On a network `SerializedIdentity.id_bytes` is a PEM certificate whose attribute
/// `gxc_role` names the role. In one process there is nobody to be mistaken for,
/// so there it is the text `gxc_role=<role>` (an empty role for none): no
/// certificate and no signature, and never accepted over a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organization.
    pub msp_id: String,
    /// What the identity may submit.
    pub role: Option<ChainRole>,
}

impl Identity {
    /// The identity that moves the lanes of a domain; none moves an unspecified one.
    pub fn of_domain(msp_id: &str, domain: Domain) -> Option<Self> {
        let role = match domain {
            Domain::Partner => ChainRole::Partner,
            Domain::Staff => ChainRole::Admin,
            Domain::Sys => ChainRole::SuperAdmin,
            Domain::Unspecified => return None,
        };
        Some(Self {
            msp_id: msp_id.into(),
            role: Some(role),
        })
    }

    /// The in-process form, as it stands in a signature header.
    pub fn to_creator(&self) -> Bytes {
        let role = self.role.map_or("", ChainRole::attribute);
        let id_bytes = format!("{ROLE_PREFIX}{role}").into();
        SerializedIdentity {
            mspid: self.msp_id.clone(),
            id_bytes,
        }
        .encode_to_vec()
        .into()
    }

    /// Reads the in-process form.
    pub fn from_creator(creator: &[u8]) -> Option<Self> {
        let SerializedIdentity { mspid, id_bytes } = SerializedIdentity::decode(creator).ok()?;
        let role = std::str::from_utf8(&id_bytes)
            .ok()?
            .strip_prefix(ROLE_PREFIX)?;
        Some(Self {
            msp_id: mspid,
            role: ChainRole::from_attribute(role),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_comes_back_from_its_creator_bytes() {
        for domain in [Domain::Partner, Domain::Staff, Domain::Sys] {
            let identity = Identity::of_domain("Org1MSP", domain).unwrap();
            assert_eq!(
                Identity::from_creator(&identity.to_creator()),
                Some(identity)
            );
        }
        let nobody = Identity {
            msp_id: "Org1MSP".into(),
            role: None,
        };
        assert_eq!(Identity::from_creator(&nobody.to_creator()), Some(nobody));
    }
}
