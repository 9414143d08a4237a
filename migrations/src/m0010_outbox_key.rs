//! The outbox is found by a command's id, or by lane and position, and never by position
//! alone. An index of positions alone costs a write a command, and PostgreSQL may take it
//! for the oldest of a lane: it then reads all others.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Makes the id the key.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // In SQLite the position is the row's place itself.
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let change = "alter table outbox drop constraint outbox_pkey, \
             drop constraint outbox_id_key, add primary key (id)";
        manager.get_connection().execute_unprepared(change).await?;
        Ok(())
    }
}
