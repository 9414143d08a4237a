//! People and members of staff.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{Role, User, UserStatus},
};
use sea_orm::{DatabaseTransaction, QueryFilter, Select, entity::prelude::*};

use super::{
    super::{contact::Contact, names},
    registration,
};
use crate::{
    auth::{Caller, UserId, roles, session},
    clock::timestamp,
    error::{Error, Result},
    store::Lock,
};

/// One row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The user's id, ordered by the time it was made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The contact that was proven, normalised; `root` of the first start.
    #[sea_orm(unique)]
    pub contact: String,
    /// Given names, NFC.
    pub given_names: String,
    /// Family name, NFC.
    pub family_name: String,
    /// `YYYY-MM-DD`; empty for staff made by the system.
    pub birth_date: String,
    /// ISO 3166-1 alpha-2; empty for staff made by the system.
    pub nationality: String,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// `gx.identity.v1.UserStatus`.
    pub status: i32,
    /// What the user may do, as [`roles::to_text`] writes it.
    pub roles: String,
    /// The account, from APPROVED on.
    pub account: Option<String>,
    /// When the user was made.
    pub created_ms: i64,
}

/// Nothing is related.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The caller's own row.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn own(db: &impl ConnectionTrait, caller: &Caller) -> Result<Model> {
        one(db, caller.user.0, Self::find_by_id(caller.user.0)).await
    }

    /// The caller's own row, locked.
    ///
    /// # Errors
    /// As [`Entity::own`].
    pub async fn lock_own_in(tx: &DatabaseTransaction, caller: &Caller) -> Result<Model> {
        let own = Self::find_by_id(caller.user.0).for_update();
        one(tx, caller.user.0, own).await
    }

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

    /// All rows that the caller may read: every one for overseers, else the own one.
    pub fn visible_to(caller: &Caller) -> Select<Self> {
        if caller.reads_everything() {
            Self::find()
        } else {
            Self::find_by_id(caller.user.0)
        }
    }
}

async fn one(db: &impl ConnectionTrait, id: Uuid, found: Select<Entity>) -> Result<Model> {
    let row = found.one(db).await?;
    row.ok_or_else(|| Error::not_found(name(id)))
}

/// The resource name of a user.
pub fn name(id: Uuid) -> String {
    names::name(names::USERS, id)
}

/// The row of somebody who is about to prove to be that user.
pub(in crate::identity) fn signing_in(contact: &Contact) -> Select<Entity> {
    Entity::find().filter(Column::Contact.eq(contact.as_str()))
}

/// The row of whoever a session belongs to.
pub(in crate::identity) fn of_session(session: &session::Model) -> Select<Entity> {
    Entity::find_by_id(session.user_id)
}

/// Any row at all, before anybody can call: whether there is data.
pub(in crate::identity) fn anybody() -> Select<Entity> {
    Entity::find()
}

/// The row that a registration made, for whoever has its token.
pub fn registered_by(registration: &registration::Model) -> Select<Entity> {
    Entity::find().filter(Column::Id.eq(registration.user_id))
}

impl Model {
    /// The id.
    pub fn id(&self) -> UserId {
        UserId(self.id)
    }

    /// How far the person is.
    pub fn status(&self) -> UserStatus {
        UserStatus::try_from(self.status).unwrap_or_default()
    }

    /// What the user may do.
    pub fn roles(&self) -> Vec<Role> {
        roles::from_text(&self.roles)
    }

    /// Whether the status allows no session.
    pub fn may_not_log_in(&self) -> bool {
        matches!(self.status(), UserStatus::Suspended | UserStatus::Closed)
    }

    /// The refusal of what this user's status does not allow.
    pub fn status_refusal(&self) -> Error {
        let name = self.status().as_str_name();
        let status = name.trim_start_matches("USER_STATUS_");
        Error::rejected(Reason::UserStatus, "the user's status does not allow this")
            .with("status", status)
    }

    /// The user as clients see it.
    pub fn to_proto(&self) -> User {
        use UserStatus::{Active, Closed, Frozen, Suspended};
        let open = matches!(self.status(), Active | Frozen | Suspended | Closed);
        User {
            name: self.name(),
            contact: self.contact.clone(),
            given_names: self.given_names.clone(),
            family_name: self.family_name.clone(),
            birth_date: self.birth_date.clone(),
            nationality: self.nationality.clone(),
            status: self.status,
            roles: self.roles().into_iter().map(Into::into).collect(),
            account: self.account.clone().filter(|_| open).unwrap_or_default(),
            create_time: Some(timestamp(self.created_ms)),
        }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        name(self.id)
    }
}
