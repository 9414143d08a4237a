//! Carries wake-ups between processes: what this one tells is published, and what
//! others publish is heard here.

use std::time::Duration;

use futures::StreamExt;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{Redis, Wake, wake::Hint};
use crate::id;

/// How long to wait before channels are heard again, or a hint is told again.
const RETRY: Duration = Duration::from_millis(250);

/// How often a hint is told that Redis does not take. One that is lost costs the time
/// until the next poll.
const TRIES: usize = 4;

/// Relays until shutdown.
pub async fn relay(redis: Redis, wake: Wake, shutdown: CancellationToken) {
    // Told with each hint, so that a process does not hear itself.
    let sender = id::random_uuid().to_string();
    let mut tasks = JoinSet::new();
    for hint in Hint::ALL {
        tasks.spawn(publish(redis.clone(), wake.clone(), hint, sender.clone()));
    }
    tasks.spawn(listen(redis, wake, sender));
    shutdown.cancelled().await;
    tasks.shutdown().await;
}

/// Publishes a hint whenever it was told; what was told meanwhile is one more.
async fn publish(redis: Redis, wake: Wake, hint: Hint, sender: String) {
    let channel = redis.name(hint.name());
    loop {
        wake.outward(hint).notified().await;
        for _ in 0..TRIES {
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(&channel).arg(&sender);
            let told: Option<u64> = redis
                .ask(|mut to| async move { publish.query_async(&mut to).await })
                .await;
            if told.is_some() {
                break;
            }
            sleep(RETRY).await;
        }
    }
}

/// Hears the channels for ever.
async fn listen(redis: Redis, wake: Wake, sender: String) {
    loop {
        if let Err(error) = hear(&redis, &wake, &sender).await {
            tracing::debug!(%error, "wake-ups of other processes are not heard");
        }
        sleep(RETRY).await;
    }
}

/// Hears the channels until the connection ends.
async fn hear(redis: &Redis, wake: &Wake, sender: &str) -> anyhow::Result<()> {
    let mut listener = redis.listener().await?;
    let channels = Hint::ALL.map(|hint| redis.name(hint.name()));
    listener.subscribe(&channels).await?;
    // What was told while nobody heard.
    Hint::ALL.into_iter().for_each(|hint| wake.hear(hint));
    let mut messages = listener.on_message();
    while let Some(message) = messages.next().await {
        let told = Hint::ALL
            .into_iter()
            .zip(&channels)
            .find(|(_, channel)| message.get_channel_name() == channel.as_str());
        if let Some((hint, _)) = told
            && message.get_payload_bytes() != sender.as_bytes()
        {
            wake.hear(hint);
        }
    }
    Ok(())
}
