//! Logins of a contact by the network that they come from.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the table.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(login_networks()).await?;
        manager
            .create_index(
                Index::create()
                    .name("login_networks_forget")
                    .table("login_networks")
                    .col("forget_ms")
                    .to_owned(),
            )
            .await
    }
}

fn login_networks() -> TableCreateStatement {
    Table::create()
        .table("login_networks")
        .col(binary("contact_hash"))
        .col(binary("network_hash"))
        .col(integer("failures"))
        .col(big_integer("locked_until_ms"))
        .col(big_integer("failed_ms"))
        .col(big_integer("succeeded_ms"))
        .col(big_integer("forget_ms"))
        .primary_key(Index::create().col("contact_hash").col("network_hash"))
        .to_owned()
}
