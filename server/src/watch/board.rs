//! A board on which the news of many keys are posted: one look at the database for
//! everybody who waits, whenever the read model moves, and now and then without.

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, time::timeout};

use crate::{app::App, error::Result};

/// What a board looks at.
#[async_trait]
pub trait Look: Debug + Send + Sync + 'static {
    /// What is waited for.
    type Key: Debug + Clone + Eq + Hash + Send + Sync;
    /// What is told of it; an equal one is no news.
    type Value: Debug + PartialEq + Send + Sync;

    /// Looks at all keys at once. A key of which nothing is known is left out.
    async fn look(&self, app: &App, keys: &[Self::Key]) -> Result<Vec<(Self::Key, Self::Value)>>;
}

/// A board; cheap to clone. It looks only while somebody waits.
#[derive(Debug)]
pub struct Board<L: Look> {
    inner: Arc<Inner<L>>,
}

#[derive(Debug)]
struct Inner<L: Look> {
    look: L,
    posts: Mutex<Posts<L>>,
}

#[derive(Debug)]
struct Posts<L: Look> {
    senders: HashMap<L::Key, watch::Sender<Option<L::Value>>>,
    /// Whether a task looks; set and cleared under the lock that adds keys.
    looking: bool,
}

impl<L: Look> Clone for Board<L> {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        Self { inner }
    }
}

impl<L: Look> Board<L> {
    /// A board on which nothing is posted.
    pub fn new(look: L) -> Self {
        let posts = Mutex::new(Posts {
            senders: HashMap::new(),
            looking: false,
        });
        let inner = Arc::new(Inner { look, posts });
        Self { inner }
    }

    /// Hears of a key from now on. What stands there already may be as old as the
    /// last look: whoever reads the key after subscribing misses no change.
    pub fn subscribe(&self, app: &App, key: L::Key) -> watch::Receiver<Option<L::Value>> {
        let mut posts = self.inner.posts();
        let sender = posts.senders.entry(key);
        let receiver = sender
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe();
        if !posts.looking {
            posts.looking = true;
            tokio::spawn(run(self.inner.clone(), app.clone()));
        }
        receiver
    }
}

/// Looks until nobody waits any more.
async fn run<L: Look>(inner: Arc<Inner<L>>, app: App) {
    let poll = Duration::from_millis(app.config.lanes.poll_ms);
    let mut projected = app.wake.projected();
    loop {
        // Before looking, so that no move after it is missed.
        projected.mark_unchanged();
        let Some(keys) = inner.wanted() else { return };
        match inner.look.look(&app, &keys).await {
            Ok(values) => inner.post(values),
            Err(error) => tracing::warn!(%error, "what streams wait for cannot be looked up"),
        }
        // The projector may run in another process, whose wake-ups are not heard.
        let _ = timeout(poll, projected.changed()).await;
    }
}

impl<L: Look> Inner<L> {
    fn posts(&self) -> MutexGuard<'_, Posts<L>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that somebody waits for; `None` if that is none, and the task ends.
    fn wanted(&self) -> Option<Vec<L::Key>> {
        let mut posts = self.posts();
        posts
            .senders
            .retain(|_, sender| sender.receiver_count() > 0);
        posts.looking = !posts.senders.is_empty();
        posts
            .looking
            .then(|| posts.senders.keys().cloned().collect())
    }

    fn post(&self, values: Vec<(L::Key, L::Value)>) {
        let posts = self.posts();
        for (key, value) in values {
            if let Some(sender) = posts.senders.get(&key) {
                sender.send_if_modified(|posted| {
                    let news = posted.as_ref() != Some(&value);
                    if news {
                        *posted = Some(value);
                    }
                    news
                });
            }
        }
    }
}
