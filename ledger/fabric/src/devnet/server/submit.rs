//! Submit: hands a signed transaction to the orderer.

use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};

use super::{gateway::Peer, status::with_details};
use crate::{
    LedgerError,
    devnet::orderer::Refused,
    proto::{
        common,
        gateway::{ErrorDetail, SubmitRequest, SubmitResponse},
    },
};

/// The orderer as details name it.
const ORDERER: (&str, &str) = ("orderer", "OrdererMSP");

impl Peer {
    /// Answers a submit request; success means ordered.
    ///
    /// # Errors
    /// As Fabric's gateway has it: ABORTED where the orderer refuses for good,
    /// UNAVAILABLE where it cannot be reached.
    pub(super) fn submit(&self, request: SubmitRequest) -> Result<SubmitResponse, Status> {
        let envelope = request
            .prepared_transaction
            .ok_or_else(|| Status::invalid_argument("a prepared transaction is required"))?;
        if envelope.signature.is_empty() {
            return Err(Status::invalid_argument(
                "prepared transaction must be signed",
            ));
        }
        let channel = &request.channel_id;
        if *channel != self.core.options().channel {
            return Err(Status::failed_precondition(match channel.is_empty() {
                true => String::new(),
                false => format!(
                    "failed to get config for channel [{channel}]: could not get last config for \
                     channel {channel}"
                ),
            }));
        }
        let envelope = Bytes::from(envelope.encode_to_vec());
        self.core.check_envelope(&envelope).map_err(refused)?;
        self.core.order(&envelope).map_err(not_ordered)?;
        Ok(SubmitResponse {})
    }
}

fn refused(Refused { status, info, .. }: Refused) -> Status {
    by_orderer(status, &info)
}

fn by_orderer(status: common::Status, info: &str) -> Status {
    Status::aborted(format!(
        "received unsuccessful response from orderer: status={}, info={info}",
        status.as_str_name()
    ))
}

fn not_ordered(error: LedgerError) -> Status {
    match error {
        LedgerError::EnvelopeRefused { message } => {
            by_orderer(common::Status::BadRequest, &message)
        }
        other => {
            let (address, msp_id) = ORDERER;
            let detail = ErrorDetail {
                address: address.into(),
                msp_id: msp_id.into(),
                message: format!("rpc error: code = Unavailable desc = {other}"),
            };
            let message = "no orderers could successfully process transaction";
            with_details(Code::Unavailable, message, &[detail])
        }
    }
}
