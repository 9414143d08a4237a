//! `gx restored`: tells a database that it was restored from a backup, before
//! anything takes commands on it.

use std::fmt;

use anyhow::Context as _;
use sea_orm::EntityTrait;
use serde::Serialize;

use super::{open, report::Report};
use crate::{
    audit, checkpoint,
    clock::{Clock, SystemClock},
    config::Config,
    outbox::{catching_up, entity::control},
    store::Store,
};

/// What stands in the audit log as the action.
const ACTION: &str = "restored";

/// What stands afterwards.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether the mark was set now; else it stood already.
    marked: bool,
    /// The last block that every partition has applied; -1 before the first.
    block: i64,
}

/// Marks that the database went back: until it has caught up with the ledger no
/// command is taken and no batch is formed. Asked again it changes nothing.
///
/// # Errors
/// If there is no database, or none of a system that was started.
pub async fn restored(config: Config, (): ()) -> anyhow::Result<Answer> {
    let store = open::store_to_write(&config).await?;
    mark(&store, SystemClock.now_ms()).await
}

async fn mark(store: &Store, now_ms: i64) -> anyhow::Result<Answer> {
    let control = control::Entity::find_by_id(1).one(store.read()).await?;
    control.context("the database is empty: no system was ever started on it")?;
    let tx = store.begin().await?;
    let marked = catching_up::mark_in(&tx).await?;
    let rows = checkpoint::all(&tx).await?;
    let block = rows.iter().map(|row| row.block).min().unwrap_or(-1);
    let subject = u64::try_from(block).map_or(String::new(), |block| format!("blocks/{block}"));
    let entry = audit::Entry::of_system(ACTION, subject);
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    tx.commit().await?;
    Ok(Answer { marked, block })
}

impl Report for Answer {}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = match self.marked {
            true => "marked: the database is catching up",
            false => "the database was marked already: it is catching up",
        };
        writeln!(f, "{marked} from block {}", self.block)?;
        writeln!(
            f,
            "start the roles: until every partition is at the ledger's end no command is taken"
        )?;
        write!(
            f,
            "and no batch is formed; gx projector status tells how far they are\n\
             what the ledger knows comes back; what only the database knew is as old as the backup"
        )
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{QueryFilter, entity::prelude::*};

    use super::*;
    use crate::{
        audit::entity::line,
        fixture,
        store::{DatabaseUrl, Store},
    };

    #[tokio::test]
    async fn marking_twice_is_marking_once_and_the_audit_log_has_both() {
        let app = fixture::app().await;
        fixture::apply(&app, 0, 8).await;
        fixture::apply(&app, 1, 5).await;
        for marked in [true, false] {
            let told = mark(&app.store, fixture::NOW_MS).await.unwrap();
            assert_eq!((told.marked, told.block), (marked, 5));
            let standing = catching_up::standing(&app.store).await.unwrap();
            assert_eq!(standing, Some(1));
        }
        let lines = line::Entity::find().filter(line::Column::Action.eq(ACTION));
        let lines = lines.all(app.store.read()).await.unwrap();
        let subjects: Vec<_> = lines.iter().map(|line| line.subject.as_str()).collect();
        assert_eq!(subjects, ["blocks/5", "blocks/5"]);
        catching_up::clear(&app.store, 1).await.unwrap();
        assert!(mark(&app.store, fixture::NOW_MS).await.unwrap().marked);
    }

    #[tokio::test]
    async fn a_database_without_a_system_is_told() {
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let refused = mark(&store, fixture::NOW_MS).await.unwrap_err();
        assert!(refused.to_string().contains("no system"), "{refused}");
    }
}
