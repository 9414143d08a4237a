//! An open credit: what one batch left on the chain for one account, until it is
//! folded into the account's balance there.

use sea_orm::entity::prelude::*;

/// One row of `credits`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credits")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The MSP whose lane wrote it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub msp_id: String,
    /// The lane whose batch wrote it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: String,
    /// The number of that batch's first command.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_sequence: i64,
    /// Its sum; negative on pools that pay by deltas.
    pub delta_qirat: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
