//! The line before the intake: bounded, and shared. Single commands and those of
//! batches have room of their own, so neither fills the line for the other; while
//! both wait, a fold takes one of each in turn. One owner has one batch at once.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use gx_proto::gx::common::v1::Reason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Submission, entity::operation};
use crate::{
    auth::UserId,
    config,
    error::{Error, Result},
    limits::{Share, Shares},
};

/// When a caller should try again that found the line full.
const RETRY: Duration = Duration::from_millis(500);

/// What a command is answered.
type Answer = Result<operation::Model>;

/// Where the answer to a command comes.
pub(super) type Answered = oneshot::Receiver<Answer>;

/// A command in the line, and where its answer goes.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The command.
    pub(super) submission: Submission,
    answer: oneshot::Sender<Answer>,
    place: Arc<Place>,
}

impl Waiting {
    /// Answers it, and lets others have its place.
    pub(super) fn answered(self, answer: Answer) {
        drop(self.place);
        // A caller that has gone finds its operation under its request_id.
        let _ = self.answer.send(answer);
    }
}

/// Room in the line, given back when all that have it are answered, whoever has gone.
#[derive(Debug)]
struct Place {
    _room: OwnedSemaphorePermit,
    _share: Option<Share<UserId>>,
}

/// What comes into the line at once.
#[derive(Debug)]
enum Entry {
    Single(Box<Waiting>),
    Batch(Vec<Waiting>),
}

/// The end of the line that commands come in by; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    entries: mpsc::UnboundedSender<Entry>,
    singles: Arc<Semaphore>,
    batches: Arc<Semaphore>,
    owners: Arc<Shares<UserId>>,
}

/// The waiting line's other end, for [`super::intake::run`].
#[derive(Debug)]
pub struct Line {
    entries: mpsc::UnboundedReceiver<Entry>,
    singles: VecDeque<Waiting>,
    batched: VecDeque<Waiting>,
    /// Whether it is the turn of a batch.
    batch_is_next: bool,
}

/// A line with room as the settings say.
pub(super) fn line(settings: &config::Intake) -> (Entrance, Line) {
    let (entrance, entries) = mpsc::unbounded_channel();
    let entrance = Entrance {
        entries: entrance,
        singles: Arc::new(Semaphore::new(settings.waiting)),
        batches: Arc::new(Semaphore::new(settings.batch_waiting)),
        owners: Arc::new(Shares::new(1)),
    };
    let line = Line {
        entries,
        singles: VecDeque::new(),
        batched: VecDeque::new(),
        batch_is_next: false,
    };
    (entrance, line)
}

impl Entrance {
    /// Puts a command into the line.
    pub(super) fn enter(&self, submission: Submission) -> Result<Answered> {
        let room = take(&self.singles, 1)?;
        let (waiting, answered) = waiting(submission, &Arc::new(Place::new(room, None)));
        self.send(Entry::Single(Box::new(waiting)))?;
        Ok(answered)
    }

    /// Puts all commands of a batch into the line, or none.
    pub(super) fn enter_batch(
        &self,
        user: UserId,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Answered>> {
        let share = self.owners.take(user);
        let share = share.ok_or_else(|| overloaded("another batch of the caller waits"))?;
        let room = take(&self.batches, submissions.len())?;
        let place = Arc::new(Place::new(room, Some(share)));
        let (batch, answered) = submissions
            .into_iter()
            .map(|submission| waiting(submission, &place))
            .unzip();
        self.send(Entry::Batch(batch))?;
        Ok(answered)
    }

    fn send(&self, entry: Entry) -> Result<()> {
        let sent = self.entries.send(entry);
        sent.map_err(|_| overloaded("no command is taken any more"))
    }
}

impl Place {
    fn new(room: OwnedSemaphorePermit, share: Option<Share<UserId>>) -> Self {
        Self {
            _room: room,
            _share: share,
        }
    }
}

fn waiting(submission: Submission, place: &Arc<Place>) -> (Waiting, Answered) {
    let (answer, answered) = oneshot::channel();
    let waiting = Waiting {
        submission,
        answer,
        place: place.clone(),
    };
    (waiting, answered)
}

fn take(room: &Arc<Semaphore>, commands: usize) -> Result<OwnedSemaphorePermit> {
    u32::try_from(commands)
        .ok()
        .and_then(|commands| room.clone().try_acquire_many_owned(commands).ok())
        .ok_or_else(|| overloaded("too many commands wait"))
}

fn overloaded(message: &'static str) -> Error {
    Error::rejected(Reason::Overloaded, message).retry_after(RETRY)
}

impl Line {
    /// Waits until a command waits; `false` when none will come any more. After the
    /// shutdown none comes in, and what is in the line is still handed out.
    pub(super) async fn wait(&mut self, shutdown: &CancellationToken) -> bool {
        if !self.singles.is_empty() || !self.batched.is_empty() {
            return true;
        }
        let first = tokio::select! {
            biased;
            entry = self.entries.recv() => entry,
            () = shutdown.cancelled() => {
                self.entries.close();
                self.entries.recv().await
            }
        };
        let waits = first.is_some();
        first.into_iter().for_each(|entry| self.admit(entry));
        waits
    }

    /// What waits, at most so many: singles and those of batches in turn.
    pub(super) fn fold(&mut self, most: usize) -> Vec<Waiting> {
        while let Ok(entry) = self.entries.try_recv() {
            self.admit(entry);
        }
        let mut fold = Vec::new();
        while fold.len() < most {
            let (first, second) = if self.batch_is_next {
                (&mut self.batched, &mut self.singles)
            } else {
                (&mut self.singles, &mut self.batched)
            };
            let Some(next) = first.pop_front().or_else(|| second.pop_front()) else {
                break;
            };
            fold.push(next);
            self.batch_is_next = !self.batch_is_next;
        }
        fold
    }

    /// Whether a part of a batch is left for the next fold.
    pub(super) fn has_batched(&self) -> bool {
        !self.batched.is_empty()
    }

    fn admit(&mut self, entry: Entry) {
        match entry {
            Entry::Single(single) => self.singles.push_back(*single),
            Entry::Batch(batch) => self.batched.extend(batch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, fixture};

    fn line_of(waiting: usize, batch_waiting: usize) -> (Entrance, Line) {
        line(&config::Intake {
            waiting,
            batch_waiting,
            ..Config::default().intake
        })
    }

    fn submissions(numbers: std::ops::Range<u128>) -> Vec<Submission> {
        numbers.map(fixture::submission).collect()
    }

    fn numbers(fold: Vec<Waiting>) -> Vec<u128> {
        let ids = fold.into_iter().map(|one| one.submission.request_id);
        ids.map(|id| id.as_u128()).collect()
    }

    fn user(number: u128) -> UserId {
        fixture::user(number).user
    }

    fn reason(entered: Result<Vec<Answered>>) -> Reason {
        entered.unwrap_err().reason()
    }

    #[test]
    fn a_batch_and_single_callers_take_turns() {
        let (entrance, mut line) = line_of(10, 10);
        entrance
            .enter_batch(user(1), submissions(100..106))
            .unwrap();
        for single in submissions(0..3) {
            entrance.enter(single).unwrap();
        }
        assert_eq!(numbers(line.fold(4)), [0, 100, 1, 101]);
        assert_eq!(numbers(line.fold(1)), [2]);
        entrance.enter(fixture::submission(3)).unwrap();
        assert_eq!(numbers(line.fold(1)), [102]);
        assert_eq!(numbers(line.fold(10)), [3, 103, 104, 105]);
        assert!(line.fold(10).is_empty());
    }

    #[test]
    fn batches_and_single_callers_have_room_of_their_own() {
        let (entrance, mut line) = line_of(1, 5);
        entrance.enter_batch(user(1), submissions(0..3)).unwrap();
        let whole = entrance.enter_batch(user(2), submissions(3..6));
        assert_eq!(reason(whole), Reason::Overloaded);
        entrance.enter_batch(user(2), submissions(3..5)).unwrap();
        entrance.enter(fixture::submission(6)).unwrap();
        let full = entrance.enter(fixture::submission(7)).unwrap_err();
        assert_eq!(full.reason(), Reason::Overloaded);
        assert_eq!(
            numbers(line.fold(10)).len(),
            6,
            "nothing of what found no room"
        );
        entrance.enter_batch(user(3), submissions(0..5)).unwrap();
        entrance.enter(fixture::submission(7)).unwrap();
    }

    #[test]
    fn one_has_one_batch_at_once_even_if_it_does_not_wait_for_the_answer() {
        let (entrance, mut line) = line_of(1, 10);
        drop(entrance.enter_batch(user(1), submissions(0..2)).unwrap());
        let another = || entrance.enter_batch(user(1), submissions(2..3));
        assert_eq!(reason(another()), Reason::Overloaded);
        let first = line.fold(1);
        drop(first);
        assert_eq!(reason(another()), Reason::Overloaded, "a part still waits");
        drop(line.fold(1));
        another().unwrap();
    }

    #[tokio::test]
    async fn what_waits_at_the_shutdown_is_still_taken() {
        let (entrance, mut line) = line_of(10, 10);
        let shutdown = CancellationToken::new();
        entrance.enter_batch(user(1), submissions(0..3)).unwrap();
        shutdown.cancel();
        for left in [2, 1] {
            assert!(line.wait(&shutdown).await);
            assert_eq!(line.fold(2).len(), left);
        }
        assert!(!line.wait(&shutdown).await);
        let late = entrance.enter(fixture::submission(3)).unwrap_err();
        assert_eq!(late.reason(), Reason::Overloaded);
    }
}
