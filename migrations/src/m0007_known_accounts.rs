//! Accounts that the ledger named as those of people who asked for another.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the column.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("verifications")
                    .add_column(string_null("known_account"))
                    .to_owned(),
            )
            .await
    }
}
