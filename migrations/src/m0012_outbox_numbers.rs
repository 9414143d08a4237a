//! The index of a lane's numbers has no entry of what waits for one. Else it, too, finds a
//! lane's commands without numbers, though not in the order of their positions: PostgreSQL
//! may take it for the oldest of them, and reads all others.

use sea_orm_migration::prelude::*;

/// Makes the index anew, on both databases alike.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const CHANGE: &str = "drop index outbox_numbers; \
     create index outbox_numbers on outbox (lane, number) where number is not null";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(CHANGE).await?;
        Ok(())
    }
}
