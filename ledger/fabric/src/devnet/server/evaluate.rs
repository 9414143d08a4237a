//! Evaluate: one endorser's answer, and nothing ordered.

use tonic::{Code, Status};

use super::{call::Call, gateway::Peer, status::with_details};
use crate::{
    devnet::endorser::Refusal,
    proto::{
        gateway::{EvaluateRequest, EvaluateResponse},
        protos,
    },
};

impl Peer {
    /// Answers an evaluate request: by the gateway's own organization if it may be
    /// asked, by another peer where one cannot answer.
    ///
    /// # Errors
    /// As Fabric's gateway has it.
    pub(super) fn evaluate(&self, request: &EvaluateRequest) -> Result<EvaluateResponse, Status> {
        let signed = request.proposed_transaction.clone().unwrap_or_default();
        let call = read(&signed).map_err(|why| {
            Status::invalid_argument(format!("failed to unpack transaction proposal: {why}"))
        })?;
        let (channel, chaincode) = (&call.channel, call.chaincode());
        if *channel != self.core.options().channel {
            return Err(Status::unavailable(format!(
                "failed to get config for channel [{channel}]: could not get last config for \
                 channel {channel}"
            )));
        }
        let endorsers = self.evaluators(&request.target_organizations);
        if endorsers.is_empty() || !self.serves(&call) {
            return Err(Status::failed_precondition(format!(
                "no peers available to evaluate chaincode {chaincode} in channel {channel}"
            )));
        }
        self.ask(&endorsers, &signed)
    }

    fn ask(
        &self,
        endorsers: &[usize],
        signed: &protos::SignedProposal,
    ) -> Result<EvaluateResponse, Status> {
        let mut details = Vec::new();
        let mut code = Code::Unavailable;
        for &index in endorsers {
            let refusal = match self.core.process(&self.roll, index, signed) {
                Ok(endorsed) => {
                    return Ok(EvaluateResponse {
                        result: Some(protos::Response {
                            status: 200,
                            payload: endorsed.answer,
                            ..Default::default()
                        }),
                    });
                }
                Err(refusal) => refusal,
            };
            details.push(self.detail(index, &refusal));
            let another;
            (code, another) = self.consequence(index, &refusal);
            if !another {
                let said = &details[details.len() - 1].message;
                let message = format!("evaluate call to endorser returned error: {said}");
                return Err(with_details(code, &message, &details));
            }
        }
        let message = "failed to evaluate transaction, see attached details for more info";
        Err(with_details(code, message, &details))
    }

    /// The code of a refusal, and whether another endorser is asked.
    fn consequence(&self, index: usize, refusal: &Refusal) -> (Code, bool) {
        let own = self.core.options().endorsers[index].msp_id == self.msp_id;
        match refusal {
            Refusal::Chaincode(_) => (Code::Unknown, false),
            Refusal::Peer(_) => (Code::Aborted, true),
            Refusal::Proposal(_) if own => (Code::FailedPrecondition, false),
            Refusal::Proposal(_) | Refusal::Door(_) => (Code::Unavailable, true),
        }
    }

    /// Who may be asked, the gateway's own organization first.
    fn evaluators(&self, target: &[String]) -> Vec<usize> {
        let may = |msp_id: &String| target.is_empty() || target.contains(msp_id);
        let endorsers = &self.core.options().endorsers;
        let mut found: Vec<_> = (0..endorsers.len())
            .filter(|index| may(&endorsers[*index].msp_id))
            .collect();
        found.sort_by_key(|index| endorsers[*index].msp_id != self.msp_id);
        found
    }
}

fn read(signed: &protos::SignedProposal) -> Result<Call, String> {
    if signed.proposal_bytes.is_empty() {
        return Err("a signed proposal is required".into());
    }
    let call = Call::read(signed)?;
    let channel = &call.channel;
    if channel.is_empty() {
        return Err("no channel id provided".into());
    }
    let spec = call
        .spec
        .as_ref()
        .ok_or_else(|| format!("no chaincode spec is provided, channel id [{channel}]"))?;
    if spec.chaincode_id.is_none() {
        return Err(format!(
            "no chaincode id is provided, channel id [{channel}]"
        ));
    }
    match call.chaincode().is_empty() {
        true => Err(format!(
            "no chaincode name is provided, channel id [{channel}]"
        )),
        false => Ok(call),
    }
}
