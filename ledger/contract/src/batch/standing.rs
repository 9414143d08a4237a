//! Where the chain and the batch's lane stand before the batch.

use gx_proto::gx::contract::v1::{LaneCursor, LanesRecord, ParameterRecord};
use prost::bytes::Bytes;

use crate::keys;
use crate::lane::{FIRST_DIGEST, LaneName};
use crate::overlay::Overlay;
use crate::params;
use crate::state::StateError;

/// What decides whether a batch may run.
pub(super) struct Standing {
    /// The lane's cursor; before the first command number 0 and zero bytes.
    pub(super) cursor: LaneCursor,
    /// Number of partner lanes; `None` before Bootstrap.
    pub(super) partner_lanes: Option<u32>,
    /// Version of the rules in force.
    pub(super) rules_version: u64,
    /// The most commands of a batch.
    pub(super) max_commands: u64,
}

impl Standing {
    pub(super) fn load(
        overlay: &mut Overlay<'_>,
        msp_id: &str,
        lane: LaneName,
    ) -> Result<Self, StateError> {
        let cursor = overlay.get(&keys::lane(msp_id, lane))?;
        let lanes: Option<LanesRecord> = overlay.get(keys::LANES)?;
        Ok(Self {
            cursor: cursor.unwrap_or_else(first_cursor),
            partner_lanes: lanes.map(|record| record.partner_lanes),
            rules_version: parameter(overlay, params::RULES_VERSION)?,
            max_commands: parameter(overlay, params::BATCH_MAX_COMMANDS)?,
        })
    }
}

/// The cursor of a lane that has not moved yet.
pub(crate) fn first_cursor() -> LaneCursor {
    LaneCursor {
        number: 0,
        digest: Bytes::from_static(&FIRST_DIGEST),
        time_ms: 0,
    }
}

/// A parameter's value; before Bootstrap its default.
pub(crate) fn parameter(overlay: &mut Overlay<'_>, key: &str) -> Result<u64, StateError> {
    let record: Option<ParameterRecord> = overlay.get(&keys::parameter(key))?;
    let value = record.and_then(|record| record.value);
    Ok(value.unwrap_or_else(|| params::default(key)))
}
