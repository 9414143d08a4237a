//! What a measurement tells of the database: how durable its commits are, and how many
//! rows they wrote.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::Store;

impl Store {
    /// The settings that decide what a commit costs, each with its value.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn durability(&self) -> Result<Vec<(&'static str, String)>, DbErr> {
        let (names, ask): (&[_], _) = match self.postgres() {
            true => (
                &["fsync", "synchronous_commit", "full_page_writes"],
                "SHOW ",
            ),
            false => (&["journal_mode"], "PRAGMA "),
        };
        let mut told = Vec::new();
        for name in names {
            let statement = format!("{ask}{name}");
            let row = self.read().query_one_raw(self.statement(statement)).await?;
            let value = row.map(|row| row.try_get_by_index(0)).transpose()?;
            told.push((*name, value.unwrap_or_default()));
        }
        Ok(told)
    }

    /// Rows that were ever inserted, changed or deleted in the database, as PostgreSQL
    /// counts them: a moment late, since a connection tells what it did once it rests.
    /// `None` where nobody counts.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rows_written(&self) -> Result<Option<i64>, DbErr> {
        if !self.postgres() {
            return Ok(None);
        }
        let count = "SELECT (tup_inserted + tup_updated + tup_deleted)::bigint \
                     FROM pg_stat_database WHERE datname = current_database()";
        let count = self.statement(count.to_owned());
        let row = self.read().query_one_raw(count).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    fn statement(&self, text: String) -> Statement {
        Statement::from_string(self.read().get_database_backend(), text)
    }
}
