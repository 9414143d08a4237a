//! People: users, registrations, sessions, failed logins, documents and
//! verifications.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the tables of identity.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(users()).await?;
        manager.create_table(registrations()).await?;
        manager
            .create_index(index(
                "registrations",
                "contact",
                &["contact", "created_ms"],
            ))
            .await?;
        manager
            .create_index(index("registrations", "expire", &["expire_ms"]))
            .await?;
        manager.create_table(sessions()).await?;
        manager
            .create_index(index("sessions", "user", &["user_id", "expire_ms"]))
            .await?;
        manager.create_table(login_failures()).await?;
        manager
            .create_index(index("login_failures", "last", &["last_ms"]))
            .await?;
        manager.create_table(documents()).await?;
        manager
            .create_index(index("documents", "user", &["user_id", "created_ms"]))
            .await?;
        manager.create_table(verifications()).await?;
        manager
            .create_index(index("verifications", "user", &["user_id"]))
            .await?;
        manager
            .create_index(index("verifications", "state", &["state", "id"]))
            .await?;
        // Partial: a document may stand in one verification that is pending (1) or
        // approved (2), and in any number that were denied. The builder has no
        // partial indexes on SQLite.
        manager
            .get_connection()
            .execute_unprepared(
                "create unique index verifications_commitment on verifications (commitment) \
                 where state in (1, 2)",
            )
            .await?;
        Ok(())
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

fn index(table: &'static str, name: &str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{name}")).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn users() -> TableCreateStatement {
    table("users")
        .col(uuid("id").primary_key())
        .col(string("contact").unique_key())
        .col(string("given_names"))
        .col(string("family_name"))
        .col(string("birth_date"))
        .col(string("nationality"))
        .col(string("password_hash"))
        .col(integer("status"))
        .col(string("roles"))
        .col(string_null("account").unique_key())
        .col(big_integer("created_ms"))
        .to_owned()
}

fn registrations() -> TableCreateStatement {
    table("registrations")
        .col(binary("token_hash").primary_key())
        .col(string("contact"))
        .col(binary("code_hash"))
        .col(integer("tries"))
        .col(big_integer("code_expire_ms"))
        .col(boolean("verified"))
        .col(big_integer("expire_ms"))
        .col(uuid_null("user_id"))
        .col(big_integer("created_ms"))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    table("sessions")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string("roles"))
        .col(big_integer("created_ms"))
        .col(big_integer("expire_ms"))
        .col(big_integer_null("revoked_ms"))
        .to_owned()
}

fn login_failures() -> TableCreateStatement {
    table("login_failures")
        .col(binary("contact_hash").primary_key())
        .col(integer("failures"))
        .col(big_integer("locked_until_ms"))
        .col(big_integer("last_ms"))
        .to_owned()
}

fn documents() -> TableCreateStatement {
    table("documents")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string("content_type"))
        .col(big_integer("size"))
        .col(binary("sha256"))
        .col(integer("key_id"))
        .col(blob("content"))
        .col(big_integer("created_ms"))
        .to_owned()
}

fn verifications() -> TableCreateStatement {
    table("verifications")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(integer("state"))
        .col(integer("document_type"))
        .col(string("document_country"))
        .col(blob("number_encrypted"))
        .col(integer("key_id"))
        .col(binary("commitment"))
        .col(json("documents"))
        .col(big_integer("created_ms"))
        .col(big_integer_null("decided_ms"))
        .col(uuid_null("decided_by"))
        .col(text_null("reason"))
        .col(uuid_null("operation"))
        .to_owned()
}
