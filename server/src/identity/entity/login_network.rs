//! Logins of a contact from one network, whether anybody has the contact or not.

use sea_orm::entity::prelude::*;

/// One row of `login_networks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_networks")]
pub struct Model {
    /// Keyed hash of the contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_hash: Vec<u8>,
    /// Keyed hash of the network, another one for every contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub network_hash: Vec<u8>,
    /// Failures in a row.
    pub failures: i32,
    /// Until when nobody gets in from there; 0 if never locked.
    pub locked_until_ms: i64,
    /// The last failure.
    pub failed_ms: i64,
    /// The last login that succeeded; 0 if none did.
    pub succeeded_ms: i64,
    /// When the row means nothing any more.
    pub forget_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
