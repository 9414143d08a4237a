//! Endorsing: every endorser runs the contract, and all must come to the same bytes.

use bytes::Bytes;
use gx_contract::{Host, Invocation};
use gx_proto::gx::contract::v1::StateDatabase;
use prost::Message;

use super::{
    core::Core,
    lock::{lock, read},
    options::Endorser,
    simulation::Simulation,
};
use crate::{
    ChaincodeFailure, Identity, LedgerError,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY, check_time},
    ledger::BATCH_EVENT,
    proposal::Proposal,
    proto::{msp, protos},
    transaction,
};

/// What running the contract gave.
pub(super) struct Ran {
    /// What the endorser signs: an encoded `protos.ProposalResponsePayload`.
    pub(super) payload: Bytes,
    /// What the contract answers.
    pub(super) answer: Bytes,
}

impl Core {
    /// Has an encoded `protos.Proposal` run by all endorsers; the answer is the
    /// envelope of the transaction, without a signature.
    ///
    /// # Errors
    /// As for [`Ledger::endorse`](crate::Ledger::endorse).
    pub fn endorse(&self, proposal: &Bytes) -> Result<Bytes, LedgerError> {
        lock(&self.faults).endorse()?;
        let proposal = self.read_proposal(proposal, FUNCTION_BATCH)?;
        let tx_id = &proposal.headers.channel.tx_id;
        if self.status(tx_id).is_some() {
            return Err(LedgerError::internal(format!(
                "duplicate transaction found [{tx_id}]"
            )));
        }
        let answers = (0..self.options.endorsers.len())
            .map(|index| self.run(index, &proposal))
            .collect::<Result<Vec<_>, _>>()?;
        let payload = self.agreed(answers)??;
        let endorsements = self.options.endorsers.iter().map(endorsement).collect();
        Ok(transaction::assemble(&proposal, payload, endorsements))
    }

    /// Has an encoded `protos.Proposal` answered by the first endorser that does not
    /// fail.
    ///
    /// # Errors
    /// As for [`Ledger::query`](crate::Ledger::query).
    pub fn evaluate(&self, proposal: &Bytes) -> Result<Bytes, LedgerError> {
        let proposal = self.read_proposal(proposal, FUNCTION_QUERY)?;
        let mut failure = LedgerError::Unavailable {
            message: "no endorser".into(),
        };
        for (index, endorser) in self.options.endorsers.iter().enumerate() {
            let fault = lock(&self.faults).endorser(index);
            if let Some(fails) = fault.fails {
                failure = fails;
                continue;
            }
            let answer = self.simulate(fault.behind, |simulation| {
                endorser.contract.query(simulation, &proposal.argument)
            });
            return Ok(answer?.0.into());
        }
        Err(failure)
    }

    fn read_proposal(&self, proposal: &Bytes, function: &str) -> Result<Proposal, LedgerError> {
        let proposal = Proposal::decode(proposal)?;
        let unknown = |what: &str| LedgerError::internal(format!("no such {what}"));
        if proposal.headers.channel.channel_id != self.options.channel {
            return Err(unknown("channel"));
        }
        if proposal.chaincode != self.options.chaincode {
            return Err(unknown("chaincode"));
        }
        if proposal.function != function {
            return Err(unknown("function"));
        }
        if !proposal.headers.id_is_own() {
            return Err(LedgerError::internal("the transaction's id is not its own"));
        }
        Ok(proposal)
    }

    /// One endorser's answer; the outer error is one of the endorser and not of the
    /// chaincode.
    fn run(
        &self,
        index: usize,
        proposal: &Proposal,
    ) -> Result<Result<Bytes, ChaincodeFailure>, LedgerError> {
        let fault = lock(&self.faults).endorser(index);
        if let Some(error) = fault.fails {
            return Err(error);
        }
        let creator = Identity::from_creator(&proposal.headers.signature.creator)
            .ok_or_else(|| LedgerError::internal("the creator cannot be read"))?;
        let ran = self.call(index, fault.behind, proposal, creator);
        Ok(ran.map(|ran| ran.payload))
    }

    /// Runs the contract as one endorser does, `behind` blocks ago.
    pub(super) fn call(
        &self,
        index: usize,
        behind: u64,
        proposal: &Proposal,
        creator: Identity,
    ) -> Result<Ran, ChaincodeFailure> {
        let invocation = Invocation {
            timestamp_ms: proposal.headers.time_ms(),
            msp_id: creator.msp_id,
            role: creator.role,
        };
        check_time(invocation.timestamp_ms, (self.options.clock)())?;
        let contract = &self.options.endorsers[index].contract;
        let argument = &proposal.argument;
        let ((emitted, answer), rwset) =
            self.simulate(behind, |simulation| match proposal.function.as_str() {
                FUNCTION_BATCH => {
                    let emitted = contract.invoke(simulation, &invocation, argument)?;
                    Ok((Some(emitted), Bytes::new()))
                }
                FUNCTION_QUERY => Ok((None, contract.query(simulation, argument)?.into())),
                other => Err(ChaincodeFailure::new(format!("unknown function: {other}"))),
            })?;
        let event = emitted.map(|payload| protos::ChaincodeEvent {
            chaincode_id: proposal.chaincode.clone(),
            tx_id: proposal.headers.channel.tx_id.clone(),
            event_name: BATCH_EVENT.into(),
            payload: payload.into(),
        });
        let payload =
            transaction::response_payload(proposal, &rwset, event.as_ref(), answer.clone());
        Ok(Ran { payload, answer })
    }

    /// Runs something on the state as it was `behind` blocks ago.
    fn simulate<T>(
        &self,
        behind: u64,
        run: impl FnOnce(&mut Simulation<'_>) -> Result<T, ChaincodeFailure>,
    ) -> Result<(T, crate::proto::kvrwset::KvrwSet), ChaincodeFailure> {
        let world = read(&self.world);
        let changes = world.back(behind);
        let host = Host {
            batched_operations: true,
            time_ms: (self.options.clock)(),
            state_database: StateDatabase::LevelDb,
        };
        let mut simulation = Simulation::new(world.view(&changes), host);
        let answer = run(&mut simulation)?;
        Ok((answer, simulation.finish()))
    }

    /// The one answer that all endorsers gave.
    fn agreed<T: PartialEq>(&self, answers: Vec<T>) -> Result<T, LedgerError> {
        let names = || self.options.endorsers.iter().map(|endorser| &endorser.name);
        let differs = |first: &T| {
            answers
                .iter()
                .zip(names())
                .find(|(answer, _)| *answer != first)
        };
        if let Some((_, name)) = answers.first().and_then(differs) {
            let message = format!("ProposalResponsePayloads do not match: {name}");
            return Err(LedgerError::Disagree { message });
        }
        let none = || LedgerError::Unavailable {
            message: "no endorser".into(),
        };
        answers.into_iter().next().ok_or_else(none)
    }
}

/// Who endorsed: the endorser's word, which nobody checks in one process.
fn endorsement(endorser: &Endorser) -> protos::Endorsement {
    let identity = msp::SerializedIdentity {
        mspid: endorser.msp_id.clone(),
        id_bytes: endorser.name.clone().into(),
    };
    protos::Endorsement {
        endorser: identity.encode_to_vec().into(),
        signature: Bytes::new(),
    }
}
