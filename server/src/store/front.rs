//! Where looks at a queue begin: behind what has left it.
//!
//! Rows leave a queue from its front, but as long as any snapshot of the database may see
//! them there (a backup reads for minutes), every look that begins at the first row of all
//! passes over each of them again.

use std::sync::{Arc, Mutex, PoisonError};

/// How long rows must have left before looks begin behind them. Rows are put in shortly
/// before their transaction ends, so hardly one of an earlier place is still to appear.
const AGE_MS: i64 = 5_000;

/// How often a look begins at the first place all the same, should a row have appeared
/// later than that, or have been put back by another process.
const WHOLE_MS: i64 = 20_000;

/// The front of one queue, whose rows have places that grow; whoever looks at the queue in
/// this process shares it.
#[derive(Debug, Clone, Default)]
pub struct Front(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Nothing waits up to here.
    behind: i64,
    /// Nothing has waited up to here at `turned_ms`.
    next: i64,
    turned_ms: i64,
    whole_ms: i64,
}

impl Front {
    /// The place after which a look begins.
    pub fn behind(&self, now_ms: i64) -> i64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ms - state.whole_ms >= WHOLE_MS {
            state.whole_ms = now_ms;
            return 0;
        }
        state.behind
    }

    /// Says that a look found nothing before this place, where something waits.
    pub fn found(&self, place: i64, now_ms: i64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = place - 1;
        state.next = state.next.min(before);
        state.behind = state.behind.min(before);
        if now_ms - state.turned_ms >= AGE_MS {
            (state.behind, state.next, state.turned_ms) = (state.next, before, now_ms);
        }
    }

    /// Says that rows may have been put back: the next look begins at the first place.
    pub fn begin_anew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time at which a look at everything has just been.
    const NOW_MS: i64 = 1_000_000;

    fn front() -> Front {
        let front = Front::default();
        assert_eq!(front.behind(NOW_MS), 0);
        front
    }

    #[test]
    fn a_place_is_passed_over_once_all_before_it_are_long_gone() {
        let front = front();
        front.found(11, NOW_MS);
        assert_eq!(front.behind(NOW_MS), 0);
        front.found(21, NOW_MS + AGE_MS - 1);
        assert_eq!(front.behind(NOW_MS + AGE_MS - 1), 0);
        front.found(31, NOW_MS + AGE_MS);
        assert_eq!(front.behind(NOW_MS + AGE_MS), 10);
        front.found(41, NOW_MS + 2 * AGE_MS);
        assert_eq!(front.behind(NOW_MS + 2 * AGE_MS), 30);
    }

    #[test]
    fn what_appears_late_is_found_by_the_next_look_at_everything() {
        let front = front();
        for turn in 0..=2 {
            front.found(11, NOW_MS + turn * AGE_MS);
        }
        assert_eq!(front.behind(NOW_MS + WHOLE_MS - 1), 10);
        assert_eq!(front.behind(NOW_MS + WHOLE_MS), 0);
        assert_eq!(front.behind(NOW_MS + WHOLE_MS), 10);
        front.found(5, NOW_MS + WHOLE_MS);
        assert_eq!(front.behind(NOW_MS + WHOLE_MS), 4);
    }

    #[test]
    fn what_is_put_back_is_found_at_once() {
        let front = front();
        for turn in 0..=2 {
            front.found(11, NOW_MS + turn * AGE_MS);
        }
        front.begin_anew();
        assert_eq!(front.behind(NOW_MS + 2 * AGE_MS), 0);
        // Of a look that was under way meanwhile, and of the next.
        front.found(11, NOW_MS + 2 * AGE_MS);
        front.found(5, NOW_MS + 2 * AGE_MS);
        front.found(5, NOW_MS + 3 * AGE_MS);
        assert_eq!(front.behind(NOW_MS + 3 * AGE_MS), 4);
    }
}
