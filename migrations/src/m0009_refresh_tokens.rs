//! What refreshes a session, and what its user calls it.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the columns.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            string_null("label"),
            binary_null("refresh_hash"),
            big_integer_null("refreshed_ms"),
            big_integer_null("refresh_until_ms"),
        ];
        // SQLite adds one column at a time.
        for column in columns {
            let alter = Table::alter()
                .table("sessions")
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
