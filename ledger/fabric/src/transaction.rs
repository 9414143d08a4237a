//! A transaction: a proposal, what endorsers made of it, and back from the bytes
//! in a block.

use bytes::Bytes;
use prost::Message;

use crate::{
    ValidationFlag,
    header::Headers,
    proposal::Proposal,
    proto::{
        common::{Envelope, Payload},
        kvrwset::KvrwSet,
        protos,
        rwset::{NsReadWriteSet, TxReadWriteSet, tx_read_write_set::DataModel},
    },
};

/// The version of the chaincode that endorsers name; Fabric's validation wants one.
const CHAINCODE_VERSION: &str = "1.0";

/// The bytes that an endorser signs: the proposal's digest, and what running it
/// read, wrote, emitted and answered.
pub fn response_payload(
    proposal: &Proposal,
    rwset: &KvrwSet,
    event: Option<&protos::ChaincodeEvent>,
    answer: Bytes,
) -> Bytes {
    let results = TxReadWriteSet {
        data_model: DataModel::Kv as i32,
        ns_rwset: vec![NsReadWriteSet {
            namespace: proposal.chaincode.clone(),
            rwset: rwset.encode_to_vec().into(),
            ..Default::default()
        }],
    };
    let action = protos::ChaincodeAction {
        results: results.encode_to_vec().into(),
        events: event.map(Message::encode_to_vec).unwrap_or_default().into(),
        response: Some(protos::Response {
            status: 200,
            payload: answer,
            ..Default::default()
        }),
        chaincode_id: Some(protos::ChaincodeId {
            name: proposal.chaincode.clone(),
            version: CHAINCODE_VERSION.into(),
            ..Default::default()
        }),
    };
    let payload = protos::ProposalResponsePayload {
        proposal_hash: proposal.hash(),
        extension: action.encode_to_vec().into(),
    };
    payload.encode_to_vec().into()
}

/// The encoded envelope of an endorsed proposal, without a signature.
pub fn assemble(
    proposal: &Proposal,
    response_payload: Bytes,
    endorsements: Vec<protos::Endorsement>,
) -> Bytes {
    let action = protos::ChaincodeActionPayload {
        chaincode_proposal_payload: proposal.payload.clone(),
        action: Some(protos::ChaincodeEndorsedAction {
            proposal_response_payload: response_payload,
            endorsements,
        }),
    };
    let transaction = protos::Transaction {
        actions: vec![protos::TransactionAction {
            header: proposal.headers.raw.signature_header.clone(),
            payload: action.encode_to_vec().into(),
        }],
    };
    let payload = Payload {
        header: Some(proposal.headers.raw.clone()),
        data: transaction.encode_to_vec().into(),
    };
    Envelope {
        payload: payload.encode_to_vec().into(),
        signature: Bytes::new(),
    }
    .encode_to_vec()
    .into()
}

/// What an endorsed transaction would do.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The chaincode that ran.
    pub chaincode: String,
    /// What it read and wrote in its own namespace.
    pub rwset: KvrwSet,
    /// What it emitted; without a name where it emitted nothing.
    pub event: protos::ChaincodeEvent,
}

impl Effect {
    /// Decodes the body of a transaction, which [`Headers::open`] gives.
    ///
    /// # Errors
    /// With the flag of a transaction that is so.
    pub fn decode(body: Bytes) -> Result<Self, ValidationFlag> {
        let action = action(body).ok_or(ValidationFlag::INVALID_ENDORSER_TRANSACTION)?;
        let chaincode = action.chaincode_id.unwrap_or_default().name;
        let rwset = own_rwset(action.results, &chaincode).map_err(|_| ValidationFlag::BAD_RWSET)?;
        let event = protos::ChaincodeEvent::decode(action.events)
            .map_err(|_| ValidationFlag::INVALID_ENDORSER_TRANSACTION)?;
        Ok(Self {
            chaincode,
            rwset,
            event,
        })
    }
}

fn action(body: Bytes) -> Option<protos::ChaincodeAction> {
    let mut actions = protos::Transaction::decode(body).ok()?.actions;
    let only = actions.pop().filter(|_| actions.is_empty())?;
    let endorsed = protos::ChaincodeActionPayload::decode(only.payload)
        .ok()?
        .action?;
    let payload =
        protos::ProposalResponsePayload::decode(endorsed.proposal_response_payload).ok()?;
    protos::ChaincodeAction::decode(payload.extension).ok()
}

fn own_rwset(results: Bytes, chaincode: &str) -> Result<KvrwSet, prost::DecodeError> {
    let sets = TxReadWriteSet::decode(results)?.ns_rwset;
    match sets.into_iter().find(|set| set.namespace == chaincode) {
        Some(set) => KvrwSet::decode(set.rwset),
        None => Ok(KvrwSet::default()),
    }
}

/// Opens an envelope as an endorsed transaction.
///
/// # Errors
/// With the flag of a transaction that is so.
pub fn open(envelope: &Bytes) -> Result<(Headers, Effect), ValidationFlag> {
    let (headers, body) = Headers::open(envelope)?;
    if !headers.is_transaction() {
        return Err(ValidationFlag::UNKNOWN_TX_TYPE);
    }
    Ok((headers, Effect::decode(body)?))
}
