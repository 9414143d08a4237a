//! Operations as clients see them.

use std::collections::HashMap;

use gx_proto::{
    google::rpc::Status,
    gx::{
        common::v1::Reason,
        operation::v1::{
            Operation, OperationMetadata, OperationResult, OperationState, OperationType, operation,
        },
    },
};
use prost::Message;
use prost_types::Any;
use uuid::Uuid;

use super::entity::operation::Model;
use crate::{
    clock::timestamp,
    error::{self, DOMAIN},
};

/// The resource name of an operation.
pub fn name(id: Uuid) -> String {
    format!("operations/{}", id.simple())
}

/// The id in a resource name.
pub fn parse_name(name: &str) -> Result<Uuid, &'static str> {
    name.strip_prefix("operations/")
        .filter(|id| id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|id| Uuid::try_parse(id).ok())
        .ok_or("must be operations/ and 32 lower-case hexadecimal digits")
}

/// An operation as clients see it.
pub fn to_proto(row: &Model, lane_holds: bool) -> Operation {
    let mut state = OperationState::try_from(row.state).unwrap_or_default();
    let undecided = matches!(state, OperationState::Accepted | OperationState::Submitted);
    if undecided && lane_holds {
        state = OperationState::Stalled;
    }
    Operation {
        name: name(row.id),
        request_id: row.request_id.map(|id| id.to_string()).unwrap_or_default(),
        state: state.into(),
        metadata: Some(metadata(row)),
        result: result(row, state),
    }
}

fn metadata(row: &Model) -> OperationMetadata {
    OperationMetadata {
        r#type: OperationType::try_from(row.kind).unwrap_or_default().into(),
        create_time: Some(timestamp(row.created_ms)),
        submit_time: row.submitted_ms.map(timestamp),
        settle_time: row.settled_ms.map(timestamp),
        fabric_tx_id: row.fabric_tx_id.clone().unwrap_or_default(),
        block: row
            .block
            .and_then(|block| u64::try_from(block).ok())
            .unwrap_or(0),
        lane: row.lane.clone(),
        number: row
            .number
            .and_then(|number| u64::try_from(number).ok())
            .unwrap_or(0),
    }
}

fn result(row: &Model, state: OperationState) -> Option<operation::Result> {
    match state {
        OperationState::Succeeded => {
            let result = OperationResult::decode(row.result.as_deref().unwrap_or_default());
            result.ok().map(operation::Result::Response)
        }
        OperationState::Refused => Some(operation::Result::Error(refusal(row))),
        _ => None,
    }
}

fn refusal(row: &Model) -> Status {
    let reason = row
        .reason
        .and_then(|reason| Reason::try_from(reason).ok())
        .unwrap_or_default();
    let metadata: HashMap<String, String> = row
        .reason_metadata
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let info = tonic_types::pb::ErrorInfo {
        reason: error::reason_name(reason).to_owned(),
        domain: DOMAIN.to_owned(),
        metadata,
    };
    Status {
        code: error::code(reason).into(),
        message: format!("refused: {}", error::reason_name(reason)),
        details: vec![Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: info.encode_to_vec(),
        }],
    }
}
