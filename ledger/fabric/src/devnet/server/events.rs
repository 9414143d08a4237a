//! ChaincodeEvents: the events of valid transactions, block by block, from a place
//! that the caller names.

use futures::{StreamExt, future, stream::BoxStream};
use prost::Message;
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;

use super::{gateway::Peer, status::shut_down};
use crate::{
    block,
    devnet::trust::Signed,
    header::Headers,
    proto::{
        common,
        gateway::{ChaincodeEventsRequest, ChaincodeEventsResponse, SignedChaincodeEventsRequest},
        orderer::{SeekPosition, seek_position},
        protos::ChaincodeEvent,
    },
    transaction::Effect,
};

impl Peer {
    /// Opens a stream of events; each answer is of one block that has some.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for what cannot be read, PERMISSION_DENIED for who may not read.
    pub(super) fn chaincode_events(
        &self,
        signed: SignedChaincodeEventsRequest,
        place: OwnedSemaphorePermit,
    ) -> Result<BoxStream<'static, Result<ChaincodeEventsResponse, Status>>, Status> {
        let request = read(&signed)?;
        self.check_reader(
            &request.channel_id,
            &Signed {
                creator: &request.identity,
                message: &signed.request,
                signature: &signed.signature,
            },
        )?;
        let from = self.start(&request)?;
        let mut wanted = Wanted::new(request);
        let blocks = self.core.clone().deliver(from);
        let events = blocks.map(move |block| {
            let block = block.map_err(|_| shut_down())?;
            Ok(wanted.of(&block))
        });
        let ended = self.cancel.clone().cancelled_owned();
        let events = events.filter(|events: &Result<ChaincodeEventsResponse, _>| {
            future::ready(!events.as_ref().is_ok_and(|events| events.events.is_empty()))
        });
        let events = events.take_until(ended);
        Ok(events
            .inspect(move |_| {
                let _held = &place;
            })
            .boxed())
    }

    fn start(&self, request: &ChaincodeEventsRequest) -> Result<u64, Status> {
        if let Some(after) = self.core.status(&request.after_transaction_id) {
            return Ok(after.block);
        }
        let position = request.start_position.unwrap_or_default();
        let SeekPosition { r#type } = position;
        match r#type {
            None | Some(seek_position::Type::NextCommit(_)) => Ok(self.core.height()),
            Some(seek_position::Type::Specified(at)) => Ok(at.number),
            Some(other) => Err(Status::invalid_argument(format!(
                "invalid start position type: *orderer.SeekPosition_{}",
                match other {
                    seek_position::Type::Oldest(_) => "Oldest",
                    _ => "Newest",
                }
            ))),
        }
    }
}

fn read(signed: &SignedChaincodeEventsRequest) -> Result<ChaincodeEventsRequest, Status> {
    if signed.request.is_empty() {
        return Err(Status::invalid_argument(
            "a chaincode events request is required",
        ));
    }
    ChaincodeEventsRequest::decode(signed.request.clone()).map_err(|_| {
        Status::invalid_argument(
            "invalid chaincode events request: proto: cannot parse invalid wire-format data",
        )
    })
}

/// Which events a caller wants: those of a chaincode, after a transaction.
struct Wanted {
    chaincode: String,
    /// The transaction that must go by first. One that emitted nothing never does.
    after: Option<String>,
}

impl Wanted {
    fn new(request: ChaincodeEventsRequest) -> Self {
        let after = request.after_transaction_id;
        Self {
            chaincode: request.chaincode_id,
            after: (!after.is_empty()).then_some(after),
        }
    }

    fn of(&mut self, block: &common::Block) -> ChaincodeEventsResponse {
        let events = events(block).into_iter().filter(|event| self.wants(event));
        ChaincodeEventsResponse {
            events: events.collect(),
            block_number: block.header.as_ref().map_or(0, |header| header.number),
        }
    }

    fn wants(&mut self, event: &ChaincodeEvent) -> bool {
        if let Some(after) = &self.after {
            if *after == event.tx_id {
                self.after = None;
            }
            return false;
        }
        event.chaincode_id == self.chaincode
    }
}

/// The events of a block's valid transactions, in order.
fn events(block: &common::Block) -> Vec<ChaincodeEvent> {
    let flagged = block::flagged(block).unwrap_or_default();
    let valid = flagged.into_iter().filter(|(_, flag)| flag.is_valid());
    valid
        .filter_map(|(envelope, _)| {
            let (headers, body) = Headers::open(envelope).ok()?;
            let event = headers
                .is_transaction()
                .then(|| Effect::decode(body).ok())??
                .event;
            let whole = !event.chaincode_id.is_empty()
                && !event.event_name.is_empty()
                && !event.tx_id.is_empty();
            whole.then_some(event)
        })
        .collect()
}
