//! One call as its caller sees it: with the session's token, within its deadline, and
//! sent again where that is safe and may help.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Request, Response, Status, metadata::MetadataValue, transport::Channel};

use crate::{
    Error,
    retry::{Pauses, Repeat},
    session::{Keeper, Pass, Session, is_of_token},
};

/// How long a call may take with all its tries, unless the client says otherwise.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longer than anybody waits, and yet a moment that can be told.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The moment after so long, at most a year.
pub(crate) fn moment_after(duration: Duration) -> Instant {
    Instant::now() + duration.min(LONGEST)
}

/// Who calls: a connection and perhaps a session.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    keeper: Option<Arc<Keeper>>,
    deadline: Duration,
}

/// What the deadline bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// The whole answer; the server is told.
    Answer,
    /// Its beginning: a stream then stays open.
    Opening,
}

impl Caller {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            keeper: None,
            deadline: DEADLINE,
        }
    }

    /// The same for nobody.
    pub(crate) fn anonymous(&self) -> Self {
        Self {
            keeper: None,
            ..self.clone()
        }
    }

    /// The same for whoever has the session.
    pub(crate) fn resume(&self, session: Session) -> Self {
        // Everybody waits for an exchange, so nobody's own deadline is its.
        let exchanging = Self::new(self.channel.clone());
        Self {
            keeper: Some(Keeper::new(session, exchanging)),
            ..self.clone()
        }
    }

    pub(crate) fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    pub(crate) fn keeper(&self) -> Option<&Arc<Keeper>> {
        self.keeper.as_ref()
    }

    /// Calls a method, which answers a message or the beginning of a stream.
    pub(crate) async fn call<Q, A, F>(
        &self,
        bounds: Bounds,
        repeat: Repeat,
        request: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = moment_after(self.deadline);
        let (mut pauses, mut may_renew) = (Pauses::new(), true);
        loop {
            let pass = within(deadline, self.pass()).await?;
            let request = prepared(request.clone(), bounds, pass.as_ref(), deadline)?;
            let answer = async {
                send(self.channel.clone(), request)
                    .await
                    .map_err(Error::from)
            };
            let failure = match within(deadline, answer).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(failure) => failure,
            };
            if may_renew && within(deadline, self.renewed(&failure, pass.as_ref())).await? {
                may_renew = false;
                continue;
            }
            match pauses.after(&failure, repeat) {
                Some(pause) if moment_after(pause) < deadline => sleep(pause).await,
                _ => return Err(failure),
            }
        }
    }

    /// The token to call with, which is got first where there is none yet.
    async fn pass(&self) -> Result<Option<Pass>, Error> {
        let Some(keeper) = &self.keeper else {
            return Ok(None);
        };
        let pass = keeper.pass()?;
        if !pass.is_empty() || !keeper.can_renew() {
            return Ok(Some(pass));
        }
        keeper.renewed(&pass).await.map(Some)
    }

    /// Gets other tokens, if a call failed because of those of its pass; whether it is
    /// worth to try again.
    async fn renewed(&self, failure: &Error, pass: Option<&Pass>) -> Result<bool, Error> {
        let (Some(keeper), Some(pass)) = (&self.keeper, pass) else {
            return Ok(false);
        };
        let is_worth = keeper.can_renew() && is_of_token(failure);
        if is_worth {
            keeper.renewed(pass).await?;
        }
        Ok(is_worth)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("session", &self.keeper)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let done = timeout_at(deadline, work).await;
    match done {
        // The transport has the same bound, and says of it what it says of a lost call.
        Ok(Err(_)) | Err(_) if Instant::now() >= deadline => Err(Error::deadline()),
        Ok(done) => done,
        Err(_) => Err(Error::deadline()),
    }
}

fn prepared<Q>(
    message: Q,
    bounds: Bounds,
    pass: Option<&Pass>,
    deadline: Instant,
) -> Result<Request<Q>, Error> {
    let mut request = Request::new(message);
    if bounds == Bounds::Answer {
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    if let Some(pass) = pass {
        let bearer = MetadataValue::try_from(format!("Bearer {}", pass.token()));
        let mut bearer = bearer.map_err(|_| Error::token_unreadable())?;
        bearer.set_sensitive(true);
        request.metadata_mut().insert("authorization", bearer);
    }
    Ok(request)
}
