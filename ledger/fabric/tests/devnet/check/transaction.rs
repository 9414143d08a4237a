//! One transaction, and the first thing that is wrong about it.

use std::collections::BTreeSet;

use bytes::Bytes;
use gx_fabric::proto::{
    common::{ChannelHeader, Envelope, Header, Payload, SignatureHeader},
    kvrwset::KvrwSet,
    protos::{
        ChaincodeAction, ChaincodeActionPayload, ChaincodeEndorsedAction, ProposalResponsePayload,
        Transaction,
    },
    rwset::TxReadWriteSet,
};
use prost::Message;
use sha2::{Digest, Sha256};

use super::{
    What,
    key::{Authorities, Signer},
    state::{Place, State},
};

/// Why a transaction should not be valid, if there is a reason. One without any writes
/// into the state.
pub(crate) fn cause(
    envelope: &Bytes,
    authorities: &Authorities,
    state: &mut State,
    place: Place,
) -> Result<(), What> {
    state.enter(place.0);
    let envelope = Envelope::decode(envelope.clone()).map_err(|_| What::Unreadable)?;
    let payload = Payload::decode(envelope.payload.clone()).map_err(|_| What::Unreadable)?;
    let header = payload.header.ok_or(What::Unreadable)?;
    let channel =
        ChannelHeader::decode(header.channel_header.clone()).map_err(|_| What::Unreadable)?;
    state.see(&channel.tx_id);
    check_creator(&envelope, &header, &channel, authorities)?;
    let call = call(payload.data).ok_or(What::Unreadable)?;
    let endorsed = call.action.clone().ok_or(What::Unreadable)?;
    check_proposal(&header, &call, &endorsed)?;
    if state.is_old(&channel.tx_id) {
        return Err(What::Duplicate);
    }
    check_endorsements(&endorsed, authorities)?;
    if !state.take(&channel.tx_id) {
        return Err(What::Duplicate);
    }
    let rwset = rwset(&endorsed).ok_or(What::Unreadable)?;
    state.check(&rwset)?;
    state.write(&rwset, place);
    Ok(())
}

fn check_creator(
    envelope: &Envelope,
    header: &Header,
    channel: &ChannelHeader,
    authorities: &Authorities,
) -> Result<(), What> {
    let signature =
        SignatureHeader::decode(header.signature_header.clone()).map_err(|_| What::Unreadable)?;
    let creator = Signer::of(&signature.creator, authorities).ok_or(What::Creator)?;
    if !creator.signed(&envelope.payload, &envelope.signature) {
        return Err(What::CreatorSignature);
    }
    let id = Sha256::digest([&signature.nonce[..], &signature.creator].concat());
    match channel.tx_id == hex::encode(id) {
        true => Ok(()),
        false => Err(What::TransactionId),
    }
}

fn call(transaction: Bytes) -> Option<ChaincodeActionPayload> {
    let actions = Transaction::decode(transaction).ok()?.actions;
    let [action] = &actions[..] else { return None };
    ChaincodeActionPayload::decode(action.payload.clone()).ok()
}

fn check_proposal(
    header: &Header,
    call: &ChaincodeActionPayload,
    endorsed: &ChaincodeEndorsedAction,
) -> Result<(), What> {
    let response = response(endorsed).ok_or(What::Unreadable)?;
    let proposal = [
        &header.channel_header[..],
        &header.signature_header,
        &call.chaincode_proposal_payload,
    ];
    match Sha256::digest(proposal.concat())[..] == response.proposal_hash {
        true => Ok(()),
        false => Err(What::ProposalHash),
    }
}

fn response(endorsed: &ChaincodeEndorsedAction) -> Option<ProposalResponsePayload> {
    ProposalResponsePayload::decode(endorsed.proposal_response_payload.clone()).ok()
}

/// A peer of every organization must have signed.
fn check_endorsements(
    endorsed: &ChaincodeEndorsedAction,
    authorities: &Authorities,
) -> Result<(), What> {
    let mut good = BTreeSet::new();
    let mut bad = false;
    for endorsement in &endorsed.endorsements {
        let payload = &endorsed.proposal_response_payload;
        let message = [&payload[..], &endorsement.endorser].concat();
        match Signer::of(&endorsement.endorser, authorities) {
            Some(peer) if peer.is_peer && peer.signed(&message, &endorsement.signature) => {
                good.insert(peer.msp_id);
            }
            _ => bad = true,
        }
    }
    match (good.len() == authorities.len(), bad) {
        (true, _) => Ok(()),
        (false, true) => Err(What::EndorsementSignature),
        (false, false) => Err(What::EndorsementMissing),
    }
}

fn rwset(endorsed: &ChaincodeEndorsedAction) -> Option<KvrwSet> {
    let action = ChaincodeAction::decode(response(endorsed)?.extension).ok()?;
    let sets = TxReadWriteSet::decode(action.results).ok()?.ns_rwset;
    let [set] = &sets[..] else { return None };
    KvrwSet::decode(set.rwset.clone()).ok()
}
