//! The audit log, and the head of its chain with the lease of whoever seals it.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the audit log.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(audit_log()).await?;
        // Partial, so that the sealer reads nothing else; the builder has no
        // partial indexes on SQLite.
        manager
            .get_connection()
            .execute_unprepared(
                "create index audit_unsealed on audit_log (id) where sequence is null",
            )
            .await?;
        manager.create_table(audit_seal()).await?;
        manager.execute(first_head()).await
    }
}

fn audit_log() -> TableCreateStatement {
    Table::create()
        .table("audit_log")
        .col(big_integer("id").auto_increment().primary_key())
        .col(big_integer("at_ms"))
        .col(uuid_null("actor"))
        .col(string("action"))
        .col(text("subject"))
        .col(string("outcome"))
        .col(string("request_id"))
        .col(string_null("traceparent"))
        .col(string("client"))
        .col(string_null("fabric_tx_id"))
        .col(big_integer_null("sequence").unique_key())
        .col(blob_null("previous_hash"))
        .col(blob_null("hash"))
        .to_owned()
}

fn audit_seal() -> TableCreateStatement {
    Table::create()
        .table("audit_seal")
        .col(integer("id").primary_key())
        .col(string_null("owner"))
        .col(uuid_null("token"))
        .col(big_integer("lease_until_ms").default(0))
        .col(big_integer("sequence").default(0))
        .col(blob("hash"))
        .to_owned()
}

/// An empty chain: number 0 and a hash of zeros.
fn first_head() -> InsertStatement {
    Query::insert()
        .into_table("audit_seal")
        .columns(["id", "hash"])
        .values_panic([1.into(), vec![0_u8; 32].into()])
        .to_owned()
}
