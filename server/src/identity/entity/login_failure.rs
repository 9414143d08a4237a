//! Failed logins of a contact from anywhere, whether anybody has it or not.

use sea_orm::entity::prelude::*;

/// One row of `login_failures`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_failures")]
pub struct Model {
    /// Keyed hash of the contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_hash: Vec<u8>,
    /// Failures, until there is none for a day.
    pub failures: i32,
    /// Until when networks that the contact never came from wait; 0 if they need not.
    pub locked_until_ms: i64,
    /// The last failure.
    pub last_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
