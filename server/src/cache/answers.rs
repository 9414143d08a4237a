//! Answers that everybody gets alike, kept in Redis by the block that they are of: what
//! stood at a block stands for ever, so no kept answer becomes wrong. Which block is the
//! latest the projectors tell, and an answer is at most as old as what they told last.

use std::time::Duration;

use metrics::counter;
use prost::Message;
use redis::RedisResult;

use super::Redis;
use crate::{error::Result, telemetry::metrics::ANSWERS};

/// The key of the latest block that all partitions have applied, as `number:hash`.
const SHOWN: &str = "shown";
/// How long it holds without being told again.
const SHOWN_HOLDS: Duration = Duration::from_secs(3);
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(30);

/// An answer that says of which block it is.
pub trait OfBlock: Message + Default {
    /// The block.
    fn as_of_block(&self) -> u64;
}

/// Keeps answers; without Redis each is read anew. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    redis: Option<Redis>,
}

impl Answers {
    /// Answers that are kept there, if anywhere.
    pub fn new(redis: Option<Redis>) -> Self {
        Self { redis }
    }

    /// Tells which block every partition has applied.
    pub async fn shown(&self, number: i64, hash: &[u8]) {
        let Some(redis) = &self.redis else { return };
        let place = format!("{number}:{}", hex::encode(hash));
        set(redis, SHOWN, place.into_bytes(), SHOWN_HOLDS).await;
    }

    /// The answer under a name at the latest block, if that is `min_block` or later and
    /// the answer is kept; else what `read` reads, which is kept then.
    ///
    /// # Errors
    /// What `read` fails with.
    pub async fn of_latest<M: OfBlock>(
        &self,
        name: &str,
        min_block: u64,
        read: impl Future<Output = Result<M>>,
    ) -> Result<M> {
        let Some(redis) = &self.redis else {
            return read.await;
        };
        if let Some((number, place)) = latest(redis).await
            && number >= min_block
            && let Some(kept) = get(redis, &key(name, &place)).await
            && let Ok(answer) = M::decode(kept.as_slice())
        {
            counter!(ANSWERS, "from" => "redis").increment(1);
            return Ok(answer);
        }
        let answer = read.await?;
        counter!(ANSWERS, "from" => "database").increment(1);
        // The block may have moved while it was read.
        if let Some((number, place)) = latest(redis).await
            && number == answer.as_of_block()
        {
            set(redis, &key(name, &place), answer.encode_to_vec(), KEPT).await;
        }
        Ok(answer)
    }
}

fn key(name: &str, place: &str) -> String {
    format!("answer:{name}:{place}")
}

/// The latest block's number, and its whole name.
async fn latest(redis: &Redis) -> Option<(u64, String)> {
    let place = String::from_utf8(get(redis, SHOWN).await?).ok()?;
    let (number, _) = place.split_once(':')?;
    Some((number.parse().ok()?, place))
}

async fn get(redis: &Redis, key: &str) -> Option<Vec<u8>> {
    let mut get = redis::cmd("GET");
    get.arg(redis.name(key));
    let found: Option<Option<Vec<u8>>> = redis
        .ask(|mut to| async move { get.query_async(&mut to).await })
        .await;
    found.flatten()
}

async fn set(redis: &Redis, key: &str, value: Vec<u8>, holds: Duration) {
    let mut set = redis::cmd("SET");
    set.arg(redis.name(key)).arg(value).arg("PX");
    set.arg(u64::try_from(holds.as_millis()).unwrap_or(u64::MAX));
    // What is not kept is read anew.
    let _: Option<()> = redis
        .ask(|mut to| async move {
            let set: RedisResult<()> = set.query_async(&mut to).await;
            set
        })
        .await;
}
