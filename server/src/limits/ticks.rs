//! Time that never goes back; tests move it by hand.

#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Instant;

use governor::{clock::Clock, nanos::Nanos};

#[derive(Debug, Clone)]
pub(super) enum Ticks {
    Since(Instant),
    #[cfg(test)]
    At(Arc<AtomicU64>),
}

impl Ticks {
    pub(super) fn monotonic() -> Self {
        Self::Since(Instant::now())
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Self::Since(start) => start.elapsed().into(),
            #[cfg(test)]
            Self::At(nanos) => nanos.load(Ordering::SeqCst).into(),
        }
    }
}
