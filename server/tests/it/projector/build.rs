//! What the world is made of.

use std::sync::Arc;

use gx_contract::{account::AccountId, lane, lane::LaneName};
use gx_fabric::devnet::MSP_ID;
use gx_proto::gx::identity::v1::Role;
use gx_server::{
    app::{App, Topology},
    audit,
    auth::{Authenticator, Passwords, UserId, session},
    cache::{Answers, Wake},
    checkpoint,
    clock::ManualClock,
    config::Config,
    explorer,
    limits::RateLimits,
    notifier::Notifier,
    operation,
    outbox::Intake,
    projector, rpc,
    secrets::Secrets,
    start,
    store::{Front, Store},
    submitter::{self, LaneWorker},
    telemetry::Readiness,
    tokenomics, wallet,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::world::{PARTITIONS, PARTNER_LANES, World};
use crate::harness::Client;

impl World {
    pub(super) fn worker(&self, lane: LaneName) -> LaneWorker {
        let mut settings = self.app.config.lanes.clone();
        settings.status_ms = 0;
        let parts = submitter::Parts {
            store: self.app.store.clone(),
            clock: self.app.clock.clone(),
            ledger: self.ledger.clone(),
            wake: self.app.wake.clone(),
            settings,
            owner: "tests".to_owned(),
        };
        LaneWorker::new(parts, lane, Front::default())
    }

    pub(super) fn projector(&self) -> projector::Parts {
        projector::Parts {
            store: self.app.store.clone(),
            clock: self.app.clock.clone(),
            ledger: self.ledger.clone(),
            wake: self.app.wake.clone(),
            topology: self.app.topology,
            msp_id: MSP_ID.to_owned(),
            owner: "tests".to_owned(),
            settings: projector::Settings {
                lease_ms: 10_000,
                poll_ms: 10,
                group_blocks: 4,
            },
            readiness: self.app.readiness.clone(),
        }
    }
}

pub(super) fn lanes() -> impl Iterator<Item = LaneName> {
    let users = (0..PARTNER_LANES).map(|number| format!("partner/{number}"));
    let names = users.chain([lane::SYSTEM_LANE.to_string()]);
    names.map(|name| name.parse().expect("a lane"))
}

/// An account whose debits belong to a partition.
pub(super) fn account_in(partition: i32) -> String {
    let accounts = (1..=255).map(|number| AccountId::from_bits([number; 10]).to_string());
    let belongs = |account: &String| {
        let lane = lane::of_account(account, PARTNER_LANES).to_string();
        checkpoint::partition_of(&lane, PARTITIONS) == partition
    };
    accounts.into_iter().find(belongs).expect("an account")
}

pub(super) async fn app(store: Store, clock: Arc<ManualClock>, files: &tempfile::TempDir) -> App {
    let mut config = Config::default();
    config.lanes.partner = PARTNER_LANES;
    config.projector.partitions = u32::try_from(PARTITIONS).expect("a number");
    start::topology(&store, &config).await.expect("fixed rows");
    let data_dir = files.path().to_owned();
    let secrets = Arc::new(Secrets::load_or_create(&data_dir.join("keys")).expect("keys"));
    // Nothing is served that takes commands or writes lines behind the answer.
    let ((intake, _), (trail, _)) = (Intake::new(&config.intake), audit::trail());
    App {
        auth: Authenticator::new(store.clone(), clock.clone(), secrets.clone(), &config.token),
        passwords: Passwords::new(&config.login),
        notifier: Notifier::new(&data_dir),
        answers: Answers::default(),
        payers: Arc::default(),
        rates: RateLimits::new(&config.limits, None),
        topology: Topology {
            partner_lanes: PARTNER_LANES,
        },
        rooms: Arc::default(),
        readiness: Readiness::default(),
        wake: Wake::default(),
        config: Arc::new(config),
        clock,
        store,
        intake,
        trail,
        secrets,
        data_dir,
    }
}

/// Serves reads on a free port and answers an auditor's client.
pub(super) async fn serve(app: &App, shutdown: CancellationToken) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let services = rpc::Services::default()
        .with(wallet::service(app.clone()))
        .with(tokenomics::service(app.clone()))
        .with(operation::service(app.clone()))
        .with(explorer::service(app.clone()));
    tokio::spawn(rpc::serve(
        app.clone(),
        "svc-test",
        listener,
        services,
        shutdown,
    ));
    let now_ms = app.clock.now_ms();
    let tx = app.store.begin().await.expect("a transaction");
    let auditor = UserId(Uuid::from_u128(1));
    let begun = session::Model::begun(now_ms, auditor, &[Role::Auditor], 900);
    let session = session::open_in(&tx, now_ms, begun).await;
    tx.commit().await.expect("a commit");
    let token = app.auth.token(&session.expect("a session"));
    Client::to(port).with_token(&token)
}
