//! The part of a proposal that the gateway itself reads: which chaincode on which
//! channel. Nothing else is checked before an endorser does.

use crate::{
    devnet::unmarshal::unmarshal,
    proto::{
        common::{ChannelHeader, Header},
        protos,
    },
};

/// A proposal as the gateway sees it.
pub(super) struct Call {
    pub(super) channel: String,
    /// What is called, as far as it is named.
    pub(super) spec: Option<protos::ChaincodeSpec>,
    pub(super) header: Header,
    /// What is called, without what must not stand in a block.
    pub(super) payload: protos::ChaincodeProposalPayload,
}

impl Call {
    /// Reads a proposal.
    ///
    /// # Errors
    /// In Fabric's words.
    pub(super) fn read(signed: &protos::SignedProposal) -> Result<Self, String> {
        let proposal: protos::Proposal = unmarshal("Proposal", &signed.proposal_bytes)?;
        let header: Header = unmarshal("Header", &proposal.header)?;
        let channel: ChannelHeader = unmarshal("ChannelHeader", &header.channel_header)?;
        let mut payload: protos::ChaincodeProposalPayload =
            unmarshal("ChaincodeProposalPayload", &proposal.payload)?;
        payload.transient_map.clear();
        let call: protos::ChaincodeInvocationSpec =
            unmarshal("ChaincodeInvocationSpec", &payload.input)?;
        Ok(Self {
            channel: channel.channel_id,
            spec: call.chaincode_spec,
            header,
            payload,
        })
    }

    /// The chaincode's name; empty where none is given.
    pub(super) fn chaincode(&self) -> &str {
        let id = self
            .spec
            .as_ref()
            .and_then(|spec| spec.chaincode_id.as_ref());
        id.map_or("", |id| &id.name)
    }
}
