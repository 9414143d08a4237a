//! A real server on a free port, a real client, and a service that does what a
//! test asks for.

mod browsers;
mod connections;
mod life;
mod recorded;
mod refusals;

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::Role,
    operation::v1::{
        GetOperationRequest, GetOperationResponse, ListOperationsRequest, ListOperationsResponse,
        WaitOperationRequest, WaitOperationResponse, WatchOperationRequest, WatchOperationResponse,
        operation_service_client::OperationServiceClient,
        operation_service_server::{OperationService, OperationServiceServer},
    },
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::{
    Services,
    gate::{Callers, Gate},
    run,
};
use crate::{
    app::Rooms,
    audit::{TrailWriter, trail},
    auth::{self, Caller, Context, UserId},
    clock::{ManualClock, SharedClock},
    config::{Config, Limits},
    error::{Error, Result},
    limits::RateLimits,
    store::{DatabaseUrl, Store},
    telemetry::Readiness,
    watch::{Sent, sent},
};

/// The origin whose pages may call.
pub(super) const PAGE: &str = "https://app.example.org";

pub(super) const GET: &str = "/gx.operation.v1.OperationService/GetOperation";

/// A bearer token is the name of a role, in lower case.
#[derive(Debug)]
struct ByRole;

#[async_trait]
impl Callers for ByRole {
    async fn caller(&self, authorization: Option<&str>) -> Result<Caller> {
        let token = authorization
            .ok_or_else(|| Error::rejected(Reason::TokenMissing, "this method needs a token"))?;
        let role = match token {
            "Bearer user" => Role::User,
            "Bearer partner" => Role::Partner,
            "Bearer auditor" => Role::Auditor,
            _ => return Err(Error::rejected(Reason::TokenInvalid, "no such token")),
        };
        Ok(Caller {
            user: UserId(Uuid::from_u128(7)),
            session: Uuid::nil(),
            roles: vec![role],
        })
    }
}

/// Does what the operation's name says.
#[derive(Debug, Clone, Default)]
struct Obedient {
    entered: Arc<Notify>,
    leave: Arc<Notify>,
    seen: Arc<std::sync::Mutex<Option<Context>>>,
}

#[tonic::async_trait]
impl OperationService for Obedient {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<GetOperationResponse>, Status> {
        let (_, context, message) = auth::signed_in(request)?;
        context.about(format!("operations/{}", message.name));
        *self.seen.lock().unwrap() = Some(context);
        match message.name.as_str() {
            "panic" => panic!("as asked"),
            "database" => Err(Error::Database(sea_orm::DbErr::Custom("secret".into())).into()),
            "away" => {
                let timeout = sea_orm::ConnAcquireErr::Timeout;
                Err(Error::Database(sea_orm::DbErr::ConnectionAcquire(timeout)).into())
            }
            "missing" => Err(Error::not_found("operations/1").into()),
            "hold" => {
                self.entered.notify_one();
                self.leave.notified().await;
                Ok(Response::new(Default::default()))
            }
            _ => Ok(Response::new(Default::default())),
        }
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        auth::signed_in(request)?;
        Ok(Response::new(Default::default()))
    }

    async fn wait_operation(
        &self,
        request: Request<WaitOperationRequest>,
    ) -> Result<Response<WaitOperationResponse>, Status> {
        auth::signed_in(request)?;
        Ok(Response::new(Default::default()))
    }

    type WatchOperationStream = Sent<WatchOperationResponse>;

    /// Says something once, and then nothing until it has to leave.
    async fn watch_operation(
        &self,
        request: Request<WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        let (_, context, _) = auth::signed_in(request)?;
        let step = |(told, leaving): (bool, CancellationToken)| async move {
            if told {
                leaving.cancelled().await;
                return Err(Error::leaving());
            }
            Ok(Some((WatchOperationResponse::default(), (true, leaving))))
        };
        Ok(Response::new(sent((false, context.leaving), step)))
    }
}

/// A server for one test.
struct Server {
    address: SocketAddr,
    service: Obedient,
    store: Store,
    readiness: Readiness,
    trail: TrailWriter,
    rooms: Arc<Rooms>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Config::default().limits;
        change(&mut limits);
        let service = Obedient::default();
        let services = Services::default()
            .with(OperationServiceServer::new(service.clone()))
            .with(refusals::Swallow);
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let (trail, writer) = trail();
        let clock: SharedClock = Arc::new(ManualClock::at(1_000));
        let rooms = Arc::<Rooms>::default();
        let gate = Gate {
            name: "svc-wallet",
            services: services.names.clone(),
            callers: Box::new(ByRole),
            clock,
            rates: RateLimits::standing(&limits),
            store: store.clone(),
            trail,
            working: tokio::sync::Semaphore::new(limits.concurrency),
            waiting: tokio::sync::Semaphore::new(limits.concurrency),
            rooms: rooms.clone(),
            origins: vec![PAGE.to_owned()],
            limits,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (readiness, shutdown) = (Readiness::default(), CancellationToken::new());
        let running = run(
            gate,
            readiness.clone(),
            listener,
            services,
            shutdown.clone(),
        );
        Self {
            address,
            service,
            store,
            readiness,
            trail: writer,
            rooms,
            shutdown,
            task: tokio::spawn(running),
        }
    }

    async fn channel(&self) -> Channel {
        let address = format!("http://{}", self.address);
        Channel::from_shared(address)
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    /// Calls GetOperation by role and name.
    async fn get(&self, role: &str, name: &str) -> Result<Response<GetOperationResponse>, Status> {
        let mut client = OperationServiceClient::new(self.channel().await);
        client.get_operation(get(role, name)).await
    }

    /// The refusal of GetOperation.
    async fn refused(&self, role: &str, name: &str) -> Told {
        told(self.get(role, name).await.unwrap_err())
    }
}

/// GetOperation as a role; nobody's if that is empty.
fn get(role: &str, name: &str) -> Request<GetOperationRequest> {
    let mut request = Request::new(GetOperationRequest {
        name: name.to_owned(),
    });
    if !role.is_empty() {
        let token = format!("Bearer {role}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
    }
    request
}

/// What a client learns of a refusal.
#[derive(Debug)]
struct Told {
    code: tonic::Code,
    reason: String,
    message: String,
    details: tonic_types::ErrorDetails,
}

/// Reads a refusal, which must be complete.
fn told(status: Status) -> Told {
    let details = status.get_error_details();
    let info = details.error_info().expect("every refusal has a reason");
    assert_eq!(info.domain, "gx");
    let request = details
        .request_info()
        .expect("every refusal names the request");
    let header = status
        .metadata()
        .get("x-request-id")
        .expect("every answer names the request");
    assert_eq!(header, request.request_id.as_str());
    Told {
        code: status.code(),
        reason: info.reason.clone(),
        message: status.message().to_owned(),
        details: details.clone(),
    }
}
