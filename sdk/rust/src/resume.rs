//! Streams that stay: one that breaks is opened again where it was, so that whoever
//! reads it sees neither a gap nor anything twice.

use std::{future::Future, mem::replace, time::Duration};

use futures::{StreamExt, stream::try_unfold};
use tokio::time::{Instant, sleep};
use tonic::{Request, Response, Status, Streaming, transport::Channel};

use crate::{
    Error, Results,
    call::{Bounds, Caller},
    retry::{Pauses, Repeat},
    session::is_of_token,
};

/// How long a stream may bring nothing but failures before it ends with the last one.
const OUTAGE: Duration = Duration::from_secs(300);

/// What a stream brings, and where it goes on.
pub(crate) trait Follow: Send + 'static {
    type Request: Clone + Send + 'static;
    type Answer: Send + 'static;
    type Item: Send + 'static;

    /// Asks for everything behind what was read, and forgets what was begun.
    fn request(&mut self) -> Self::Request;

    /// Takes the next answer; the item that it completes, if it is not known already.
    fn read(&mut self, answer: Self::Answer) -> Option<Self::Item>;

    /// Whether everything was read, so that the stream's end is its end.
    fn is_complete(&self) -> bool {
        false
    }
}

/// A stream that is followed.
struct Following<W: Follow, S> {
    caller: Caller,
    follow: W,
    send: S,
    open: Option<Streaming<W::Answer>>,
    trouble: Trouble,
}

/// Failures since the last answer.
struct Trouble {
    pauses: Pauses,
    since: Option<Instant>,
    /// Whether one of them was the token's.
    had_old_token: bool,
}

/// Follows what `send` opens.
pub(crate) fn follow<W, S, F>(caller: Caller, follow: W, send: S) -> Results<W::Item>
where
    W: Follow + Sync,
    S: Fn(Channel, Request<W::Request>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response<Streaming<W::Answer>>, Status>> + Send + 'static,
{
    let start = Following {
        caller,
        follow,
        send,
        open: None,
        trouble: Trouble::none(),
    };
    try_unfold(start, |mut following| async move {
        let item = following.next().await?;
        Ok(item.map(|item| (item, following)))
    })
    .boxed()
}

impl<W, S, F> Following<W, S>
where
    W: Follow + Sync,
    S: Fn(Channel, Request<W::Request>) -> F + Send + Sync,
    F: Future<Output = Result<Response<Streaming<W::Answer>>, Status>> + Send,
{
    async fn next(&mut self) -> Result<Option<W::Item>, Error> {
        while !self.follow.is_complete() {
            let answer = match self.answer().await {
                Ok(answer) => answer,
                Err(failure) => {
                    self.recover(failure).await?;
                    continue;
                }
            };
            self.trouble = Trouble::none();
            if let Some(item) = self.follow.read(answer) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    async fn answer(&mut self) -> Result<W::Answer, Error> {
        let stream = match &mut self.open {
            Some(open) => open,
            closed => {
                let request = self.follow.request();
                let opened =
                    self.caller
                        .call(Bounds::Opening, Repeat::Harmless, request, &self.send);
                closed.insert(opened.await?)
            }
        };
        let answer = stream.message().await?;
        answer.ok_or_else(|| Status::unavailable("the stream ended").into())
    }

    /// Waits as long as another try should wait, or gives up.
    async fn recover(&mut self, failure: Error) -> Result<(), Error> {
        self.open = None;
        if self.trouble.is_of_old_token(&failure) {
            return Ok(());
        }
        let pause = self.trouble.pause(&failure).ok_or(failure)?;
        sleep(pause).await;
        Ok(())
    }
}

impl Trouble {
    fn none() -> Self {
        Self {
            pauses: Pauses::new(),
            since: None,
            had_old_token: false,
        }
    }

    /// Whether the token ended while the stream was open: the next opening gets another.
    fn is_of_old_token(&mut self, failure: &Error) -> bool {
        is_of_token(failure) && !replace(&mut self.had_old_token, true)
    }

    fn pause(&mut self, failure: &Error) -> Option<Duration> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let pause = self.pauses.after(failure, Repeat::Harmless)?;
        (since.elapsed() + pause < OUTAGE).then_some(pause)
    }
}
