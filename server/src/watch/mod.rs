//! Calls that stay open and send what comes: their places, and how they end.
//!
//! Promised: so many at once and no more, in this process and of one caller. A
//! stream does its work only when its client has taken what came before, so a slow
//! reader holds what it has not taken yet and nothing else: no lock, no connection,
//! no place in a line. What many streams wait for is looked up once for all of them
//! ([`Board`]).

mod board;
mod places;
mod sessions;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use gx_proto::gx::common::v1::Reason;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::{Instrument, Span};

use crate::{
    app::App,
    auth::{Caller, Context},
    config::Limits,
    error::{Error, Result},
};
use places::{Place, Places};
use sessions::Sessions;

pub use board::{Board, Look};

/// The open calls of this process.
#[derive(Debug)]
pub struct Watches {
    places: Places,
    sessions: Board<Sessions>,
}

/// One open call; dropping it gives its place back.
#[derive(Debug)]
pub struct Watch {
    _place: Place,
    session: watch::Receiver<Option<Option<Reason>>>,
    leaving: CancellationToken,
}

/// What an open call sends.
pub type Sent<T> = BoxStream<'static, Result<T, Status>>;

impl Watches {
    /// Room for so many as the settings say.
    pub fn new(limits: &Limits) -> Self {
        Self {
            places: Places::new(limits.watches, limits.caller_watches),
            sessions: Board::new(Sessions),
        }
    }
}

impl Watch {
    /// Takes a place for a call of somebody whose session was just seen to last.
    ///
    /// # Errors
    /// `OVERLOADED` if all places are taken, or all of the caller's.
    pub fn open(app: &App, caller: &Caller, context: &Context) -> Result<Self> {
        let watches = &app.rooms.watches;
        Ok(Self {
            _place: watches.places.take(caller.user, context.method)?,
            session: watches.sessions.subscribe(app, caller.session),
            leaving: context.leaving.clone(),
        })
    }

    /// Whether the call may go on.
    ///
    /// # Errors
    /// `UNAVAILABLE` if its connection is to end, `SESSION_REVOKED` or
    /// `TOKEN_EXPIRED` if its session has ended.
    pub fn check(&self) -> Result<()> {
        if self.leaving.is_cancelled() {
            return Err(Error::leaving());
        }
        match *self.session.borrow() {
            Some(Some(Reason::TokenExpired)) => {
                let message = "the access token has expired";
                Err(Error::rejected(Reason::TokenExpired, message))
            }
            Some(Some(reason)) => Err(Error::rejected(reason, "the session was ended")),
            Some(None) | None => Ok(()),
        }
    }

    /// Waits until `board` posts something else, but no longer than until `until`.
    ///
    /// # Errors
    /// As [`Watch::check`].
    pub async fn posted<T>(
        &mut self,
        board: &mut watch::Receiver<T>,
        until: Instant,
    ) -> Result<()> {
        loop {
            self.check()?;
            tokio::select! {
                () = self.leaving.cancelled() => {}
                changed = self.session.changed() => changed.map_err(anyhow::Error::from)?,
                changed = board.changed() => {
                    changed.map_err(anyhow::Error::from)?;
                    return self.check();
                }
                () = sleep_until(until) => return Ok(()),
            }
        }
    }
}

/// What a call sends, step by step: a step is taken only when the client has room
/// for what it answers. It ends with `None` or with an error.
pub fn sent<S, T, F>(state: S, step: impl Fn(S) -> F + Send + 'static) -> Sent<T>
where
    S: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<Option<(T, S)>>> + Send + 'static,
{
    let span = Span::current();
    let steps = stream::try_unfold(state, move |state| step(state).instrument(span.clone()));
    steps.map_err(Status::from).boxed()
}

/// Does work that holds something in common, such as a connection of the database,
/// apart from the stream that waits for it: a stream whose client takes nothing is
/// not driven, and what it held would be kept from all others.
///
/// # Errors
/// Those of the work; or if it broke.
pub async fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let work = tokio::spawn(work.instrument(Span::current()));
    work.await.map_err(anyhow::Error::from)?
}
