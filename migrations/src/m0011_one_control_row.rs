//! There is one control row, and its id stays: PostgreSQL gives the lock on it that each
//! fold shares only to whom may change some column of it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Adds the check.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Where the rights were given the check may stand already.
const POSTGRES: &str = "alter table control drop constraint if exists control_one_row, \
     add constraint control_one_row check (id = 1)";

/// SQLite adds no check to a table that is there.
const SQLITE: &str = "
    create trigger control_one_row before insert on control when new.id <> 1
        begin select raise(abort, 'control_one_row'); end;
    create trigger control_same_row before update of id on control when new.id <> 1
        begin select raise(abort, 'control_one_row'); end";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let change = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        manager.get_connection().execute_unprepared(change).await?;
        Ok(())
    }
}
