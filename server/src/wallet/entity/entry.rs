//! An entry: one change of one balance.

use std::fmt;

use sea_orm::{QueryOrder, QuerySelect, Select, entity::prelude::*, sea_query::ExprTrait};
use serde::{Deserialize, Serialize};

use super::wallet;
use crate::outbox::entity::operation;

/// One row of `entries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub struct Model {
    /// The account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// The block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub block: i64,
    /// The Fabric transaction's place in the block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction: i32,
    /// The command's place in the batch.
    #[sea_orm(primary_key, auto_increment = false)]
    pub command: i32,
    /// The posting's place among the command's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting: i32,
    /// `gx.contract.v1.PostingKind`.
    pub kind: i32,
    /// The change; negative is a debit.
    pub delta_qirat: i64,
    /// The other side; empty where there is none.
    pub counterparty: String,
    /// The command's id.
    pub operation: Uuid,
    /// The lane that ordered the command.
    pub lane: String,
    /// The command's number in the lane.
    pub number: i64,
    /// The Fabric transaction.
    pub fabric_tx_id: String,
    /// The ledger's time of the command.
    pub time_ms: i64,
}

/// What an entry belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The record of the command behind it.
    #[sea_orm(
        belongs_to = "operation::Entity",
        from = "Column::Operation",
        to = "operation::Column::Id"
    )]
    Operation,
}

impl Related<operation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Operation.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// An entry's place on the chain, by which a wallet's entries are ordered. As a text it
/// is its four numbers with hyphens between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub i64, pub i32, pub i32, pub i32);

impl Place {
    /// Reads a place as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let block = parts.next()?.parse().ok()?;
        let mut next = || parts.next()?.parse().ok();
        let place = Self(block, next()?, next()?, next()?);
        (place.to_string() == text).then_some(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(block, transaction, command, posting) = self;
        write!(formatter, "{block}-{transaction}-{command}-{posting}")
    }
}

impl Model {
    /// Its place on the chain.
    pub fn place(&self) -> Place {
        Place(self.block, self.transaction, self.command, self.posting)
    }
}

impl Entity {
    /// The entries of a wallet, newest first, from `before` on backwards. That the
    /// caller may see them is shown by having the wallet's row.
    pub fn of(wallet: &wallet::Model, before: Option<Place>, limit: u64) -> Select<Self> {
        let mut entries = Self::of_wallet(wallet);
        if let Some(before) = before {
            entries = entries.filter(columns().lt(values(before)));
        }
        PLACE
            .into_iter()
            .fold(entries, QueryOrder::order_by_desc)
            .limit(limit)
    }

    /// The entries of a wallet behind a place, oldest first; otherwise as
    /// [`Entity::of`].
    pub fn after(wallet: &wallet::Model, place: Place, limit: u64) -> Select<Self> {
        let entries = Self::of_wallet(wallet).filter(columns().gt(values(place)));
        PLACE
            .into_iter()
            .fold(entries, QueryOrder::order_by_asc)
            .limit(limit)
    }

    /// The entry of a wallet at a place; otherwise as [`Entity::of`].
    pub fn at(wallet: &wallet::Model, place: Place) -> Select<Self> {
        Self::of_wallet(wallet).filter(columns().eq(values(place)))
    }

    fn of_wallet(wallet: &wallet::Model) -> Select<Self> {
        Self::find().filter(Column::Account.eq(wallet.account.as_str()))
    }
}

/// What orders the entries of a wallet.
const PLACE: [Column; 4] = [
    Column::Block,
    Column::Transaction,
    Column::Command,
    Column::Posting,
];

/// An entry's place, to compare whole, which both databases answer from the index.
fn columns() -> Expr {
    Expr::tuple(PLACE.map(|column| Expr::col((Entity, column))))
}

fn values(Place(block, transaction, command, posting): Place) -> Expr {
    let values: [Expr; 4] = [
        block.into(),
        transaction.into(),
        command.into(),
        posting.into(),
    ];
    Expr::tuple(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let place = Place(12, 0, 3, 1);
        assert_eq!(place.to_string(), "12-0-3-1");
        assert_eq!(Place::parse("12-0-3-1"), Some(place));
        for text in [
            "",
            "12",
            "12-0-3",
            "12-0-3-1-0",
            "12-0-3-01",
            "12-0-3-+1",
            "-12-0-3-1",
            "12-0-3-2147483648",
            "9223372036854775808-0-0-0",
        ] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
