//! Files that prove who somebody is, encrypted.

use gx_proto::gx::identity::v1::Document;
use sea_orm::{QueryFilter, Select, entity::prelude::*};

use super::super::names;
use crate::{
    auth::{Caller, UserId},
    clock::timestamp,
    error::{Error, Result},
    secrets::{DocumentKeys, Sealed},
};

/// One row of `documents`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    /// The document's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The media type.
    pub content_type: String,
    /// Bytes of the plaintext.
    pub size: i64,
    /// SHA-256 of the plaintext.
    pub sha256: Vec<u8>,
    /// The key that encrypts it.
    pub key_id: i32,
    /// Nonce and ciphertext; large, so lists read a [`Summary`].
    pub content: Vec<u8>,
    /// When it was stored.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A row without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Summary {
    /// As in [`Model`].
    pub id: Uuid,
    /// As in [`Model`].
    pub content_type: String,
    /// As in [`Model`].
    pub size: i64,
    /// As in [`Model`].
    pub sha256: Vec<u8>,
    /// As in [`Model`].
    pub created_ms: i64,
}

impl Entity {
    /// The rows of the caller.
    pub fn own(caller: &Caller) -> Select<Self> {
        Self::find().filter(Column::UserId.eq(caller.user.0))
    }

    /// A row that the caller may read.
    ///
    /// # Errors
    /// `NOT_FOUND`, for a stranger's row as for none.
    pub async fn readable(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Model> {
        let found = Self::visible_to(caller).filter(Column::Id.eq(id));
        let row = found.one(db).await?;
        row.ok_or_else(|| Error::not_found(names::name(names::DOCUMENTS, id)))
    }

    /// The rows that the caller may read: every one for overseers, else the own ones.
    pub fn visible_to(caller: &Caller) -> Select<Self> {
        if caller.reads_everything() {
            Self::find()
        } else {
            Self::own(caller)
        }
    }
}

impl Model {
    /// The file, decrypted.
    ///
    /// # Errors
    /// If the key is gone or the row was changed.
    pub fn open(self, keys: &DocumentKeys) -> anyhow::Result<Vec<u8>> {
        let belongs_to = belongs_to(self.id, UserId(self.user_id));
        let sealed = Sealed {
            key_id: self.key_id,
            bytes: self.content,
        };
        keys.open(&sealed, &belongs_to)
    }
}

/// What ties a file to its row and to its user.
pub fn belongs_to(document: Uuid, user: UserId) -> Vec<u8> {
    [b"document", &document.as_bytes()[..], user.0.as_bytes()].concat()
}

impl Summary {
    /// The document as clients see it.
    pub fn to_proto(&self) -> Document {
        Document {
            name: names::name(names::DOCUMENTS, self.id),
            content_type: self.content_type.clone(),
            size_bytes: u64::try_from(self.size).unwrap_or(0),
            sha256: hex::encode(&self.sha256),
            create_time: Some(timestamp(self.created_ms)),
        }
    }
}

impl From<&Model> for Summary {
    fn from(row: &Model) -> Self {
        Self {
            id: row.id,
            content_type: row.content_type.clone(),
            size: row.size,
            sha256: row.sha256.clone(),
            created_ms: row.created_ms,
        }
    }
}
