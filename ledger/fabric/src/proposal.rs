//! A proposal: what a client asks endorsers to run.

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    LedgerError,
    header::{Headers, to_timestamp, transaction_id},
    proto::{
        common::{ChannelHeader, Header, HeaderType, SignatureHeader},
        protos,
    },
};

/// What a client fills in; [`Draft::encode`] makes the bytes to sign and send.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The chaincode's name.
    pub chaincode: &'a str,
    /// The chaincode's function.
    pub function: &'a str,
    /// The function's one argument.
    pub argument: Bytes,
    /// The marshalled identity of the submitter.
    pub creator: Bytes,
    /// Never used before by this creator.
    pub nonce: [u8; 24],
    /// The transaction's time in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
}

impl Draft<'_> {
    /// The transaction's id and the encoded `protos.Proposal`, field by field as
    /// Fabric's own clients fill it.
    pub fn encode(self) -> (String, Bytes) {
        let tx_id = transaction_id(&self.nonce, &self.creator);
        let chaincode_id = protos::ChaincodeId {
            name: self.chaincode.into(),
            ..Default::default()
        };
        let channel_header = ChannelHeader {
            r#type: HeaderType::EndorserTransaction as i32,
            timestamp: Some(to_timestamp(self.timestamp_ms)),
            channel_id: self.channel.into(),
            tx_id: tx_id.clone(),
            extension: encode(&protos::ChaincodeHeaderExtension {
                chaincode_id: Some(chaincode_id.clone()),
            }),
            ..Default::default()
        };
        let signature_header = SignatureHeader {
            creator: self.creator,
            nonce: Bytes::copy_from_slice(&self.nonce),
        };
        let header = Header {
            channel_header: encode(&channel_header),
            signature_header: encode(&signature_header),
        };
        let proposal = protos::Proposal {
            header: encode(&header),
            payload: encode(&call(chaincode_id, self.function, self.argument)),
            extension: Bytes::new(),
        };
        (tx_id, encode(&proposal))
    }
}

/// A proposal as an endorser reads it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Who asks, when, on which channel.
    pub headers: Headers,
    /// The chaincode's name.
    pub chaincode: String,
    /// The chaincode's function.
    pub function: String,
    /// The function's argument.
    pub argument: Bytes,
    /// The encoded `ChaincodeProposalPayload` without transient data: what goes into
    /// the transaction.
    pub payload: Bytes,
}

impl Proposal {
    /// Decodes a `protos.Proposal`.
    ///
    /// # Errors
    /// [`LedgerError::Internal`] if it is not one that calls chaincode.
    pub fn decode(bytes: &Bytes) -> Result<Self, LedgerError> {
        let unreadable = |what| LedgerError::internal(format!("proposal without {what}"));
        let proposal = protos::Proposal::decode(bytes.clone()).map_err(LedgerError::internal)?;
        let header = Header::decode(proposal.header).map_err(LedgerError::internal)?;
        let headers = Headers::read(header).map_err(LedgerError::internal)?;

        let mut payload = protos::ChaincodeProposalPayload::decode(proposal.payload)
            .map_err(LedgerError::internal)?;
        payload.transient_map.clear();
        let call = protos::ChaincodeInvocationSpec::decode(payload.input.clone())
            .map_err(LedgerError::internal)?;
        let spec = call.chaincode_spec.ok_or_else(|| unreadable("a call"))?;
        let mut arguments = spec.input.unwrap_or_default().args.into_iter();
        let function = arguments.next().ok_or_else(|| unreadable("a function"))?;
        Ok(Self {
            headers,
            chaincode: spec
                .chaincode_id
                .ok_or_else(|| unreadable("a chaincode"))?
                .name,
            function: String::from_utf8_lossy(&function).into_owned(),
            argument: arguments.next().unwrap_or_default(),
            payload: encode(&payload),
        })
    }

    /// The digest by which endorsers name this proposal.
    pub fn hash(&self) -> Bytes {
        let digest = Sha256::new()
            .chain_update(&self.headers.raw.channel_header)
            .chain_update(&self.headers.raw.signature_header)
            .chain_update(&self.payload)
            .finalize();
        Bytes::copy_from_slice(&digest)
    }
}

fn call(
    chaincode_id: protos::ChaincodeId,
    function: &str,
    argument: Bytes,
) -> protos::ChaincodeProposalPayload {
    let input = protos::ChaincodeInput {
        args: vec![Bytes::copy_from_slice(function.as_bytes()), argument],
        ..Default::default()
    };
    let spec = protos::ChaincodeSpec {
        chaincode_id: Some(chaincode_id),
        input: Some(input),
        ..Default::default()
    };
    let invocation = protos::ChaincodeInvocationSpec {
        chaincode_spec: Some(spec),
    };
    protos::ChaincodeProposalPayload {
        input: encode(&invocation),
        ..Default::default()
    }
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
