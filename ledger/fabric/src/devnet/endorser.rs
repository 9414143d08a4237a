//! A peer's endorser as the gateway calls it: who asks is checked first, then the
//! contract runs and the result is signed. Refusals read as a peer's do.

use bytes::Bytes;
use prost::Message;

use super::{
    core::Core,
    endorsement::Ran,
    lock::lock,
    trust::{Roll, Signed},
    unmarshal::unmarshal,
};
use crate::{
    ChaincodeFailure, Identity, LedgerError,
    header::{Headers, transaction_id},
    msp::Kind,
    proposal::Proposal,
    proto::{
        common::{ChannelHeader, Header, HeaderType, SignatureHeader},
        protos,
    },
};

/// A proposal's time may be so far from the peer's, in milliseconds.
pub(super) const TIME_WINDOW_MS: i64 = 15 * 60 * 1_000;

/// An endorser's answer to a proposal.
pub(super) struct Endorsed {
    /// The encoded `protos.ProposalResponsePayload` that is signed.
    pub(super) payload: Bytes,
    /// The signature and whose it is.
    pub(super) endorsement: protos::Endorsement,
    /// What the contract answers.
    pub(super) answer: Bytes,
}

/// Why an endorser does not endorse. Gateways treat each kind in another way.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The peer does not let the caller in.
    Door(String),
    /// The proposal is not one that the peer runs.
    Proposal(String),
    /// The peer cannot run the contract.
    Peer(String),
    /// The contract refuses.
    Chaincode(ChaincodeFailure),
}

impl From<ChaincodeFailure> for Refusal {
    fn from(failure: ChaincodeFailure) -> Self {
        Self::Chaincode(failure)
    }
}

impl From<LedgerError> for Refusal {
    /// A fault that was switched on, as callers on a network would meet it.
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::BatchRefused(refused) => ChaincodeFailure::refused(&refused).into(),
            LedgerError::Chaincode { message } => ChaincodeFailure::new(message).into(),
            LedgerError::Unavailable { message } => Self::Door(message),
            other => Self::Peer(other.to_string()),
        }
    }
}

impl Core {
    /// Has one endorser run and sign a proposal.
    ///
    /// # Errors
    /// In the words of a peer.
    pub(super) fn process(
        &self,
        roll: &Roll,
        index: usize,
        signed: &protos::SignedProposal,
    ) -> Result<Endorsed, Refusal> {
        let fault = lock(&self.faults).endorser(index);
        if let Some(error) = fault.fails {
            return Err(error.into());
        }
        let now_ms = (self.options.clock)();
        check_door(roll, &signed.proposal_bytes, now_ms).map_err(Refusal::Door)?;
        let proposal = unpack(&signed.proposal_bytes).map_err(Refusal::Proposal)?;
        let channel = &proposal.headers.channel.channel_id;
        if *channel != self.options.channel {
            return Err(Refusal::Peer(format!("channel '{channel}' not found")));
        }
        let creator = self
            .admit(roll, &proposal, signed)
            .map_err(Refusal::Proposal)?;
        let chaincode = &proposal.chaincode;
        if *chaincode != self.options.chaincode {
            return Err(Refusal::Peer(format!(
                "make sure the chaincode {chaincode} has been successfully defined on channel \
                 {channel} and try again: chaincode {chaincode} not found"
            )));
        }
        let ran = self.call(index, fault.behind, &proposal, creator)?;
        self.sign(index, ran)
    }

    fn sign(&self, index: usize, ran: Ran) -> Result<Endorsed, Refusal> {
        let Ran { payload, answer } = ran;
        let keyless = || Refusal::Peer("endorsing with plugin failed: no key".into());
        let identity = self.options.endorsers[index].identity.as_ref();
        let identity = identity.ok_or_else(keyless)?;
        let endorser = identity.creator().clone();
        let signature = identity.sign(&[&payload[..], &endorser].concat());
        Ok(Endorsed {
            payload,
            endorsement: protos::Endorsement {
                endorser,
                signature,
            },
            answer,
        })
    }

    /// Whether the creator may have the proposal run; who it is.
    fn admit(
        &self,
        roll: &Roll,
        proposal: &Proposal,
        signed: &protos::SignedProposal,
    ) -> Result<Identity, String> {
        let headers = &proposal.headers;
        let invalid = |why: String| format!("error validating proposal: {why}");
        check_headers(headers).map_err(invalid)?;
        if signed.signature.is_empty() {
            return Err(invalid("empty signature bytes".into()));
        }
        let channel = &headers.channel.channel_id;
        let creator = &headers.signature.creator;
        let member = roll.member(creator).map_err(|_| {
            invalid(format!(
                "access denied: channel [{channel}] creator org unknown, creator is malformed"
            ))
        })?;
        let signed = Signed {
            creator,
            message: &signed.proposal_bytes,
            signature: &signed.signature,
        };
        if roll.signer(&signed, |_| true).is_none() {
            return Err(invalid(format!(
                "access denied: channel [{channel}] creator org [{}]",
                member.msp_id
            )));
        }
        let tx_id = &headers.channel.tx_id;
        if self.status(tx_id).is_some() {
            let creator = hex::encode(creator);
            return Err(format!(
                "duplicate transaction found [{tx_id}]. Creator [{creator}]"
            ));
        }
        match member.kind().is_some_and(Kind::may_write) {
            true => Ok(member.identity()),
            false => Err(not_permitted(channel, "Writers")),
        }
    }
}

/// What is said of somebody whom a policy of the channel does not count in.
pub(super) fn not_permitted(channel: &str, policy: &str) -> String {
    format!(
        "Failed evaluating policy on signed data during check policy on channel [{channel}] with \
         policy [/Channel/Application/{policy}]: [{}]",
        unsatisfied(policy)
    )
}

/// What is said of a policy that no organization's part of satisfies.
pub(super) fn unsatisfied(policy: &str) -> String {
    format!(
        "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy \
         requires 1 of the '{policy}' sub-policies to be satisfied"
    )
}

/// What a peer asks before its endorser looks at a proposal: does the certificate hold,
/// and is the time about right.
fn check_door(roll: &Roll, proposal: &Bytes, now_ms: i64) -> Result<(), String> {
    let failed = |part: &'static str| move |why: String| format!("failed parsing {part}: {why}");
    let proposal: protos::Proposal = unmarshal("Proposal", proposal).map_err(failed("proposal"))?;
    let header: Header = unmarshal("Header", &proposal.header).map_err(failed("header"))?;
    let signature: SignatureHeader = unmarshal("SignatureHeader", &header.signature_header)
        .map_err(failed("signature header"))?;
    let member = roll.member(&signature.creator).ok();
    if member.is_some_and(|member| member.certificate.not_after_ms() < now_ms) {
        return Err("proposal client identity expired".into());
    }
    let channel: ChannelHeader =
        unmarshal("ChannelHeader", &header.channel_header).map_err(failed("channel header"))?;
    let time_ms = crate::header::from_timestamp(channel.timestamp.as_ref());
    match time_ms.abs_diff(now_ms) <= TIME_WINDOW_MS.unsigned_abs() {
        true => Ok(()),
        false => Err(format!(
            "request unauthorized due to incorrect timestamp {}, peer time {}, \
             peer.authentication.timewindow 15m0s",
            rfc_3339(time_ms),
            rfc_3339(now_ms)
        )),
    }
}

fn rfc_3339(time_ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(time_ms.div_euclid(1_000)).ok();
    let text = time.and_then(|time| {
        time.format(&time::format_description::well_known::Rfc3339)
            .ok()
    });
    text.unwrap_or_else(|| format!("{time_ms} ms"))
}

fn unpack(proposal: &Bytes) -> Result<Proposal, String> {
    let proposal: protos::Proposal = unmarshal("Proposal", proposal)?;
    let raw: Header = unmarshal("Header", &proposal.header)?;
    let channel: ChannelHeader = unmarshal("ChannelHeader", &raw.channel_header)?;
    let signature = unmarshal("SignatureHeader", &raw.signature_header)?;
    let extension: protos::ChaincodeHeaderExtension =
        unmarshal("ChaincodeHeaderExtension", &channel.extension)?;
    let named = extension
        .chaincode_id
        .ok_or("ChaincodeHeaderExtension.ChaincodeId is nil")?;
    if named.name.is_empty() {
        return Err("ChaincodeHeaderExtension.ChaincodeId.Name is empty".into());
    }
    let mut payload: protos::ChaincodeProposalPayload =
        unmarshal("ChaincodeProposalPayload", &proposal.payload)?;
    payload.transient_map.clear();
    let call: protos::ChaincodeInvocationSpec =
        unmarshal("ChaincodeInvocationSpec", &payload.input)?;
    let spec = call
        .chaincode_spec
        .ok_or("chaincode invocation spec did not contain chaincode spec")?;
    let input = spec
        .input
        .ok_or("chaincode input did not contain any input")?;
    let mut arguments = input.args.into_iter();
    let function = arguments.next().unwrap_or_default();
    Ok(Proposal {
        headers: Headers {
            raw,
            channel,
            signature,
        },
        chaincode: named.name,
        function: String::from_utf8_lossy(&function).into_owned(),
        argument: arguments.next().unwrap_or_default(),
        payload: payload.encode_to_vec().into(),
    })
}

fn check_headers(headers: &Headers) -> Result<(), String> {
    let Headers {
        channel, signature, ..
    } = headers;
    let kind = HeaderType::try_from(channel.r#type);
    if !matches!(
        kind,
        Ok(HeaderType::EndorserTransaction | HeaderType::Config)
    ) {
        let name = kind.map(|kind| kind.as_str_name().to_owned());
        let name = name.unwrap_or_else(|_| channel.r#type.to_string());
        return Err(format!("invalid header type {name}"));
    }
    if channel.epoch != 0 {
        return Err("epoch is non-zero".into());
    }
    if signature.nonce.is_empty() {
        return Err("nonce is empty".into());
    }
    if signature.creator.is_empty() {
        return Err("creator is empty".into());
    }
    let own = transaction_id(&signature.nonce, &signature.creator);
    match channel.tx_id == own {
        true => Ok(()),
        false => Err(format!(
            "incorrectly computed txid '{}' -- expected '{own}'",
            channel.tx_id
        )),
    }
}
