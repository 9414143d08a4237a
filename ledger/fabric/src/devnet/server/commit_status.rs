//! CommitStatus: waits for a transaction for as long as the caller does.

use tonic::Status;

use super::{gateway::Peer, status::shut_down};
use crate::{
    LedgerError,
    devnet::{endorser::not_permitted, trust::Signed},
    msp::Kind,
    proto::gateway::{CommitStatusRequest, CommitStatusResponse, SignedCommitStatusRequest},
};
use prost::Message;

impl Peer {
    /// Answers a commit status request once the transaction stands in a block.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what cannot be read, PERMISSION_DENIED for who may not read.
    pub(super) async fn commit_status(
        &self,
        signed: SignedCommitStatusRequest,
    ) -> Result<CommitStatusResponse, Status> {
        let request = read(&signed)?;
        self.check_reader(
            &request.channel_id,
            &Signed {
                creator: &request.identity,
                message: &signed.request,
                signature: &signed.signature,
            },
        )?;
        let committed = match self.core.committed(&request.transaction_id).await {
            Err(LedgerError::Timeout) => std::future::pending().await,
            committed => committed.map_err(|_| shut_down())?,
        };
        Ok(CommitStatusResponse {
            result: committed.flag.0.into(),
            block_number: committed.block,
        })
    }

    /// Refuses whoever may not read the channel. Whether a certificate holds is not
    /// asked, as on Fabric.
    ///
    /// # Errors
    /// PERMISSION_DENIED in Fabric's words.
    pub(super) fn check_reader(&self, channel: &str, signed: &Signed<'_>) -> Result<(), Status> {
        if channel != self.core.options().channel {
            return Err(Status::permission_denied(format!(
                "Failed to get policy manager for channel [{channel}]"
            )));
        }
        match self.roll.signer(signed, Kind::may_read) {
            Some(_) => Ok(()),
            None => Err(Status::permission_denied(not_permitted(channel, "Readers"))),
        }
    }
}

fn read(signed: &SignedCommitStatusRequest) -> Result<CommitStatusRequest, Status> {
    if signed.request.is_empty() {
        return Err(Status::invalid_argument(
            "a commit status request is required",
        ));
    }
    let request = CommitStatusRequest::decode(signed.request.clone()).map_err(|_| {
        Status::invalid_argument(
            "invalid status request: proto: cannot parse invalid wire-format data",
        )
    })?;
    if request.identity.is_empty() {
        return Err(Status::invalid_argument("no identity provided"));
    }
    if request.channel_id.is_empty() {
        return Err(Status::invalid_argument("no channel ID provided"));
    }
    if request.transaction_id.is_empty() {
        return Err(Status::invalid_argument(
            "transaction ID should not be empty",
        ));
    }
    Ok(request)
}
