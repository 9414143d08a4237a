//! Parameters: rules that may be changed within bounds without a new contract.
//! Each is a state record `param/<key>`; Bootstrap writes all with their
//! defaults, and a changed one governs from the next batch.

use crate::amount::Qirat;

/// Which version of the rules is in force.
pub const RULES_VERSION: &str = "rules_version";
/// The most commands of one batch.
pub const BATCH_MAX_COMMANDS: &str = "batch.max_commands";
/// A balance below this is free of the velocity tax, in Qirat.
pub const TAX_FLOOR_QIRAT: &str = "tax.floor_qirat";
/// How long a balance must stand before the tax is due, in days.
pub const TAX_PERIOD_DAYS: &str = "tax.period_days";
/// The most that one disbursement from a pool may pay, in Qirat.
pub const DISBURSE_MAX_QIRAT: &str = "disburse.max_qirat";

/// The most that a fee may be, in basis points.
const FEE_MAX: u64 = 500;

/// One parameter: its key, its default and the bounds of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The key; ends in the unit where it has one, fees are in basis points.
    pub key: &'static str,
    /// The value that Bootstrap writes.
    pub default: u64,
    /// The least value.
    pub min: u64,
    /// The greatest value.
    pub max: u64,
}

/// All parameters in order of their keys.
pub const PARAMETERS: [Parameter; 17] = [
    parameter(BATCH_MAX_COMMANDS, 2_000, 1, 5_000),
    parameter(
        DISBURSE_MAX_QIRAT,
        gx(100_000_000),
        gx(1_000_000),
        gx(1_000_000_000),
    ),
    parameter("fee.business.cross", 40, 0, FEE_MAX),
    parameter("fee.business.local", 20, 0, FEE_MAX),
    parameter("fee.government.cross", 20, 0, FEE_MAX),
    parameter("fee.government.local", 10, 0, FEE_MAX),
    parameter("fee.merchant.cross", 30, 0, FEE_MAX),
    parameter("fee.merchant.local", 15, 0, FEE_MAX),
    parameter("fee.person_large.cross", 25, 0, FEE_MAX),
    parameter("fee.person_large.local", 10, 0, FEE_MAX),
    parameter("fee.person_medium.cross", 15, 0, FEE_MAX),
    parameter("fee.person_medium.local", 5, 0, FEE_MAX),
    parameter("fee.person_small.cross", 15, 0, FEE_MAX),
    parameter("fee.person_small.local", 0, 0, FEE_MAX),
    parameter(RULES_VERSION, 1, 1, u32::MAX as u64),
    parameter(TAX_FLOOR_QIRAT, gx(100), gx(10), gx(10_000)),
    parameter(TAX_PERIOD_DAYS, 355, 300, 400),
];

const fn parameter(key: &'static str, default: u64, min: u64, max: u64) -> Parameter {
    Parameter {
        key,
        default,
        min,
        max,
    }
}

const fn gx(gx: u32) -> u64 {
    Qirat::from_gx(gx).get()
}

/// The parameter with this key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.key == key)
}

/// The default of a parameter; 0 for a key that the table does not have.
pub(crate) fn default(key: &str) -> u64 {
    find(key).map_or(0, |parameter| parameter.default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_keep_their_bounds() {
        assert!(PARAMETERS.is_sorted_by(|a, b| a.key < b.key));
        for parameter in PARAMETERS {
            assert!(parameter.min <= parameter.default, "{}", parameter.key);
            assert!(parameter.default <= parameter.max, "{}", parameter.key);
        }
    }
}
