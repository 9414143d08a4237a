//! A country: its share of the genesis and what is left of it.

use sea_orm::entity::prelude::*;

/// One row of `countries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "countries")]
pub struct Model {
    /// ISO 3166-1 alpha-2.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Its share of each phase, in parts per billion.
    pub share_ppb: i32,
    /// Slots left in phases 1 to 6: a JSON array of numbers.
    pub slots_left: String,
    /// People with an account.
    pub people: i64,
    /// Grants paid to its people so far.
    pub granted_qirat: i64,
}

impl Model {
    /// Slots left in phases 1 to 6, in order.
    ///
    /// # Errors
    /// If the column holds something else.
    pub fn slots(&self) -> anyhow::Result<Vec<u64>> {
        Ok(serde_json::from_str(&self.slots_left)?)
    }
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
