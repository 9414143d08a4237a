//! The way of a command to the ledger and back: control row, operations, outbox,
//! lanes, envelopes, projector checkpoints.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the pipeline's tables.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(control()).await?;
        manager.create_table(operations()).await?;
        manager
            .create_index(
                Index::create()
                    .name("operations_owner")
                    .table("operations")
                    .col("owner")
                    .col("created_ms")
                    .to_owned(),
            )
            .await?;
        manager.create_table(outbox()).await?;
        // Partial, so that taking the oldest pending commands of a lane reads
        // nothing else; the builder has no partial indexes on SQLite.
        manager
            .get_connection()
            .execute_unprepared(
                "create index outbox_pending on outbox (lane, position) where number is null",
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("outbox_numbers")
                    .table("outbox")
                    .col("lane")
                    .col("number")
                    .to_owned(),
            )
            .await?;
        manager.create_table(lanes()).await?;
        manager.create_table(envelopes()).await?;
        manager.create_table(projector_state()).await
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

fn control() -> TableCreateStatement {
    table("control")
        .col(integer("id").primary_key())
        .col(integer("partner_lanes"))
        .col(integer("partitions"))
        .col(big_integer("mark").default(0))
        .col(big_integer("mark_cleared").default(0))
        .to_owned()
}

fn operations() -> TableCreateStatement {
    table("operations")
        .col(uuid("id").primary_key())
        .col(string_null("owner"))
        .col(uuid_null("request_id"))
        .col(blob("request_digest"))
        .col(integer("kind"))
        .col(integer("state"))
        .col(integer_null("reason"))
        .col(text_null("reason_metadata"))
        .col(blob_null("result"))
        .col(text_null("memo"))
        .col(string("lane"))
        .col(big_integer_null("number"))
        .col(string_null("fabric_tx_id"))
        .col(big_integer_null("block"))
        .col(big_integer("created_ms"))
        .col(big_integer_null("submitted_ms"))
        .col(big_integer_null("settled_ms"))
        .to_owned()
}

fn outbox() -> TableCreateStatement {
    table("outbox")
        .col(big_integer("position").auto_increment().primary_key())
        .col(uuid("id").unique_key())
        .col(string("lane"))
        .col(big_integer_null("number"))
        .col(blob("request_digest"))
        .col(blob("body"))
        .col(string_null("held_account"))
        .col(big_integer("held_qirat").default(0))
        .col(boolean("abandoned").default(false))
        .col(boolean("voided").default(false))
        .col(integer("attempts").default(0))
        .col(big_integer("next_attempt_ms").default(0))
        .col(string_null("error_class"))
        .col(string_null("traceparent"))
        .col(big_integer("created_ms"))
        .to_owned()
}

fn lanes() -> TableCreateStatement {
    table("lanes")
        .col(string("name").primary_key())
        .col(string_null("owner"))
        .col(uuid_null("token"))
        .col(big_integer("lease_until_ms").default(0))
        .col(big_integer("formed_number").default(0))
        .col(blob("formed_digest"))
        .col(big_integer("settled_number").default(0))
        .col(blob("settled_digest"))
        .col(boolean("self_voided").default(false))
        .col(text_null("held_reason"))
        .to_owned()
}

fn envelopes() -> TableCreateStatement {
    table("envelopes")
        .col(string("lane"))
        .col(string("fabric_tx_id"))
        .col(big_integer("end_number"))
        .col(blob("end_digest"))
        .col(blob("envelope"))
        .col(big_integer("created_ms"))
        .primary_key(Index::create().col("lane").col("fabric_tx_id"))
        .to_owned()
}

fn projector_state() -> TableCreateStatement {
    table("projector_state")
        .col(integer("partition").primary_key())
        .col(string_null("owner"))
        .col(uuid_null("token"))
        .col(big_integer("lease_until_ms").default(0))
        .col(big_integer("block").default(-1))
        .col(blob("hash"))
        .col(big_integer("block_time_ms").default(0))
        .col(big_integer("height").default(0))
        .col(text_null("stopped"))
        .to_owned()
}
