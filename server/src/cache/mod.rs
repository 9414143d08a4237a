//! What processes tell each other to be quick, never to be right: wake-ups of workers
//! and waiters, counts of calls, and answers that everybody gets alike. Redis carries
//! it between processes; where there is none, or while it is away, each process goes on
//! by itself and by polling.

mod answers;
mod buckets;
mod link;
mod probe;
mod relay;
mod source;
mod wake;

pub use answers::{Answers, OfBlock};
pub use buckets::{Quota, Taken};
pub use link::Redis;
pub use relay::relay;
pub use wake::Wake;
