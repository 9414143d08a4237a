//! One peer's stream: reads what it sends, has its transactions run, and cleans up
//! whatever the stream's end leaves.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{
    exchange::{Outgoing, Wire},
    observer::Outcome,
    runner::{Ran, Runner},
    server::Options,
    session::{Ended, Session, Step, Task, failure},
};
use crate::proto::protos::ChaincodeMessage;

/// What all streams of a server share.
pub(super) struct Hub {
    pub(super) options: Options,
    pub(super) runner: Runner,
    /// From then on no transaction is begun.
    pub(super) shutdown: CancellationToken,
}

/// A peer's stream.
pub(super) struct Stream {
    hub: Arc<Hub>,
    peer: String,
    session: Session,
    outgoing: Outgoing,
    /// Transactions under way. All have ended before the stream has.
    tasks: JoinSet<()>,
    /// Gives each a thread, in order.
    threads: Arc<Semaphore>,
    /// Cancelled at the end, for those who wait for the peer.
    ended: CancellationToken,
    /// When transactions under way are given up, once no more are begun.
    drained: Option<Instant>,
}

/// Why a stream ended.
enum End {
    /// The peer closed it.
    Cut,
    /// The connection broke, or what came on it cannot be decoded.
    Broken(Status),
    /// The server stops.
    Stopped,
    /// Nothing sensible can follow.
    Wrong(Ended),
}

impl Stream {
    /// Opens a stream: registers.
    pub(super) async fn open(hub: Arc<Hub>, peer: String, outgoing: Outgoing) -> Self {
        let (session, register) = Session::open(&hub.options.package_id);
        hub.options.observer.stream_opened();
        // Where nobody takes it the first look at the stream finds out.
        let _ = outgoing.send(Ok(register)).await;
        Self {
            threads: Arc::new(Semaphore::new(hub.options.threads)),
            ended: CancellationToken::new(),
            tasks: JoinSet::new(),
            drained: None,
            hub,
            peer,
            session,
            outgoing,
        }
    }

    /// Serves the peer until the stream ends, and everything on it.
    pub(super) async fn run(
        mut self,
        mut incoming: Streaming<ChaincodeMessage>,
        abandon: CancellationToken,
    ) {
        let served = abandon.run_until_cancelled(self.serve(&mut incoming));
        let end = served.await.unwrap_or(End::Stopped);
        self.ended.cancel();
        let abandoned = self.tasks.len();
        while self.tasks.join_next().await.is_some() {}
        self.tell(end, abandoned);
        self.hub.options.observer.stream_closed();
    }

    /// Tells the log and the peer why it ended. A peer that does not read is told
    /// nothing.
    fn tell(&self, end: End, abandoned: usize) {
        let peer = self.peer.as_str();
        match end {
            End::Cut => tracing::info!(peer, abandoned, "the peer ended its stream"),
            End::Stopped => tracing::info!(peer, abandoned, "the peer's stream is closed"),
            End::Broken(status) => {
                tracing::warn!(peer, abandoned, %status, "the peer's stream broke");
                let _ = self.outgoing.try_send(Err(status));
            }
            End::Wrong(reason) => {
                tracing::error!(peer, abandoned, %reason, "the peer's stream is given up");
                let words = reason.to_string();
                let told = failure(&ChaincodeMessage::default(), &words);
                let _ = self.outgoing.try_send(Ok(told));
                let status = Status::failed_precondition(words);
                let _ = self.outgoing.try_send(Err(status));
            }
        }
    }

    async fn serve(&mut self, incoming: &mut Streaming<ChaincodeMessage>) -> End {
        loop {
            if self.drained.is_some() && self.tasks.is_empty() {
                return End::Stopped;
            }
            let until = self.drained;
            tokio::select! {
                biased;
                () = self.outgoing.closed() => return End::Cut,
                () = self.hub.shutdown.cancelled(), if until.is_none() => {
                    self.drained = Some(Instant::now() + self.hub.options.drain);
                }
                () = reached(until) => return End::Stopped,
                Some(_) = self.tasks.join_next() => {}
                message = incoming.message() => match message {
                    Ok(Some(message)) => if let Some(end) = self.receive(message).await {
                        return end;
                    },
                    Ok(None) => return End::Cut,
                    Err(status) => return End::Broken(status),
                },
            }
        }
    }

    /// Does what a message asks; an answer ends the stream.
    async fn receive(&mut self, message: ChaincodeMessage) -> Option<End> {
        let offered = message.payload.clone();
        match self.session.receive(message) {
            Step::Done => {}
            Step::Ignored(why) => tracing::debug!(peer = self.peer, why, "ignored"),
            Step::Send(answer) => self.send(answer).await,
            Step::Ready(capabilities) => capabilities.tell(&self.peer, &offered),
            Step::Run(task) if self.drained.is_some() => {
                let refused = failure(&task.message, "the chaincode server is stopping");
                drop(task);
                self.send(refused).await;
            }
            Step::Run(task) => self.begin(task),
            Step::End(reason) => return Some(End::Wrong(reason)),
        }
        None
    }

    /// Waits for room: a peer that does not read is not read either.
    async fn send(&self, message: ChaincodeMessage) {
        // Where the peer has gone, the next look at the stream finds out.
        let _ = self.outgoing.send(Ok(message)).await;
    }

    fn begin(&mut self, task: Task) {
        let transaction = Transaction {
            began: Instant::now(),
            hub: self.hub.clone(),
            outgoing: self.outgoing.clone(),
            ended: self.ended.clone(),
            threads: self.threads.clone(),
        };
        self.tasks.spawn(transaction.run(task));
    }
}

/// Waits for a moment, for ever if there is none.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A transaction from its message to its answer.
struct Transaction {
    began: Instant,
    hub: Arc<Hub>,
    outgoing: Outgoing,
    ended: CancellationToken,
    threads: Arc<Semaphore>,
}

impl Transaction {
    async fn run(self, task: Task) {
        let ended = self.ended.clone();
        let ran = self.run_on_a_thread(task).await;
        let outcome = match ran {
            Some(ran) if !ended.is_cancelled() => {
                let sent = ended.run_until_cancelled(self.outgoing.send(Ok(ran.answer)));
                match sent.await {
                    Some(Ok(())) => ran.outcome,
                    _ => Outcome::Abandoned,
                }
            }
            _ => Outcome::Abandoned,
        };
        let observer = &self.hub.options.observer;
        observer.transaction(outcome, self.began.elapsed());
    }

    /// What it came to; nothing if the stream ended before it had a thread.
    async fn run_on_a_thread(&self, task: Task) -> Option<Ran> {
        let threads = self.threads.clone().acquire_owned();
        let thread = self.ended.run_until_cancelled(threads).await?.ok()?;
        let Task {
            message,
            ticket,
            capabilities,
        } = task;
        let mut wire = Wire {
            ticket,
            outgoing: self.outgoing.clone(),
            ended: self.ended.clone(),
            answer_timeout: self.hub.options.answer_timeout,
            message_bytes_max: self.hub.options.message_bytes_max,
            observer: self.hub.options.observer.clone(),
            runtime: Handle::current(),
        };
        let runner = self.hub.runner.clone();
        let about = failure(&message, "the contract broke");
        let ran = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            runner.run(&message, &mut wire, capabilities)
        });
        let ran = ran.await.unwrap_or_else(|error| {
            tracing::error!(%error, tx_id = about.txid, "the contract broke");
            Ran {
                answer: about,
                outcome: Outcome::Failed,
            }
        });
        Some(self.fitting(ran))
    }

    /// An answer that the stream takes.
    fn fitting(&self, ran: Ran) -> Ran {
        use prost::Message as _;
        let bytes = ran.answer.encoded_len();
        if bytes <= self.hub.options.message_bytes_max {
            return ran;
        }
        let words = format!("the answer of {bytes} bytes is larger than a stream takes");
        Ran {
            answer: failure(&ran.answer, &words),
            outcome: Outcome::Failed,
        }
    }
}
