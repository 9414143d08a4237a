//! One database, one ledger in memory, a server that answers over gRPC, and
//! workers that move when they are told to.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt};
use gx_contract::lane;
use gx_fabric::{
    GxContract, Ledger,
    devnet::{Core, CoreOptions, InProcessLedger},
};
use gx_proto::gx::{
    contract::v1::{
        Bootstrap, CountryShare, CreateAccount, LoadCountries, Transfer, command::Body,
    },
    operation::v1::OperationType,
};
use gx_server::{
    app::App,
    audit,
    clock::{Clock, ManualClock, SystemClock},
    id::CommandId,
    outbox::{self, Acceptance, Folder, Submission, entity::row},
    projector::{self, Applied, Partition},
    store::{DatabaseUrl, Store},
    submitter::{LaneWorker, Next},
};
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    build::{account_in, app, lanes, serve},
    ledger::Garbling,
};
use crate::harness::{Client, Database, GX, PATIENCE, postgres_database};

/// What each account begins with.
pub(super) const GRANT: u64 = 500 * GX;
pub(super) const PARTNER_LANES: u32 = 4;
pub(super) const PARTITIONS: i32 = 2;
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
            Database::Postgres | Database::PostgresApart => {
                DatabaseUrl::Postgres(postgres_database().await.into())
            }
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
        let partition = |number| Partition::new(world.projector(), number, PARTITIONS);
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
        let taken = self.folder.fold(&[&submission]).await.expect("a fold");
        let operation = taken.into_iter().next().expect("an answer").expect("taken");
        outbox::operation::name(operation.id)
    }

    /// The first waits that lanes ask for before they try again.
    pub(super) async fn waits(&mut self, count: usize) -> Vec<Duration> {
        let mut waits = Vec::new();
        for worker in &mut self.workers {
            while waits.len() < count {
                match worker.step().await.expect("a step") {
                    Next::Now => {}
                    Next::After(wait) => waits.push(wait),
                    Next::Idle | Next::Elsewhere | Next::Projected => break,
                }
            }
        }
        waits
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
}
