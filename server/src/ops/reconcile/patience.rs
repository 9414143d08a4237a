//! How long a ledger that does not answer is asked again: a peer that is down, slow or
//! overloaded for a moment says nothing about the books.

use std::time::Duration;

use gx_fabric::LedgerError;
use tokio::time::Instant;

/// The pause before a question is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Until when questions are asked again.
pub(super) struct Patience(Option<Instant>);

impl Patience {
    /// Each question is asked once.
    pub(super) const NONE: Self = Self(None);

    /// Questions are asked again until then.
    pub(super) fn until(end: Instant) -> Self {
        Self(Some(end))
    }

    /// Asks until there is an answer, be it another failure, or the time is over.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn ask<T, F>(&self, mut question: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        loop {
            match question().await {
                Err(failure) if is_of_the_moment(&failure) && self.lasts() => {
                    tracing::info!(%failure, "asking the ledger again");
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    fn lasts(&self) -> bool {
        self.0.is_some_and(|end| Instant::now() < end)
    }
}

fn is_of_the_moment(failure: &LedgerError) -> bool {
    matches!(
        failure,
        LedgerError::Timeout | LedgerError::Unavailable { .. } | LedgerError::Overloaded { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a question is asked whose answers are these, and the last one.
    async fn asked(
        patience: Patience,
        mut answer: impl FnMut(u32) -> Result<u64, LedgerError>,
    ) -> (u32, Result<u64, LedgerError>) {
        let mut times = 0;
        let last = patience.ask(|| {
            times += 1;
            std::future::ready(answer(times))
        });
        let last = last.await;
        (times, last)
    }

    fn for_ten_seconds() -> Patience {
        Patience::until(Instant::now() + Duration::from_secs(10))
    }

    #[tokio::test(start_paused = true)]
    async fn a_ledger_that_is_away_for_a_moment_is_asked_again() {
        let answer = |times| match times {
            1 => Err(LedgerError::Timeout),
            2 => Err(LedgerError::Unavailable {
                message: "peer".into(),
            }),
            3 => Err(LedgerError::Overloaded {
                message: "peer".into(),
            }),
            _ => Ok(7),
        };
        assert_eq!(asked(for_ten_seconds(), answer).await, (4, Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stays_away_is_asked_until_the_time_is_over() {
        let begun = Instant::now();
        let (_, last) = asked(for_ten_seconds(), |_| Err(LedgerError::Timeout)).await;
        assert_eq!(last, Err(LedgerError::Timeout));
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        let (times, _) = asked(Patience::NONE, |_| Err(LedgerError::Timeout)).await;
        assert_eq!(times, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_fail_again_is_not_asked_again() {
        let broken = || LedgerError::internal("an answer that cannot be decoded");
        let (times, last) = asked(for_ten_seconds(), |_| Err(broken())).await;
        assert_eq!((times, last), (1, Err(broken())));
    }
}
