//! Endorse: collects what the channel's policy asks for, and puts the transaction
//! together.

use std::collections::BTreeSet;

use prost::Message;
use tonic::{Code, Status};

use super::{call::Call, gateway::Peer, status::with_details};
use crate::{
    devnet::{
        endorser::{Endorsed, Refusal},
        lock::lock,
    },
    proto::{
        common::{Envelope, Payload},
        gateway::{EndorseRequest, EndorseResponse, ErrorDetail},
        protos,
    },
};

const FIRST: &str = "failed to endorse transaction, see attached details for more info";
const COLLECT: &str =
    "failed to collect enough transaction endorsements, see attached details for more info";

impl Peer {
    /// Answers an endorse request.
    ///
    /// # Errors
    /// As Fabric's gateway has it: ABORTED with a detail a peer that did not endorse.
    pub(super) fn endorse(&self, request: &EndorseRequest) -> Result<EndorseResponse, Status> {
        lock(&self.core.faults)
            .endorse()
            .map_err(|_| self.gate.full())?;
        let signed = request.proposed_transaction.clone().unwrap_or_default();
        if signed.proposal_bytes.is_empty() {
            return Err(Status::invalid_argument(
                "the proposed transaction must contain a signed proposal",
            ));
        }
        let call = Call::read(&signed).map_err(Status::invalid_argument)?;
        let endorsed = match request.endorsing_organizations.is_empty() {
            true => self.by_policy(&call, &signed)?,
            false => self.by_named(&call, &signed, &request.endorsing_organizations)?,
        };
        Ok(EndorseResponse {
            prepared_transaction: Some(prepare(call, endorsed)),
        })
    }

    /// One endorser of every organization, the gateway's own first: where that one
    /// refuses, nobody else is asked.
    fn by_policy(
        &self,
        call: &Call,
        signed: &protos::SignedProposal,
    ) -> Result<Vec<Endorsed>, Status> {
        if !self.serves(call) {
            return Err(no_plan(call));
        }
        let own = std::slice::from_ref(&self.msp_id);
        let mut endorsed = self
            .collect(signed, own)
            .map_err(|details| with_details(Code::Aborted, FIRST, &details))?;
        let policy = self.roll.membership().msp_ids();
        let others: Vec<_> = policy
            .filter(|id| *id != self.msp_id)
            .map(str::to_owned)
            .collect();
        let others = self.collect(signed, &others);
        endorsed.extend(others.map_err(|details| with_details(Code::Aborted, COLLECT, &details))?);
        self.agreed(endorsed)
    }

    /// One endorser of each organization that the caller names.
    fn by_named(
        &self,
        call: &Call,
        signed: &protos::SignedProposal,
        msp_ids: &[String],
    ) -> Result<Vec<Endorsed>, Status> {
        let missing: Vec<_> = msp_ids
            .iter()
            .filter(|msp_id| !self.serves(call) || self.endorsers_of(msp_id).next().is_none())
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Err(Status::unavailable(format!(
                "failed to find any endorsing peers for org(s): {}",
                missing.join(", ")
            )));
        }
        let endorsed = self.collect(signed, msp_ids);
        self.agreed(endorsed.map_err(|details| with_details(Code::Aborted, COLLECT, &details))?)
    }

    /// Asks the organizations' endorsers, of each one after the other until one endorses.
    fn collect(
        &self,
        signed: &protos::SignedProposal,
        msp_ids: &[String],
    ) -> Result<Vec<Endorsed>, Vec<ErrorDetail>> {
        let mut collected = Vec::new();
        let mut details = Vec::new();
        // An organization that is named twice endorses once.
        let msp_ids = BTreeSet::from_iter(msp_ids);
        for msp_id in &msp_ids {
            collected.extend(self.endorsers_of(msp_id).find_map(|index| {
                let endorsed = self.core.process(&self.roll, index, signed);
                let refused = |refusal: &_| details.push(self.detail(index, refusal));
                endorsed.inspect_err(refused).ok()
            }));
        }
        match collected.len() == msp_ids.len() {
            true => Ok(collected),
            false => Err(details),
        }
    }

    /// Refuses answers that are not the same.
    fn agreed(&self, endorsed: Vec<Endorsed>) -> Result<Vec<Endorsed>, Status> {
        let first = endorsed.first().map(|first| first.payload.clone());
        let differs = |endorsed: &&Endorsed| Some(&endorsed.payload) != first.as_ref();
        let details: Vec<_> = endorsed
            .iter()
            .filter(differs)
            .filter_map(|endorsed| self.endorser_of(endorsed))
            .map(|index| self.peer_detail(index, "ProposalResponsePayloads do not match".into()))
            .collect();
        match details.is_empty() {
            true => Ok(endorsed),
            false => Err(with_details(Code::Aborted, COLLECT, &details)),
        }
    }

    fn endorser_of(&self, endorsed: &Endorsed) -> Option<usize> {
        self.core.options().endorsers.iter().position(|endorser| {
            let identity = endorser.identity.as_ref();
            identity.is_some_and(|identity| *identity.creator() == endorsed.endorsement.endorser)
        })
    }

    /// Whether this is the channel and the chaincode that the devnet has.
    pub(super) fn serves(&self, call: &Call) -> bool {
        let options = self.core.options();
        call.channel == options.channel && call.chaincode() == options.chaincode
    }

    /// The endorsers of an organization.
    pub(super) fn endorsers_of<'a>(&'a self, msp_id: &'a str) -> impl Iterator<Item = usize> + 'a {
        let endorsers = self.core.options().endorsers.iter().enumerate();
        endorsers
            .filter(move |(_, endorser)| endorser.msp_id == msp_id)
            .map(|(index, _)| index)
    }

    /// What an endorser's refusal reads like in the details.
    pub(super) fn detail(&self, index: usize, refusal: &Refusal) -> ErrorDetail {
        let own = self.core.options().endorsers[index].msp_id == self.msp_id;
        let message = match refusal {
            Refusal::Chaincode(failure) => format!("chaincode response 500, {failure}"),
            Refusal::Peer(message) => message.clone(),
            // From another peer it comes as an error of the call to it.
            Refusal::Door(message) | Refusal::Proposal(message) if !own => {
                format!("rpc error: code = Unknown desc = {message}")
            }
            Refusal::Door(message) | Refusal::Proposal(message) => message.clone(),
        };
        self.peer_detail(index, message)
    }

    /// Something that an endorser says.
    pub(super) fn peer_detail(&self, index: usize, message: String) -> ErrorDetail {
        let endorser = &self.core.options().endorsers[index];
        ErrorDetail {
            address: endorser.name.clone(),
            msp_id: endorser.msp_id.clone(),
            message,
        }
    }
}

fn no_plan(call: &Call) -> Status {
    let Call { channel, .. } = call;
    let chaincode = call.chaincode();
    Status::failed_precondition(format!(
        "no combination of peers can be derived which satisfy the endorsement policy: \
         No metadata was found for chaincode {chaincode} in channel {channel}"
    ))
}

fn prepare(call: Call, endorsed: Vec<Endorsed>) -> Envelope {
    let payload = endorsed.first().map(|first| first.payload.clone());
    let action = protos::ChaincodeActionPayload {
        chaincode_proposal_payload: call.payload.encode_to_vec().into(),
        action: Some(protos::ChaincodeEndorsedAction {
            proposal_response_payload: payload.unwrap_or_default(),
            endorsements: endorsed
                .into_iter()
                .map(|endorsed| endorsed.endorsement)
                .collect(),
        }),
    };
    let transaction = protos::Transaction {
        actions: vec![protos::TransactionAction {
            header: call.header.signature_header.clone(),
            payload: action.encode_to_vec().into(),
        }],
    };
    let payload = Payload {
        header: Some(call.header),
        data: transaction.encode_to_vec().into(),
    };
    Envelope {
        payload: payload.encode_to_vec().into(),
        ..Envelope::default()
    }
}
