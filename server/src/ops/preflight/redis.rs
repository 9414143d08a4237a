//! What processes share to be quick. Nothing of it is needed, so a failure is a warning.

use super::Check;
use crate::{cache::Redis, config::Config};

/// Redis, where the settings name one.
pub(super) async fn look(config: &Config) -> Option<Check> {
    let probed = match Redis::new(&config.redis) {
        Ok(redis) => redis?.probe().await,
        Err(error) => Err(error),
    };
    Some(match probed {
        Ok(()) => Check::ok("redis", "reachable, with all rights that are needed"),
        Err(error) => Check::warning("redis", format!("{error:#}; GX goes on without")),
    })
}
