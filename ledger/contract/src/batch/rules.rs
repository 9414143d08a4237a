//! What governs the commands of one batch.

use super::plan::Plan;
use super::standing::parameter;
use crate::amount::Qirat;
use crate::fees::FeeTable;
use crate::lane::LaneName;
use crate::overlay::Overlay;
use crate::params;
use crate::state::StateError;

/// The rules as they stood before the batch: a changed parameter governs from
/// the next one.
pub(crate) struct Rules {
    /// The batch's lane.
    pub(crate) lane: LaneName,
    /// The lane's time in milliseconds since the Unix epoch.
    pub(crate) time_ms: i64,
    /// The fees; read only where the batch has transfers.
    pub(crate) fees: FeeTable,
    /// A balance below this is free of the tax; read only where a fold judges.
    pub(crate) tax_floor: Qirat,
}

impl Rules {
    pub(super) fn load(
        overlay: &mut Overlay<'_>,
        plan: &Plan<'_>,
        lane: LaneName,
        time_ms: i64,
    ) -> Result<Self, StateError> {
        let mut rules = Self {
            lane,
            time_ms,
            fees: FeeTable::default(),
            tax_floor: Qirat(params::default(params::TAX_FLOOR_QIRAT)),
        };
        if plan.charges() {
            rules.fees = FeeTable::load(|key| parameter(overlay, key))?;
        }
        if plan.judges() {
            rules.tax_floor = Qirat(parameter(overlay, params::TAX_FLOOR_QIRAT)?);
        }
        Ok(rules)
    }
}
