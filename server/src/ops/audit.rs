//! `gx audit verify`: whether the audit log is as it was written.

use std::fmt;

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;

use super::{open, report::Report};
use crate::{
    audit::{self, Verification, entity::line},
    config::Config,
};

/// What the walk through the audit log found.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Sealed lines, where all of them hold.
    sealed: Option<i64>,
    /// The first place at which the chain does not hold.
    broken_at: Option<i64>,
    /// Lines that are not sealed yet.
    unsealed: u64,
}

/// Walks through the whole audit log.
///
/// # Errors
/// If the database cannot be read.
pub async fn verify(config: Config, (): ()) -> anyhow::Result<Verified> {
    let store = open::store(&config).await?;
    let (sealed, broken_at) = match audit::verify(&store).await? {
        Verification::Intact { lines } => (Some(lines), None),
        Verification::Broken { sequence } => (None, Some(sequence)),
    };
    let unsealed = line::Entity::find().filter(line::Column::Sequence.is_null());
    Ok(Verified {
        sealed,
        broken_at,
        unsealed: unsealed.count(store.read()).await?,
    })
}

impl Report for Verified {
    fn is_sound(&self) -> bool {
        self.broken_at.is_none()
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.broken_at {
            None => write!(f, "intact: {} sealed lines", self.sealed.unwrap_or(0))?,
            Some(sequence) => write!(f, "BROKEN: the chain does not hold at line {sequence}")?,
        }
        match self.unsealed {
            0 => Ok(()),
            unsealed => write!(f, "\nnot sealed yet: {unsealed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_chain_names_its_first_line() {
        let mut report = Verified {
            sealed: Some(7),
            broken_at: None,
            unsealed: 0,
        };
        assert!(report.is_sound());
        assert_eq!(report.to_string(), "intact: 7 sealed lines");
        (report.sealed, report.broken_at, report.unsealed) = (None, Some(4), 2);
        assert!(!report.is_sound());
        let text = report.to_string();
        assert!(text.contains("line 4") && text.ends_with("yet: 2"));
    }
}
