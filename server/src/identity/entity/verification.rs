//! Requests of people to be verified.

use gx_proto::gx::{common::v1::Reason, identity::v1::VerificationState};
use sea_orm::{
    Condition, DatabaseTransaction, FromJsonQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Select, entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::super::names;
use crate::{
    auth::Caller,
    error::{Error, Result},
    secrets::{DocumentKeys, Sealed},
    store::Lock,
};

/// One row of `verifications`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "verifications")]
pub struct Model {
    /// The verification's id, ordered by the time it was made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// `gx.identity.v1.VerificationState`.
    pub state: i32,
    /// `gx.identity.v1.DocumentType`.
    pub document_type: i32,
    /// The country that issued the document.
    pub document_country: String,
    /// The document's number as printed: nonce and ciphertext.
    pub number_encrypted: Vec<u8>,
    /// The key that encrypts the number.
    pub key_id: i32,
    /// Keyed hash of the document, 32 bytes, as the chain carries it. Unique among
    /// what is pending or approved.
    pub commitment: Vec<u8>,
    /// The uploads.
    pub documents: Documents,
    /// When it was submitted.
    pub created_ms: i64,
    /// When staff decided.
    pub decided_ms: Option<i64>,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// What the person was told, or why the ledger sent it back.
    pub reason: Option<String>,
    /// The operation that makes the account, once approved.
    pub operation: Option<Uuid>,
    /// The account that the ledger has for the document already, as long as nobody
    /// decides otherwise than to bind the person to it.
    pub known_account: Option<String>,
}

/// Ids of uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Documents(pub Vec<Uuid>);

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// A row that the caller may read.
    ///
    /// # Errors
    /// `NOT_FOUND`, for a stranger's row as for none.
    pub async fn readable(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Model> {
        let found = Self::visible_to(caller).filter(Column::Id.eq(id));
        one(db, id, found).await
    }

    /// A row that the caller may read, locked.
    ///
    /// # Errors
    /// As [`Entity::readable`].
    pub async fn lock_in(tx: &DatabaseTransaction, caller: &Caller, id: Uuid) -> Result<Model> {
        let found = Self::visible_to(caller).filter(Column::Id.eq(id));
        one(tx, id, found.for_update()).await
    }

    /// Rows that the caller may read, oldest first, from behind `after` on.
    pub fn list(
        caller: &Caller,
        state: Option<VerificationState>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Select<Self> {
        let state = state.map(|state| Column::State.eq(i32::from(state)));
        let after = after.map(|after| Column::Id.gt(after));
        Self::visible_to(caller)
            .filter(Condition::all().add_option(state).add_option(after))
            .order_by_asc(Column::Id)
            .limit(limit)
    }

    /// All rows that the caller may read: every one for overseers, else the own ones.
    pub fn visible_to(caller: &Caller) -> Select<Self> {
        if caller.reads_everything() {
            Self::find()
        } else {
            Self::find().filter(Column::UserId.eq(caller.user.0))
        }
    }
}

async fn one(db: &impl ConnectionTrait, id: Uuid, found: Select<Entity>) -> Result<Model> {
    let row = found.one(db).await?;
    row.ok_or_else(|| Error::not_found(names::name(names::VERIFICATIONS, id)))
}

impl Model {
    /// Nobody decides about themselves.
    ///
    /// # Errors
    /// `OWN_VERIFICATION`.
    pub fn may_be_decided_by(&self, caller: &Caller) -> Result<()> {
        if self.user_id == caller.user.0 {
            let message = "nobody decides about their own verification";
            return Err(Error::rejected(Reason::OwnVerification, message));
        }
        Ok(())
    }

    /// The refusal of what may be decided while it is pending alone.
    pub fn decided(&self) -> Error {
        let message = "the verification is not pending any more";
        Error::rejected(Reason::VerificationState, message).with("state", self.state_name())
    }

    /// How far it is.
    pub fn state(&self) -> VerificationState {
        VerificationState::try_from(self.state).unwrap_or_default()
    }

    /// The state's name as clients know it, such as `PENDING`.
    pub fn state_name(&self) -> &'static str {
        let name = self.state().as_str_name();
        name.trim_start_matches("VERIFICATION_STATE_")
    }

    /// The document's number as printed.
    ///
    /// # Errors
    /// If the key is gone or the row was changed.
    pub fn document_number(&self, keys: &DocumentKeys) -> anyhow::Result<String> {
        let sealed = Sealed {
            key_id: self.key_id,
            bytes: self.number_encrypted.clone(),
        };
        let number = keys.open(&sealed, &number_belongs_to(self.id, self.user_id))?;
        Ok(String::from_utf8(number)?)
    }

    /// The resource name.
    pub fn name(&self) -> String {
        names::name(names::VERIFICATIONS, self.id)
    }
}

/// What ties an encrypted number to its row.
pub fn number_belongs_to(verification: Uuid, user: Uuid) -> Vec<u8> {
    [b"number", &verification.as_bytes()[..], user.as_bytes()].concat()
}
