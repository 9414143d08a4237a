//! The ledger as it is shown: blocks, and their transactions with their events.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the ledger's tables.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(blocks()).await?;
        manager.create_table(transactions()).await?;
        manager
            .create_index(
                Index::create()
                    .name("transactions_fabric_tx_id")
                    .table("transactions")
                    .col("fabric_tx_id")
                    .to_owned(),
            )
            .await
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

fn blocks() -> TableCreateStatement {
    table("blocks")
        .col(big_integer("number").primary_key())
        .col(blob("hash"))
        .col(blob("previous_hash"))
        .col(blob("data_hash"))
        .col(big_integer("time_ms"))
        .col(integer("transactions"))
        .col(integer("valid"))
        .col(integer("commands"))
        .to_owned()
}

fn transactions() -> TableCreateStatement {
    table("transactions")
        .col(big_integer("block"))
        .col(integer("position"))
        .col(string("fabric_tx_id"))
        .col(integer("flag"))
        .col(string("lane"))
        .col(big_integer("first_number"))
        .col(integer("commands"))
        .col(blob_null("event"))
        .primary_key(Index::create().col("block").col("position"))
        .to_owned()
}
