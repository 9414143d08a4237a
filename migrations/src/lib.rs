//! The schema of GX for PostgreSQL and SQLite, as migrations that expand before
//! they contract. Times are milliseconds since the Unix epoch in `_ms` columns,
//! amounts are Qirat in `_qirat` columns, hashes and digests are bytes.

use sea_orm_migration::prelude::*;

mod m0001_pipeline;
mod m0002_read_model;
mod m0003_identity;
mod m0004_audit;
mod m0005_ledger;
mod m0006_login_networks;
mod m0007_known_accounts;
mod m0008_partitions;
mod m0009_refresh_tokens;
mod m0010_outbox_key;
mod m0011_one_control_row;
mod m0012_outbox_numbers;

/// Every migration in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_pipeline::Migration),
            Box::new(m0002_read_model::Migration),
            Box::new(m0003_identity::Migration),
            Box::new(m0004_audit::Migration),
            Box::new(m0005_ledger::Migration),
            Box::new(m0006_login_networks::Migration),
            Box::new(m0007_known_accounts::Migration),
            Box::new(m0008_partitions::Migration),
            Box::new(m0009_refresh_tokens::Migration),
            Box::new(m0010_outbox_key::Migration),
            Box::new(m0011_one_control_row::Migration),
            Box::new(m0012_outbox_numbers::Migration),
        ]
    }
}
