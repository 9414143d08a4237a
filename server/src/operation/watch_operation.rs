//! `WatchOperation`: an operation as it is now, and each change up to its outcome.

use async_trait::async_trait;
use gx_proto::gx::operation::v1::{Operation, WatchOperationRequest, WatchOperationResponse};
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};
use uuid::Uuid;

use super::{Api, query};
use crate::{
    app::App,
    auth::{Caller, Context},
    error::{Error, Result, Violations},
    outbox::operation::{self, parse_name},
    watch::{Look, Sent, Watch, apart, sent},
};

/// How long a stream rests at most before it asks itself whether it may go on; it
/// is told of everything at once.
const REST: Duration = Duration::from_secs(60);

/// An operation to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WatchOperation {
    id: Uuid,
}

impl TryFrom<WatchOperationRequest> for WatchOperation {
    type Error = Error;

    fn try_from(message: WatchOperationRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let id = violations.take("name", parse_name(&message.name));
        violations.finish(id.map(|id| Self { id }))
    }
}

impl WatchOperation {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        operation::name(self.id)
    }

    pub(super) async fn handle(
        self,
        api: &Api,
        caller: &Caller,
        context: &Context,
    ) -> Result<Sent<WatchOperationResponse>> {
        let watch = Watch::open(&api.app, caller, context)?;
        // Before reading, so that no change after it is missed.
        let changes = api.changes.subscribe(&api.app, self.id);
        let watching = Watching {
            found: Some(query::find(&api.app, caller, self.id).await?),
            app: api.app.clone(),
            caller: caller.clone(),
            id: self.id,
            sent: None,
            watch,
            changes,
        };
        Ok(sent(watching, Watching::step))
    }
}

/// A watched operation.
struct Watching {
    app: App,
    caller: Caller,
    id: Uuid,
    watch: Watch,
    changes: watch::Receiver<Option<Operation>>,
    /// What was read and not sent.
    found: Option<Operation>,
    /// What was sent last.
    sent: Option<Operation>,
}

impl Watching {
    /// The operation as it next is; nothing after its outcome.
    async fn step(mut self) -> Result<Option<(WatchOperationResponse, Self)>> {
        if self
            .sent
            .as_ref()
            .is_some_and(|sent| query::is_final(sent.state))
        {
            return Ok(None);
        }
        loop {
            self.watch.check()?;
            if let Some(operation) = self.found.take()
                && self.sent.as_ref() != Some(&operation)
            {
                self.sent = Some(operation.clone());
                let operation = Some(operation);
                return Ok(Some((WatchOperationResponse { operation }, self)));
            }
            let rested = Instant::now() + REST;
            self.watch.posted(&mut self.changes, rested).await?;
            self.found = Some(self.read().await?);
        }
    }

    /// What is posted may be older than what was sent; what is read is not.
    async fn read(&self) -> Result<Operation> {
        let (app, caller, id) = (self.app.clone(), self.caller.clone(), self.id);
        apart(async move { query::find(&app, &caller, id).await }).await
    }
}

/// Looks at operations that somebody watches.
#[derive(Debug)]
pub(super) struct Changes;

#[async_trait]
impl Look for Changes {
    type Key = Uuid;
    type Value = Operation;

    async fn look(&self, app: &App, keys: &[Uuid]) -> Result<Vec<(Uuid, Operation)>> {
        query::all(app.store.read(), keys).await
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use gx_proto::gx::{common::v1::Reason, identity::v1::Role, operation::v1::OperationState};
    use sea_orm::ActiveValue::Set;

    use super::*;
    use crate::{
        fixture,
        outbox::entity::{lane, operation},
    };

    const ID: Uuid = Uuid::from_u128(1);

    /// An accepted operation of user 1, and its lane.
    async fn world() -> Api {
        let app = fixture::app().await;
        let row = fixture::transfer(ID, &fixture::user(1), OperationState::Accepted);
        fixture::record(&app, row).await;
        fixture::first_lane(&app, None).await;
        Api::new(app)
    }

    async fn watch(api: &Api, caller: &Caller) -> Result<Sent<WatchOperationResponse>> {
        let name = crate::outbox::operation::name(ID);
        let watch = WatchOperation::try_from(WatchOperationRequest { name }).unwrap();
        let context = fixture::context("/gx.operation.v1.OperationService/WatchOperation");
        watch.handle(api, caller, &context).await
    }

    async fn state(stream: &mut Sent<WatchOperationResponse>) -> OperationState {
        let sent = stream.next().await.unwrap().unwrap();
        sent.operation.unwrap().state()
    }

    async fn move_to(api: &Api, state: OperationState) {
        fixture::change::<operation::Entity>(&api.app, ID, |row| row.state = Set(state.into()))
            .await;
        api.app.wake.moved();
    }

    #[tokio::test]
    async fn every_state_is_told_and_the_outcome_is_the_end() {
        let api = world().await;
        let caller = fixture::signed_in(&api.app, 1, &[Role::User]).await;
        let mut stream = watch(&api, &caller).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(state(&mut stream).await, OperationState::Accepted);
        assert!(futures::poll!(stream.next()).is_pending());
        // A move of the read model that changes nothing is no news.
        api.app.wake.moved();
        let submitted = move_to(&api, OperationState::Submitted);
        let (told, ()) = tokio::join!(state(&mut stream), submitted);
        assert_eq!(told, OperationState::Submitted);
        let holds = async {
            fixture::change::<lane::Entity>(&api.app, "partner/0", |row| {
                row.held_reason = Set(Some("the chain forked".to_owned()));
            })
            .await;
            api.app.wake.moved();
        };
        let (told, ()) = tokio::join!(state(&mut stream), holds);
        assert_eq!(told, OperationState::Stalled);
        let succeeded = move_to(&api, OperationState::Succeeded);
        let (told, ()) = tokio::join!(state(&mut stream), succeeded);
        assert_eq!(told, OperationState::Succeeded);
        assert!(stream.next().await.is_none());

        let mut late = watch(&api, &caller).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(state(&mut late).await, OperationState::Succeeded);
        assert!(late.next().await.is_none());
    }

    #[tokio::test]
    async fn stranger_s_operation_looks_like_none() {
        let api = world().await;
        let stranger = fixture::signed_in(&api.app, 2, &[Role::User]).await;
        let refused = watch(&api, &stranger).await.err().unwrap();
        assert_eq!(refused.reason(), Reason::NotFound);
    }
}
