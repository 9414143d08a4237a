//! One call as its caller sees it: with the session's token, within its deadline, and
//! sent again where that is safe and may help.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Request, Response, Status, metadata::MetadataValue, transport::Channel};

use crate::{
    Error,
    retry::{Pauses, Repeat},
    session::{Keeper, Pass},
};

/// How long a call may take with all its tries, unless the client says otherwise.
const DEADLINE: Duration = Duration::from_secs(30);

/// Who calls: a connection and perhaps a session.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    keeper: Option<Arc<Keeper>>,
    deadline: Duration,
}

/// What the deadline bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bounds {
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

    pub(crate) fn with_keeper(&self, keeper: Option<Arc<Keeper>>) -> Self {
        Self {
            keeper,
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

    /// Calls a method that answers one message.
    pub(crate) async fn call<Q, A, F>(
        &self,
        repeat: Repeat,
        request: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.tries(Bounds::Answer, repeat, request, send).await
    }

    /// Calls a method that answers a stream.
    pub(crate) async fn open<Q, A, F>(
        &self,
        request: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.tries(Bounds::Opening, Repeat::Harmless, request, send)
            .await
    }

    /// Gets other tokens if those of `pass` are the session's still and `failure` is
    /// theirs; whether it is worth to try again.
    pub(crate) async fn renew_after(
        &self,
        failure: &Error,
        pass: Option<&Pass>,
    ) -> Result<bool, Error> {
        let (Some(keeper), Some(pass)) = (&self.keeper, pass) else {
            return Ok(false);
        };
        if !keeper.can_renew() || !pass.is_refused_by(failure) {
            return Ok(false);
        }
        keeper.renewed(pass, &self.with_keeper(None)).await?;
        Ok(true)
    }

    /// The token to call with, which is got first where there is none yet.
    pub(crate) async fn pass(&self) -> Result<Option<Pass>, Error> {
        let Some(keeper) = &self.keeper else {
            return Ok(None);
        };
        let pass = keeper.pass()?;
        if !pass.is_empty() || !keeper.can_renew() {
            return Ok(Some(pass));
        }
        let anonymous = self.with_keeper(None);
        keeper.renewed(&pass, &anonymous).await.map(Some)
    }

    async fn tries<Q, A, F>(
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
        let deadline = Instant::now() + self.deadline;
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
            if may_renew && within(deadline, self.renew_after(&failure, pass.as_ref())).await? {
                may_renew = false;
                continue;
            }
            match pauses.after(&failure, repeat) {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                _ => return Err(failure),
            }
        }
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
        let bearer = bearer.map_err(|_| Error::token_unreadable())?;
        request.metadata_mut().insert("authorization", bearer);
    }
    Ok(request)
}
