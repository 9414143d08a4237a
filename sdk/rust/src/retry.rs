//! What may be sent again, and when.

use std::time::Duration;

use tonic::Code;

use crate::{Error, proto::gx::common::v1::Reason};

/// Pauses double from the first to the longest, behind that which the server names.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a second sending of a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing more than the first: it reads, or carries a request_id.
    Harmless,
    /// Something again: so only what was certainly not taken is sent again.
    Counts,
}

/// The pauses between the tries of one call.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// How long to wait before the next try; none if there must be none.
    pub(crate) fn after(&mut self, failure: &Error, repeat: Repeat) -> Option<Duration> {
        if !may_repeat(failure, repeat) {
            return None;
        }
        let own = self.0;
        self.0 = LONGEST_PAUSE.min(own * 2);
        // Clients that failed together do not come back together.
        let share = rand::random_range(0.5..1.0);
        Some(failure.retry_delay().unwrap_or_default() + own.mul_f64(share))
    }
}

/// Whether the server said that it did nothing.
fn was_not_taken(failure: &Error) -> bool {
    let refusals = [Reason::RateLimited, Reason::Overloaded, Reason::CatchingUp];
    refusals.contains(&failure.reason())
}

/// Whether nobody knows what became of the call.
fn was_lost(failure: &Error) -> bool {
    match failure.reason_name() {
        Some(_) => matches!(failure.reason(), Reason::Unavailable | Reason::Deadline),
        // Said by the transport or by a proxy: the connection, not the call.
        None => matches!(
            failure.code(),
            Code::Unavailable | Code::Unknown | Code::Aborted | Code::Cancelled | Code::Internal
        ),
    }
}

fn may_repeat(failure: &Error, repeat: Repeat) -> bool {
    was_not_taken(failure) || repeat == Repeat::Harmless && was_lost(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(failure: &Error, repeat: Repeat) -> Option<Duration> {
        Pauses::new().after(failure, repeat)
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_only_where_that_is_harmless() {
        let lost = Error::local(Code::Unavailable, "connection reset");
        assert!(pause(&lost, Repeat::Harmless).is_some());
        assert_eq!(pause(&lost, Repeat::Counts), None);
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for code in [
            Code::InvalidArgument,
            Code::NotFound,
            Code::PermissionDenied,
        ] {
            let wrong = Error::local(code, "no");
            assert_eq!(pause(&wrong, Repeat::Harmless), None);
        }
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let lost = Error::local(Code::Unavailable, "connection reset");
        let mut pauses = Pauses::new();
        let all: Vec<_> = (0..20)
            .map(|_| pauses.after(&lost, Repeat::Harmless).expect("a pause"))
            .collect();
        assert!(all[0] <= FIRST_PAUSE);
        assert!(all[19] >= LONGEST_PAUSE / 2 && all[19] <= LONGEST_PAUSE);
    }

    #[test]
    fn clients_that_are_told_when_to_come_back_come_back_later_and_apart() {
        let mut busy = Error::local(Code::Unavailable, "busy");
        busy.retries_after(Duration::from_secs(1));
        let mut pauses = Pauses::new();
        let all: Vec<_> = (0..20)
            .map(|_| pauses.after(&busy, Repeat::Harmless).expect("a pause"))
            .collect();
        assert!(all.iter().all(|pause| *pause > Duration::from_secs(1)));
        assert!(all[19] >= Duration::from_secs(1) + LONGEST_PAUSE / 2);
        assert_ne!(
            pause(&busy, Repeat::Harmless),
            pause(&busy, Repeat::Harmless)
        );
    }
}
