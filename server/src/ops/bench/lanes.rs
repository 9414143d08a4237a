//! Lanes that stand still while taking is measured: no submitter may form a batch in a
//! lane that another process leases.

use std::time::Duration;

use anyhow::Context as _;
use sea_orm::EntityTrait as _;

use super::{POLL, SETTLED};
use crate::{
    clock::{Clock as _, SystemClock},
    id,
    outbox::{entity::lane, lanes},
    store::Store,
};

/// How much longer than the measurement the leases last, should it break off.
const MORE: Duration = Duration::from_secs(60);

/// Leases of all lanes.
#[derive(Debug)]
pub(super) struct Held<'a> {
    store: &'a Store,
    owner: String,
}

impl<'a> Held<'a> {
    /// Takes the leases for a time, each as soon as it is nobody's.
    ///
    /// # Errors
    /// If the database fails, or a lane is worked on all the time.
    pub(super) async fn take(store: &'a Store, time: Duration) -> anyhow::Result<Self> {
        let owner = format!("bench-{}", id::random_uuid().simple());
        let lease_ms = i64::try_from((time + MORE).as_millis())?;
        let all = lane::Entity::find().all(store.read()).await?;
        let take = async {
            for lane in &all {
                let lease =
                    || lanes::lease(store, &lane.name, &owner, SystemClock.now_ms(), lease_ms);
                while lease().await?.is_none() {
                    tokio::time::sleep(POLL).await;
                }
            }
            anyhow::Ok(())
        };
        let taken = tokio::time::timeout(SETTLED, take).await;
        taken.context("lanes are worked on all the time")??;
        Ok(Self { store, owner })
    }

    /// Lets submitters go on.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn give_back(self) -> anyhow::Result<()> {
        Ok(lanes::give_back(self.store, &self.owner).await?)
    }
}
