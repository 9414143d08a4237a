//! Row locks, where the backend has them. SQLite has one writer at a time, so
//! there every transaction that writes holds the lock already.

use sea_orm::{
    EntityTrait, QuerySelect, Select,
    sea_query::{LockBehavior, LockType},
};

/// How a select locks the rows that it finds.
pub trait Lock {
    /// Nobody else may lock or change the rows.
    #[must_use]
    fn for_update(self) -> Self;
    /// Nobody may change the rows; others may share them.
    #[must_use]
    fn for_share(self) -> Self;
    /// As [`Lock::for_update`], and passes over rows that are locked.
    #[must_use]
    fn for_update_skip_locked(self) -> Self;
}

impl<E: EntityTrait> Lock for Select<E> {
    fn for_update(self) -> Self {
        self.lock(LockType::Update)
    }

    fn for_share(self) -> Self {
        self.lock(LockType::Share)
    }

    fn for_update_skip_locked(self) -> Self {
        self.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
    }
}
