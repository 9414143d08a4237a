//! How many partitions an operator asked for, and the block at which all of them stop
//! to be dealt anew.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the columns.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            integer_null("partitions_wanted"),
            big_integer_null("deal_block"),
        ];
        // SQLite adds one column at a time.
        for column in columns {
            let alter = Table::alter()
                .table("control")
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
