//! An entry: one change of one balance.

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

/// An entry's place on the chain, by which a wallet's entries are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(pub i64, pub i32, pub i32, pub i32);

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
        let place = [
            Column::Block,
            Column::Transaction,
            Column::Command,
            Column::Posting,
        ];
        let mut entries = Self::find().filter(Column::Account.eq(wallet.account.as_str()));
        if let Some(Place(block, transaction, command, posting)) = before {
            // A comparison of rows, which both databases answer from the index.
            let values: [Expr; 4] = [
                block.into(),
                transaction.into(),
                command.into(),
                posting.into(),
            ];
            let columns = place.map(|column| Expr::col((Entity, column)));
            entries = entries.filter(Expr::tuple(columns).lt(Expr::tuple(values)));
        }
        place
            .into_iter()
            .fold(entries, QueryOrder::order_by_desc)
            .limit(limit)
    }
}
