//! The second database on PostgreSQL: a schema of unlogged tables like the live ones.

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};
use secrecy::{ExposeSecret, SecretString};

use super::{BESIDE, BesideError};
use crate::store::{Inner, Store, connect};

/// The advisory lock of whoever makes one: "gx" and a number.
const LOCK: i64 = 0x6778_0002;

/// The session that keeps others away.
#[derive(Debug)]
pub(super) struct Place {
    session: DatabaseConnection,
}

pub(super) async fn create(
    address: &SecretString,
    owner: &str,
) -> Result<(Store, Place), BesideError> {
    let options = connect::session(address.expose_secret(), &format!("gx-rebuild of {owner}"));
    let session = Database::connect(options).await?;
    let lock = format!("select pg_try_advisory_lock({LOCK}) as it");
    if !truth(&session, lock).await? {
        return Err(BesideError::Taken(holder(&session).await?));
    }
    session.execute_unprepared(&copied()).await?;
    let options = connect::beside(address.expose_secret(), BESIDE);
    let only = Database::connect(options).await?;
    let inner = Inner {
        write: only.clone(),
        read: only,
        copy: None,
    };
    let inner = Arc::new(inner);
    Ok((Store { inner }, Place { session }))
}

/// Makes the schema anew, with an empty table like each live one.
fn copied() -> String {
    format!(
        "do $$ declare live record; begin \
         drop schema if exists {BESIDE} cascade; create schema {BESIDE}; \
         for live in select tablename as name from pg_tables where schemaname = current_schema() \
         loop execute format('create unlogged table {BESIDE}.%I (like %I including all)', \
         live.name, live.name); end loop; end $$"
    )
}

/// Who holds the lock.
async fn holder(session: &DatabaseConnection) -> Result<String, DbErr> {
    let who = format!(
        "select application_name || ', process ' || pid || coalesce(' from ' || host(client_addr), '') \
         || ' since ' || to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') \
         from pg_stat_activity where pid in (select pid from pg_locks where locktype = 'advisory' \
         and classid = 0 and objid = {LOCK} and granted and database = \
         (select oid from pg_database where datname = current_database()))"
    );
    let row = session.query_one_raw(statement(who)).await?;
    let name = row.map(|row| row.try_get_by_index::<Option<String>>(0));
    Ok(name
        .transpose()?
        .flatten()
        .unwrap_or_else(|| "another process".to_owned()))
}

impl Place {
    pub(super) async fn begin(&self, live: &Store) -> Result<DatabaseTransaction, DbErr> {
        // A connection that broke took the lock with it.
        let mine = format!(
            "select exists (select 1 from pg_locks where locktype = 'advisory' and classid = 0 \
             and objid = {LOCK} and granted and pid = pg_backend_pid())"
        );
        if !truth(&self.session, mine).await? {
            let lost = "the session that keeps others away broke";
            return Err(DbErr::Custom(lost.to_owned()));
        }
        let tx = live.begin().await?;
        tx.execute_unprepared("set local statement_timeout = 0")
            .await?;
        Ok(tx)
    }

    pub(super) async fn end(self) -> Result<(), DbErr> {
        let drop = format!("drop schema {BESIDE} cascade");
        self.session.execute_unprepared(&drop).await?;
        self.session.close().await
    }
}

async fn truth(session: &DatabaseConnection, question: String) -> Result<bool, DbErr> {
    let row = session.query_one_raw(statement(question)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

fn statement(text: String) -> Statement {
    Statement::from_string(DbBackend::Postgres, text)
}
