//! What the committer can say of an envelope without the state: its form, its
//! creator's signature, its endorsements. Fabric's flags in Fabric's order.

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};

use super::{
    options::CoreOptions,
    policy::endorsed_by_all,
    trust::{Signed, Trust},
};
use crate::{
    ValidationFlag,
    header::Headers,
    proto::{
        common::{Envelope, HeaderType, SignatureHeader},
        kvrwset::KvrwSet,
        protos,
        rwset::TxReadWriteSet,
    },
};

/// What the committer checks envelopes by.
pub(super) struct Rules<'a> {
    channel: &'a str,
    chaincode: &'a str,
    trust: &'a Trust,
}

/// An envelope, checked as far as that goes without the state.
pub(super) struct Checked {
    /// The id that it claims; empty where none can be read.
    pub(super) tx_id: String,
    /// What it would read and write, or its flag if none of this chain's
    /// transactions has its id.
    pub(super) rwset: Result<KvrwSet, ValidationFlag>,
    /// Its flag if it is not even looked up.
    pub(super) form: Result<(), ValidationFlag>,
}

impl<'a> Rules<'a> {
    /// Those of a devnet.
    pub(super) fn new(options: &'a CoreOptions) -> Self {
        Self {
            channel: &options.channel,
            chaincode: &options.chaincode,
            trust: &options.trust,
        }
    }

    /// Checks an envelope.
    pub(super) fn check(&self, envelope: &Bytes) -> Checked {
        let refused = |tx_id: String, flag| Checked {
            tx_id,
            rwset: Err(flag),
            form: Err(flag),
        };
        let (headers, body) = match Headers::open(envelope) {
            Ok(opened) => opened,
            Err(flag) => return refused(String::new(), flag),
        };
        let tx_id = headers.channel.tx_id.clone();
        match self.form(envelope, &headers, body) {
            Ok(endorsed) => Checked {
                tx_id,
                rwset: self.effect(&headers, &endorsed),
                form: Ok(()),
            },
            Err(flag) => refused(tx_id, flag),
        }
    }

    fn form(
        &self,
        envelope: &Bytes,
        headers: &Headers,
        body: Bytes,
    ) -> Result<protos::ChaincodeEndorsedAction, ValidationFlag> {
        check_headers(headers)?;
        self.check_signature(envelope, headers)?;
        if !headers.is_transaction() {
            return Err(ValidationFlag::UNKNOWN_TX_TYPE);
        }
        if !headers.id_is_own() {
            return Err(ValidationFlag::BAD_PROPOSAL_TXID);
        }
        let endorsed = self
            .open(headers, body)
            .ok_or(ValidationFlag::INVALID_ENDORSER_TRANSACTION)?;
        match headers.channel.channel_id == self.channel {
            true => Ok(endorsed),
            false => Err(ValidationFlag::TARGET_CHAIN_NOT_FOUND),
        }
    }

    fn check_signature(&self, envelope: &Bytes, headers: &Headers) -> Result<(), ValidationFlag> {
        let Trust::Certificates(roll) = self.trust else {
            return Ok(());
        };
        let envelope =
            Envelope::decode(envelope.clone()).map_err(|_| ValidationFlag::BAD_PAYLOAD)?;
        let signed = Signed {
            creator: &headers.signature.creator,
            message: &envelope.payload,
            signature: &envelope.signature,
        };
        match roll.signer(&signed, |_| true) {
            Some(_) => Ok(()),
            None => Err(ValidationFlag::BAD_CREATOR_SIGNATURE),
        }
    }

    /// The one action of a transaction, if it belongs to the proposal of the headers.
    fn open(&self, headers: &Headers, body: Bytes) -> Option<protos::ChaincodeEndorsedAction> {
        let mut actions = protos::Transaction::decode(body).ok()?.actions;
        let action = actions.pop().filter(|_| actions.is_empty())?;
        let signature = SignatureHeader::decode(action.header.clone()).ok()?;
        if signature.nonce.is_empty() || signature.creator.is_empty() {
            return None;
        }
        let payload = protos::ChaincodeActionPayload::decode(action.payload).ok()?;
        let endorsed = payload.action?;
        let response =
            protos::ProposalResponsePayload::decode(endorsed.proposal_response_payload.clone())
                .ok()?;
        // By their word alone nobody could have put another proposal below the answer.
        if let Trust::Certificates(_) = self.trust {
            let proposal = Sha256::new()
                .chain_update(&headers.raw.channel_header)
                .chain_update(&action.header)
                .chain_update(&payload.chaincode_proposal_payload)
                .finalize();
            if proposal[..] != response.proposal_hash {
                return None;
            }
        }
        Some(endorsed)
    }

    fn effect(
        &self,
        headers: &Headers,
        endorsed: &protos::ChaincodeEndorsedAction,
    ) -> Result<KvrwSet, ValidationFlag> {
        let extension = protos::ChaincodeHeaderExtension::decode(headers.channel.extension.clone())
            .map_err(|_| ValidationFlag::BAD_HEADER_EXTENSION)?;
        let action = action(endorsed).ok_or(ValidationFlag::BAD_RESPONSE_PAYLOAD)?;
        let sets = namespaces(action.results).map_err(|_| ValidationFlag::BAD_RWSET)?;
        let (Some(called), Some(ran)) = (extension.chaincode_id, action.chaincode_id) else {
            return Err(ValidationFlag::INVALID_OTHER_REASON);
        };
        if called.name != self.chaincode || ran.name != called.name || ran.version.is_empty() {
            return Err(ValidationFlag::INVALID_CHAINCODE);
        }
        check_event(action.events, self.chaincode)?;
        let rwset = self.own(sets)?;
        match self.trust {
            Trust::Certificates(roll) if !endorsed_by_all(roll, endorsed) => {
                Err(ValidationFlag::ENDORSEMENT_POLICY_FAILURE)
            }
            _ => Ok(rwset),
        }
    }

    /// What is read and written in the chaincode's own namespace; nothing may be
    /// written in another.
    fn own(&self, sets: Vec<(String, KvrwSet)>) -> Result<KvrwSet, ValidationFlag> {
        let mut own = None;
        for (namespace, rwset) in sets {
            let writes = !rwset.writes.is_empty() || !rwset.metadata_writes.is_empty();
            if namespace == self.chaincode && own.replace(rwset).is_some() {
                return Err(ValidationFlag::ILLEGAL_WRITESET);
            }
            if namespace != self.chaincode && writes {
                return Err(ValidationFlag::INVALID_CHAINCODE);
            }
        }
        Ok(own.unwrap_or_default())
    }
}

fn check_headers(headers: &Headers) -> Result<(), ValidationFlag> {
    let known = [
        HeaderType::EndorserTransaction,
        HeaderType::Config,
        HeaderType::ConfigUpdate,
    ];
    let kind = HeaderType::try_from(headers.channel.r#type);
    let whole = kind.is_ok_and(|kind| known.contains(&kind))
        && headers.channel.epoch == 0
        && !headers.signature.nonce.is_empty()
        && !headers.signature.creator.is_empty();
    match whole {
        true => Ok(()),
        false => Err(ValidationFlag::BAD_COMMON_HEADER),
    }
}

fn action(endorsed: &protos::ChaincodeEndorsedAction) -> Option<protos::ChaincodeAction> {
    let payload = endorsed.proposal_response_payload.clone();
    let payload = protos::ProposalResponsePayload::decode(payload).ok()?;
    protos::ChaincodeAction::decode(payload.extension).ok()
}

fn namespaces(results: Bytes) -> Result<Vec<(String, KvrwSet)>, prost::DecodeError> {
    let sets = TxReadWriteSet::decode(results)?.ns_rwset;
    sets.into_iter()
        .map(|set| Ok((set.namespace, KvrwSet::decode(set.rwset)?)))
        .collect()
}

fn check_event(event: Bytes, chaincode: &str) -> Result<(), ValidationFlag> {
    if event.is_empty() {
        return Ok(());
    }
    match protos::ChaincodeEvent::decode(event) {
        Ok(event) if event.chaincode_id == chaincode => Ok(()),
        _ => Err(ValidationFlag::INVALID_OTHER_REASON),
    }
}
