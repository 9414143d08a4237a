//! Places for open calls: so many in this process, and so many of one caller.

use std::sync::Arc;

use metrics::gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    auth::UserId,
    error::{Error, Result},
    limits::{Share, Shares},
    telemetry::metrics::WATCHES_OPEN,
};

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    room: Arc<Semaphore>,
    of_one: usize,
    callers: Shares<UserId>,
}

/// One place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    _share: Share<UserId>,
    method: &'static str,
}

impl Places {
    pub(super) fn new(all: usize, of_one: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(all)),
            of_one,
            callers: Shares::new(of_one),
        }
    }

    /// Takes a place for a caller of a method.
    pub(super) fn take(&self, user: UserId, method: &'static str) -> Result<Place> {
        let room = self.room.clone().try_acquire_owned();
        let room = room.map_err(|_| Error::overloaded())?;
        let Some(share) = self.callers.take(user) else {
            let limit = self.of_one.to_string();
            return Err(Error::overloaded().with("caller_limit", limit));
        };
        gauge!(WATCHES_OPEN, "method" => method).increment(1.0);
        Ok(Place {
            _room: room,
            _share: share,
            method,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        gauge!(WATCHES_OPEN, "method" => self.method).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;
    use uuid::Uuid;

    use super::*;

    const ANN: UserId = UserId(Uuid::from_u128(1));
    const BEE: UserId = UserId(Uuid::from_u128(2));

    fn refused(places: &Places, user: UserId) -> bool {
        let refused = places.take(user, "method").err();
        refused.is_some_and(|error| error.reason() == Reason::Overloaded)
    }

    #[test]
    fn one_caller_takes_no_more_than_its_share_and_all_no_more_than_there_is() {
        let places = Places::new(3, 2);
        let mut ann = vec![places.take(ANN, "method"), places.take(ANN, "method")];
        assert!(refused(&places, ANN), "its share is taken");
        let bee = places.take(BEE, "method").unwrap();
        assert!(refused(&places, BEE), "all are taken");
        ann.pop();
        let second = places.take(BEE, "method").unwrap();
        drop((ann, bee, second));
        assert_eq!(places.callers.keys(), 0, "nobody is remembered");
        assert_eq!(places.room.available_permits(), 3);
    }
}
