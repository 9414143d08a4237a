//! Verifications as clients see them: the person's own without what staff needs to
//! decide, and for overseers whole.

use std::collections::HashMap;

use gx_proto::gx::identity::v1::Verification;
use sea_orm::{QueryFilter, entity::prelude::*};

use super::entity::{document, user, verification};
use crate::{app::App, auth::Caller, clock::timestamp, error::Result, outbox::operation};

/// What stands beside rows of verifications.
struct Beside {
    documents: HashMap<Uuid, document::Summary>,
    applicants: HashMap<Uuid, user::Model>,
}

/// One verification.
///
/// # Errors
/// If the database fails or the number cannot be decrypted.
pub(super) async fn show(
    app: &App,
    db: &impl ConnectionTrait,
    caller: &Caller,
    row: verification::Model,
) -> Result<Verification> {
    let mut shown = show_all(app, db, caller, vec![row]).await?;
    let only = shown.pop();
    Ok(only.ok_or_else(|| anyhow::anyhow!("a row that shows nothing"))?)
}

/// Verifications in the order of their rows.
///
/// # Errors
/// As [`show`].
pub(super) async fn show_all(
    app: &App,
    db: &impl ConnectionTrait,
    caller: &Caller,
    rows: Vec<verification::Model>,
) -> Result<Vec<Verification>> {
    let beside = Beside::read(db, caller, &rows).await?;
    let shown = rows.iter().map(|row| beside.show(app, caller, row));
    shown.collect()
}

impl Beside {
    async fn read(
        db: &impl ConnectionTrait,
        caller: &Caller,
        rows: &[verification::Model],
    ) -> Result<Self> {
        let documents = rows.iter().flat_map(|row| row.documents.0.clone());
        let documents = document::Entity::visible_to(caller)
            .filter(document::Column::Id.is_in(documents))
            .into_partial_model::<document::Summary>()
            .all(db)
            .await?;
        let users = rows.iter().map(|row| row.user_id);
        let applicants = user::Entity::visible_to(caller)
            .filter(user::Column::Id.is_in(users))
            .all(db)
            .await?;
        Ok(Self {
            documents: documents.into_iter().map(|row| (row.id, row)).collect(),
            applicants: applicants.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    fn show(&self, app: &App, caller: &Caller, row: &verification::Model) -> Result<Verification> {
        let documents = row.documents.0.iter();
        let documents = documents.filter_map(|id| self.documents.get(id));
        let mut shown = Verification {
            name: row.name(),
            user: user::name(row.user_id),
            state: row.state,
            document_type: row.document_type,
            document_country: row.document_country.clone(),
            document_number: String::new(),
            documents: documents.map(document::Summary::to_proto).collect(),
            create_time: Some(timestamp(row.created_ms)),
            decide_time: row.decided_ms.map(timestamp),
            reason: row.reason.clone().unwrap_or_default(),
            operation: row.operation.map(operation::name).unwrap_or_default(),
            applicant: None,
            known_account: String::new(),
        };
        if caller.reads_everything() {
            shown.document_number = row.document_number(&app.secrets.document)?;
            shown.known_account = row.known_account.clone().unwrap_or_default();
            shown.applicant = self.applicants.get(&row.user_id).map(user::Model::to_proto);
        }
        Ok(shown)
    }
}
