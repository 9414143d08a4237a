//! A transaction as its peer hands it over: what to run, and who asks when. The
//! peer has checked the proposal's signature; everything else is checked here.

use bytes::Bytes;
use gx_contract::Invocation;
use prost::Message;

use crate::{
    ChaincodeFailure,
    msp::Certificate,
    proposal::Proposal,
    proto::{
        msp::SerializedIdentity,
        protos::{ChaincodeInput, ChaincodeMessage},
    },
};

/// What to run.
#[derive(Debug)]
pub(super) struct Call {
    /// The function's name; empty where the call has no arguments at all.
    pub(super) function: String,
    /// The function's argument.
    pub(super) argument: Bytes,
    /// Who asks, and when.
    pub(super) invocation: Invocation,
}

impl Call {
    /// Reads a TRANSACTION or an INIT.
    ///
    /// # Errors
    /// If it is not what the proposal asks for, or the proposal's creator cannot be
    /// told.
    pub(super) fn read(message: &ChaincodeMessage) -> Result<Self, ChaincodeFailure> {
        let input = ChaincodeInput::decode(message.payload.clone())
            .map_err(|error| ChaincodeFailure::new(format!("the call cannot be read: {error}")))?;
        let signed = message
            .proposal
            .as_ref()
            .ok_or_else(|| ChaincodeFailure::new("the call carries no proposal"))?;
        if input.args.len() > 2 {
            return Err(ChaincodeFailure::new("a function takes one argument"));
        }
        let mut arguments = input.args.into_iter();
        let Some(function) = arguments.next() else {
            return Ok(Self::without_function());
        };
        let function = String::from_utf8_lossy(&function).into_owned();
        let argument = arguments.next().unwrap_or_default();

        let proposal = Proposal::decode(&signed.proposal_bytes)
            .map_err(|error| ChaincodeFailure::new(format!("the proposal: {error}")))?;
        is_asked_for(&proposal, message, &function, &argument)?;
        Ok(Self {
            function,
            argument,
            invocation: invocation(&proposal)?,
        })
    }

    fn without_function() -> Self {
        Self {
            function: String::new(),
            argument: Bytes::new(),
            invocation: Invocation {
                timestamp_ms: 0,
                msp_id: String::new(),
                role: None,
            },
        }
    }
}

/// Another chaincode that calls this one hands on its caller's proposal: whoever
/// signed that did not sign this.
fn is_asked_for(
    proposal: &Proposal,
    message: &ChaincodeMessage,
    function: &str,
    argument: &Bytes,
) -> Result<(), ChaincodeFailure> {
    let headers = &proposal.headers;
    let same_transaction = headers.is_transaction()
        && headers.channel.channel_id == message.channel_id
        && headers.channel.tx_id == message.txid;
    if same_transaction && proposal.function == function && proposal.argument == *argument {
        return Ok(());
    }
    Err(ChaincodeFailure::new(
        "the call is not the one of its proposal",
    ))
}

fn invocation(proposal: &Proposal) -> Result<Invocation, ChaincodeFailure> {
    let headers = &proposal.headers;
    let creator = SerializedIdentity::decode(headers.signature.creator.clone())
        .map_err(|error| ChaincodeFailure::new(format!("the creator cannot be read: {error}")))?;
    let pem = String::from_utf8_lossy(&creator.id_bytes);
    let certificate = Certificate::from_pem(&pem)
        .map_err(|error| ChaincodeFailure::new(format!("the creator's certificate: {error}")))?;
    Ok(Invocation {
        timestamp_ms: headers.time_ms(),
        role: certificate.role(),
        msp_id: creator.mspid,
    })
}
