//! One database, one ledger in memory, a server that answers over gRPC, and
//! workers that move when they are told to.

use std::{sync::Arc, time::Instant};

use futures::{FutureExt, StreamExt};
use gx_contract::{account::AccountId, lane, lane::LaneName};
use gx_fabric::{
    GxContract, Ledger,
    devnet::{Core, CoreOptions, InProcessLedger, MSP_ID},
};
use gx_proto::gx::{
    contract::v1::{
        Bootstrap, CountryShare, CreateAccount, LoadCountries, Transfer, command::Body,
    },
    identity::v1::Role,
    ledger::v1::{GetLedgerRequest, GetLedgerResponse},
    operation::v1::{GetOperationRequest, Operation, OperationType},
    tokenomics::v1::{GetSupplyRequest, GetSupplyResponse},
    wallet::v1::{GetWalletRequest, Wallet},
};
use gx_server::{
    app::{App, Topology},
    audit,
    auth::{Authenticator, Passwords, UserId, session},
    cache::Wake,
    checkpoint,
    clock::{Clock, ManualClock, SystemClock},
    config::Config,
    explorer,
    id::CommandId,
    limits::RateLimits,
    notifier::Notifier,
    operation,
    outbox::{self, Acceptance, Folder, Intake, Submission, entity::row},
    projector::{self, Applied, Partition},
    rpc,
    secrets::Secrets,
    start,
    store::{DatabaseUrl, Store},
    submitter::{self, LaneWorker, Next},
    telemetry::Readiness,
    tokenomics, wallet,
};
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ledger::Garbling;
use crate::harness::{Client, Database, GX, PATIENCE, postgres_database};

/// What each account begins with.
pub(super) const GRANT: u64 = 500 * GX;
const PARTNER_LANES: u32 = 4;
const PARTITIONS: i32 = 2;
const COUNTRY: &str = "AA";
/// Rounds after which a world that does not come to rest is broken.
const ROUNDS: usize = 100;

/// The world.
pub(super) struct World {
    pub(super) app: App,
    pub(super) ledger: Arc<Garbling>,
    /// One in partition 0, one in partition 1.
    pub(super) accounts: [String; 2],
    /// An auditor's.
    pub(super) client: Client,
    core: Arc<Core>,
    folder: Folder,
    workers: Vec<LaneWorker>,
    partitions: Vec<Partition>,
    commands: u128,
    serving: CancellationToken,
    _files: tempfile::TempDir,
}

/// A projector that runs by itself.
pub(super) struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("the projector");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.serving.cancel();
    }
}

impl World {
    /// A system with its supply and two people, all at rest.
    pub(super) async fn new(database: Database) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let url = match database {
            Database::Sqlite => DatabaseUrl::SqliteFile(files.path().join("gx.sqlite")),
            Database::Postgres => DatabaseUrl::Postgres(postgres_database().await.into()),
        };
        let store = Store::open(&url).await.expect("the database");
        let clock = Arc::new(ManualClock::at(SystemClock.now_ms()));
        let network = clock.clone();
        let core = Arc::new(Core::in_memory(CoreOptions {
            clock: Arc::new(move || network.now_ms()),
            ..CoreOptions::new(Arc::new(GxContract), 1)
        }));
        let ledger = Arc::new(Garbling::new(Arc::new(InProcessLedger::new(core.clone()))));
        let app = app(store, clock, &files).await;
        let serving = CancellationToken::new();
        let client = serve(&app, serving.clone()).await;
        let folder = Folder {
            store: app.store.clone(),
            clock: app.clock.clone(),
            wake: app.wake.clone(),
        };
        let mut world = Self {
            accounts: [account_in(0), account_in(1)],
            app,
            ledger,
            client,
            core,
            folder,
            workers: Vec::new(),
            partitions: Vec::new(),
            commands: 0,
            serving,
            _files: files,
        };
        world.workers = lanes().map(|lane| world.worker(lane)).collect();
        let numbers = 0..PARTITIONS;
        let partition = |number| Partition::new(world.projector(), number);
        world.partitions = numbers.map(partition).collect();
        world.begin().await;
        world
    }

    async fn begin(&mut self) {
        let sys = lane::SYSTEM_LANE.to_string();
        let bootstrap = Body::Bootstrap(Bootstrap {
            partner_lanes: PARTNER_LANES,
        });
        self.take(
            OperationType::Bootstrap,
            sys.clone(),
            bootstrap,
            Acceptance::Nothing,
        )
        .await;
        let countries = Body::LoadCountries(LoadCountries {
            countries: vec![CountryShare {
                country: COUNTRY.to_owned(),
                share_ppb: 1_000_000_000,
            }],
        });
        self.take(
            OperationType::LoadCountries,
            sys,
            countries,
            Acceptance::Nothing,
        )
        .await;
        self.settle(&[0, 1]).await;
        for (number, account) in (1..).zip(self.accounts.clone()) {
            let open = Body::CreateAccount(CreateAccount {
                account,
                country: COUNTRY.to_owned(),
                commitment: vec![number; 32].into(),
                grant_eligible: true,
            });
            let lane = lane::of_country(COUNTRY, PARTNER_LANES).to_string();
            self.take(
                OperationType::CreateAccount,
                lane,
                open,
                Acceptance::Nothing,
            )
            .await;
        }
        self.settle(&[0, 1]).await;
        let [ann, bee] = self.accounts.clone();
        for account in [ann, bee] {
            assert_eq!(self.wallet(&account).await.0.balance_qirat, GRANT);
        }
    }

    /// Takes a transfer as the intake does and answers its operation's name. The
    /// fee it allows for is the one that is charged.
    pub(super) async fn pay(&mut self, from: &str, to: &str, amount: u64) -> String {
        let fee = if amount < 3 * GX {
            0
        } else {
            amount * 5 / 10_000
        };
        let body = Body::Transfer(Transfer {
            sender: from.to_owned(),
            receiver: to.to_owned(),
            amount_qirat: amount,
            max_fee_qirat: fee,
            reference_digest: bytes::Bytes::new(),
        });
        let hold = Acceptance::Hold {
            account: from.to_owned(),
            qirat: i64::try_from(amount + fee).expect("a sum"),
        };
        let lane = lane::of_account(from, PARTNER_LANES).to_string();
        self.take(OperationType::Transfer, lane, body, hold).await
    }

    async fn take(
        &mut self,
        kind: OperationType,
        lane: String,
        body: Body,
        acceptance: Acceptance,
    ) -> String {
        self.commands += 1;
        let request_id = Uuid::from_u128(self.commands);
        let submission = Submission {
            id: CommandId::derive("tests", request_id),
            owner: "tests".to_owned(),
            request_id,
            request_digest: [7; 32],
            kind,
            lane,
            body,
            acceptance,
            memo: None,
            traceparent: None,
            audit: audit::Entry {
                actor: None,
                action: "test",
                subject: String::new(),
                outcome: "OK".to_owned(),
                request_id: String::new(),
                traceparent: None,
                client: String::new(),
                fabric_tx_id: None,
            },
        };
        let taken = self.folder.fold(vec![submission]).await.expect("a fold");
        let operation = taken.into_iter().next().expect("an answer").expect("taken");
        outbox::operation::name(operation.id)
    }

    /// Has every lane do what it can, and the network cut a block.
    pub(super) async fn submit_and_cut(&mut self) {
        for worker in &mut self.workers {
            for _ in 0..12 {
                let next = worker.step().await.expect("a step");
                if matches!(next, Next::Idle | Next::Elsewhere | Next::Projected) {
                    break;
                }
            }
        }
        self.core.cut_block().expect("a block");
    }

    /// One group of blocks for a partition; `None` if there is none.
    pub(super) async fn project(&mut self, partition: usize) -> Option<Applied> {
        let partition = &mut self.partitions[partition];
        let next = partition.lease().await.expect("read").expect("the lease");
        let mut blocks = self
            .ledger
            .blocks(next)
            .await
            .expect("a stream")
            .ready_chunks(4);
        let group = blocks.next().now_or_never()??;
        let group: Vec<_> = group.into_iter().collect::<Result<_, _>>().expect("blocks");
        Some(partition.apply(&group).await.expect("applied"))
    }

    /// Runs everything, with these partitions awake, until nothing moves any more.
    pub(super) async fn settle(&mut self, awake: &[usize]) {
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            let height = self.core.height();
            self.submit_and_cut().await;
            let mut moved = self.core.height() > height;
            for partition in awake {
                while self.project(*partition).await.is_some() {
                    moved = true;
                }
            }
            quiet = if moved { 0 } else { quiet + 1 };
            // What a lane waits for may have come after it looked.
            if quiet == 3 {
                let open = row::Entity::find().count(self.app.store.read()).await;
                assert!(
                    awake.len() < 2 || open.expect("rows") == 0,
                    "commands are left"
                );
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// The projector as a process runs it.
    pub(super) fn run_projector(&self) -> Running {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(projector::run(self.projector(), shutdown.clone()));
        Running { shutdown, task }
    }

    /// Waits until what `/readyz` shows of the projector is so.
    pub(super) async fn readiness(&self, is_so: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = self.app.readiness.report();
            let parts = report
                .parts
                .iter()
                .filter(|(name, _)| name.starts_with("projector"));
            let parts = serde_json::to_string(&parts.collect::<Vec<_>>()).expect("JSON");
            if is_so(&parts) {
                return;
            }
            assert!(Instant::now() < deadline, "{parts}");
            tokio::task::yield_now().await;
        }
    }

    /// The last block that each partition has applied.
    pub(super) async fn checkpoints(&self) -> [u64; 2] {
        let rows = checkpoint::all(self.app.store.read()).await.expect("rows");
        let block = |number: usize| u64::try_from(rows[number].block).expect("a block");
        [block(0), block(1)]
    }

    pub(super) async fn wallet(&self, account: &str) -> (Wallet, u64) {
        let request = GetWalletRequest {
            account: account.to_owned(),
            min_block: 0,
        };
        let answer = self.client.wallet().get_wallet(request).await;
        let answer = answer.expect("read").into_inner();
        (answer.wallet.expect("a wallet"), answer.as_of_block)
    }

    pub(super) async fn supply(&self) -> GetSupplyResponse {
        let request = GetSupplyRequest::default();
        let answer = self.client.tokenomics().get_supply(request).await;
        answer.expect("read").into_inner()
    }

    pub(super) async fn ledger_state(&self) -> GetLedgerResponse {
        let answer = self.client.ledger().get_ledger(GetLedgerRequest {}).await;
        answer.expect("read").into_inner()
    }

    pub(super) async fn operation(&self, name: &str) -> Operation {
        let name = name.to_owned();
        let request = GetOperationRequest { name };
        let answer = self.client.operation().get_operation(request).await;
        answer
            .expect("read")
            .into_inner()
            .operation
            .expect("an operation")
    }

    fn worker(&self, lane: LaneName) -> LaneWorker {
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
        LaneWorker::new(parts, lane)
    }

    fn projector(&self) -> projector::Parts {
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

fn lanes() -> impl Iterator<Item = LaneName> {
    let users = (0..PARTNER_LANES).map(|number| format!("partner/{number}"));
    let names = users.chain([lane::SYSTEM_LANE.to_string()]);
    names.map(|name| name.parse().expect("a lane"))
}

/// An account whose debits belong to a partition.
fn account_in(partition: i32) -> String {
    let accounts = (1..=255).map(|number| AccountId::from_bits([number; 10]).to_string());
    let belongs = |account: &String| {
        let lane = lane::of_account(account, PARTNER_LANES).to_string();
        checkpoint::partition_of(&lane, PARTITIONS) == partition
    };
    accounts.into_iter().find(belongs).expect("an account")
}

async fn app(store: Store, clock: Arc<ManualClock>, files: &tempfile::TempDir) -> App {
    let mut config = Config::default();
    config.lanes.partner = PARTNER_LANES;
    config.projector.partitions = u32::try_from(PARTITIONS).expect("a number");
    start::topology(&store, &config).await.expect("fixed rows");
    let data_dir = files.path().to_owned();
    let secrets = Arc::new(Secrets::load_or_create(&data_dir).expect("keys"));
    // Nothing is served that takes commands or writes lines behind the answer.
    let ((intake, _), (trail, _)) = (Intake::new(&config.intake), audit::trail());
    App {
        auth: Authenticator::new(store.clone(), clock.clone(), secrets.clone(), &config.token),
        passwords: Passwords::new(&config.login),
        notifier: Notifier::new(&data_dir),
        rates: RateLimits::new(&config.limits),
        topology: Topology {
            partner_lanes: PARTNER_LANES,
            partitions: PARTITIONS,
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
async fn serve(app: &App, shutdown: CancellationToken) -> Client {
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
    let session = session::open_in(&tx, now_ms, auditor, &[Role::Auditor], 900).await;
    tx.commit().await.expect("a commit");
    let token = app.auth.token(&session.expect("a session"));
    Client::to(port).with_token(&token)
}
