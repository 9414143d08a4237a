//! What the projector writes: wallets, entries, open credits, supply, countries and
//! the directory of accounts.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the read models' tables.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(directory()).await?;
        manager.create_table(wallets()).await?;
        manager.create_table(entries()).await?;
        manager
            .create_index(
                Index::create()
                    .name("entries_operation")
                    .table("entries")
                    .col("operation")
                    .to_owned(),
            )
            .await?;
        manager.create_table(credits()).await?;
        manager.create_table(supply()).await?;
        manager.create_table(countries()).await
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

fn directory() -> TableCreateStatement {
    table("directory")
        .col(string("account").primary_key())
        .col(uuid_null("user_id"))
        .col(string("masked_name"))
        .col(integer("type").default(0))
        .col(string("country"))
        .col(boolean("opened").default(false))
        .to_owned()
}

fn wallets() -> TableCreateStatement {
    table("wallets")
        .col(string("account").primary_key())
        .col(uuid_null("user_id"))
        .col(string("lane"))
        .col(integer("type"))
        .col(integer("status"))
        .col(string("country"))
        .col(big_integer("balance_qirat"))
        .col(big_integer("folded_qirat"))
        .col(big_integer("reserved_qirat").default(0))
        .col(big_integer("tax_timer_start_ms").default(0))
        .col(big_integer("created_ms"))
        .to_owned()
}

fn entries() -> TableCreateStatement {
    table("entries")
        .col(string("account"))
        .col(big_integer("block"))
        .col(integer("transaction"))
        .col(integer("command"))
        .col(integer("posting"))
        .col(integer("kind"))
        .col(big_integer("delta_qirat"))
        .col(string("counterparty"))
        .col(uuid("operation"))
        .col(string("lane"))
        .col(big_integer("number"))
        .col(string("fabric_tx_id"))
        .col(big_integer("time_ms"))
        .primary_key(
            Index::create()
                .col("account")
                .col("block")
                .col("transaction")
                .col("command")
                .col("posting"),
        )
        .to_owned()
}

fn credits() -> TableCreateStatement {
    table("credits")
        .col(string("account"))
        .col(string("msp_id"))
        .col(string("lane"))
        .col(big_integer("first_sequence"))
        .col(big_integer("delta_qirat"))
        .primary_key(
            Index::create()
                .col("account")
                .col("msp_id")
                .col("lane")
                .col("first_sequence"),
        )
        .to_owned()
}

fn supply() -> TableCreateStatement {
    table("supply")
        .col(integer("partition"))
        .col(string("bucket"))
        .col(big_integer("block"))
        .col(big_integer("total_qirat"))
        .primary_key(Index::create().col("partition").col("bucket").col("block"))
        .to_owned()
}

fn countries() -> TableCreateStatement {
    table("countries")
        .col(string("code").primary_key())
        .col(integer("share_ppb"))
        .col(text("slots_left"))
        .col(big_integer("people").default(0))
        .col(big_integer("granted_qirat").default(0))
        .to_owned()
}
