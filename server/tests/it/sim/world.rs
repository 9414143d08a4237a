//! The world that a seed disturbs: one database, one ledger with two endorsers, two
//! submitters and two projectors.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use gx_contract::{Invocation, State, account::AccountId, lane::LaneName};
use gx_fabric::{
    ChaincodeFailure, Contract, GxContract, Ledger,
    devnet::{Core, CoreOptions, InProcessLedger, MSP_ID},
};
use gx_proto::gx::{
    contract::v1::{Batch, Bootstrap, CountryShare, CreateAccount, LoadCountries, command::Body},
    operation::v1::OperationType,
};
use gx_server::{
    app::Topology,
    audit,
    cache::Wake,
    clock::{Clock, ManualClock, SharedClock},
    config::{self, Config},
    id::CommandId,
    outbox::{Acceptance, Folder, Submission},
    projector, start,
    store::{DatabaseUrl, Front, Store},
    submitter::{self, LaneWorker},
    telemetry::Readiness,
};
use prost::Message;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use uuid::Uuid;

use super::{alone::Alone, check, image};

/// Users' lanes; two are enough to meet every race between lanes.
pub(super) const PARTNER_LANES: u32 = 2;
/// Partitions of the read model to begin with, and of what it is compared with.
pub(super) const PARTITIONS: i32 = 2;
/// Accounts that pay each other.
const ACCOUNTS: u8 = 6;
/// When the world begins.
const BEGIN_MS: i64 = 1_700_000_000_000;
/// A transfer of an amount that ends like this makes the chaincode fail.
pub(super) const POISON: u64 = 666;

/// The contract, which fails on poison as a bug in it would.
struct Poisonous;

impl Contract for Poisonous {
    fn invoke(
        &self,
        state: &mut dyn State,
        invocation: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        let batch =
            Batch::decode(argument).map_err(|error| ChaincodeFailure::new(error.to_string()))?;
        let poison = batch.commands.iter().any(
            |command| matches!(&command.body, Some(Body::Transfer(transfer)) if transfer.amount_qirat % 1_000 == POISON),
        );
        if poison {
            return Err(ChaincodeFailure::new("poison"));
        }
        GxContract.invoke(state, invocation, argument)
    }

    fn query(&self, state: &mut dyn State, argument: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        GxContract.query(state, argument)
    }
}

/// A projector's hold on one partition.
pub(super) struct Follower {
    pub(super) partition: projector::Partition,
    pub(super) next: Option<u64>,
}

/// One process that submits and projects.
pub(super) struct Process {
    pub(super) workers: BTreeMap<LaneName, LaneWorker>,
    pub(super) followers: Vec<Follower>,
    pub(super) target: Option<(i64, u64)>,
}

/// What the client knows of one of its commands.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) submission: Submission,
    /// Whether the client was told that it is accepted.
    pub(super) accepted: bool,
}

/// The world.
pub(super) struct World {
    pub(super) random: SmallRng,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Store,
    pub(super) core: Arc<Core>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) folder: Folder,
    settings: config::Lanes,
    pub(super) processes: Vec<Process>,
    pub(super) sent: Vec<Sent>,
    pub(super) backup: Vec<u8>,
    /// Envelopes that the network may deliver again, however late.
    pub(super) late: Vec<bytes::Bytes>,
    pub(super) fell_back: bool,
    pub(super) abandoned: bool,
}

/// What every seed begins with: a bootstrapped ledger, funded accounts, and the
/// database that knows them.
pub(super) struct Template {
    store: Store,
    /// Where the read model is replayed to.
    pub(super) replay: Store,
    /// What a replay makes of the blocks that all seeds begin with, and their number.
    pub(super) replayed: (Vec<u8>, usize),
    image: Vec<u8>,
    core: Core,
    settings: config::Lanes,
    /// The one clock of the world, its network included.
    clock: Arc<ManualClock>,
    begin_ms: i64,
}

impl Template {
    pub(super) async fn new() -> Self {
        let store = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        let mut config = Config::default();
        config.lanes.partner = PARTNER_LANES;
        config.projector.partitions = u32::try_from(PARTITIONS).unwrap();
        start::topology(&store, &config).await.unwrap();
        let replay = Store::open(&DatabaseUrl::SqliteMemory).await.unwrap();
        start::topology(&replay, &config).await.unwrap();
        config.lanes.status_ms = 0;
        config.lanes.batch_commands = 4;
        let settings = config.lanes;
        let clock = Arc::new(ManualClock::at(BEGIN_MS));
        let network = clock.clone();
        let core = Core::in_memory(CoreOptions {
            clock: Arc::new(move || network.now_ms()),
            ..CoreOptions::new(Arc::new(Poisonous), 2)
        });
        let mut world = World::over(store.clone(), core, clock.clone(), settings.clone(), 0);
        for submission in first_commands() {
            world
                .folder
                .fold(&[&submission])
                .await
                .unwrap()
                .remove(0)
                .unwrap();
            world.quiet().await.unwrap();
        }
        let blocks = check::blocks(&world);
        check::replay(&world, &replay, &blocks).await.unwrap();
        let replayed = (image::take(&replay).await, blocks.len());
        let image = image::take(&store).await;
        let core = world.core.fork().unwrap();
        let begin_ms = clock.now_ms();
        Self {
            store,
            replay,
            replayed,
            image,
            core,
            settings,
            clock,
            begin_ms,
        }
    }
}

impl World {
    pub(super) async fn new(template: &Template, seed: u64) -> Self {
        image::restore(&template.store, &template.image).await;
        let core = template.core.fork().unwrap();
        let clock = template.clock.clone();
        clock.advance_ms(template.begin_ms - clock.now_ms());
        let settings = template.settings.clone();
        let mut world = Self::over(template.store.clone(), core, clock, settings, seed);
        world.backup.clone_from(&template.image);
        world
    }

    fn over(
        store: Store,
        core: Core,
        clock: Arc<ManualClock>,
        settings: config::Lanes,
        seed: u64,
    ) -> Self {
        let core = Arc::new(core);
        let ledger = Arc::new(Alone {
            ledger: ledger(core.clone(), clock.clone(), seed),
            store: store.clone(),
        });
        let shared: SharedClock = clock.clone();
        let folder = Folder {
            store: store.clone(),
            clock: shared,
            wake: Wake::default(),
        };
        let mut world = Self {
            random: SmallRng::seed_from_u64(seed),
            clock,
            store,
            core,
            ledger,
            folder,
            settings,
            processes: Vec::new(),
            sent: Vec::new(),
            backup: Vec::new(),
            late: Vec::new(),
            fell_back: false,
            abandoned: false,
        };
        world.processes = vec![world.process(0), world.process(1)];
        world
    }

    /// A process that has just started.
    pub(super) fn process(&self, number: usize) -> Process {
        let lanes = (0..PARTNER_LANES)
            .map(|number| format!("partner/{number}"))
            .chain(["sys/0".to_owned()]);
        let workers = lanes.map(|name| {
            let lane: LaneName = name.parse().unwrap();
            (lane, self.worker(number, lane))
        });
        Process {
            workers: workers.collect(),
            followers: (0..PARTITIONS)
                .map(|partition| self.follower(number, partition, PARTITIONS))
                .collect(),
            target: None,
        }
    }

    pub(super) fn worker(&self, process: usize, lane: LaneName) -> LaneWorker {
        let parts = submitter::Parts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ledger: self.ledger.clone(),
            wake: self.folder.wake.clone(),
            settings: self.settings.clone(),
            owner: process.to_string(),
        };
        LaneWorker::new(parts, lane, Front::default())
    }

    pub(super) fn follower(&self, process: usize, partition: i32, partitions: i32) -> Follower {
        let parts = self.projector(process, &self.store);
        Follower {
            partition: projector::Partition::new(parts, partition, partitions),
            next: None,
        }
    }

    pub(super) fn projector(&self, process: usize, store: &Store) -> projector::Parts {
        projector::Parts {
            store: store.clone(),
            clock: self.clock.clone(),
            ledger: self.ledger.clone(),
            wake: self.folder.wake.clone(),
            topology: Topology {
                partner_lanes: PARTNER_LANES,
            },
            msp_id: MSP_ID.to_owned(),
            owner: process.to_string(),
            settings: projector::Settings {
                lease_ms: 10_000,
                poll_ms: 1_000,
                group_blocks: 4,
            },
            readiness: Readiness::default(),
        }
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound)
    }

    /// Whether something with so many chances in a hundred happens.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }
}

fn ledger(core: Arc<Core>, clock: Arc<ManualClock>, seed: u64) -> Arc<dyn Ledger> {
    let counter = AtomicU64::new(0);
    let nonces = move || {
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&seed.to_be_bytes());
        nonce[8..16].copy_from_slice(&counter.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        nonce[16] = 1;
        nonce
    };
    let clock = move || clock.now_ms();
    Arc::new(InProcessLedger::with_sources(
        core,
        MSP_ID,
        Arc::new(clock),
        Arc::new(nonces),
    ))
}

/// The accounts, in order.
pub(super) fn accounts() -> Vec<String> {
    (0..ACCOUNTS)
        .map(|number| AccountId::from_bits([number + 1; 10]).to_string())
        .collect()
}

/// A command under a fixed id.
pub(super) fn submission(
    number: u128,
    kind: OperationType,
    lane: String,
    body: Body,
    acceptance: Acceptance,
) -> Submission {
    let request_id = Uuid::from_u128(number);
    let id = CommandId::derive("client", request_id);
    Submission {
        id,
        owner: "client".to_owned(),
        request_id,
        request_digest: [u8::try_from(number % 251).unwrap(); 32],
        kind,
        lane,
        body,
        acceptance,
        memo: None,
        traceparent: None,
        audit: audit::Entry {
            actor: None,
            action: "simulate",
            subject: String::new(),
            outcome: "OK".to_owned(),
            request_id: String::new(),
            traceparent: None,
            client: String::new(),
            fabric_tx_id: None,
        },
    }
}

fn first_commands() -> Vec<Submission> {
    let sys = || "sys/0".to_owned();
    let bootstrap = Body::Bootstrap(Bootstrap {
        partner_lanes: PARTNER_LANES,
    });
    let share = |country: &str, share_ppb| CountryShare {
        country: country.to_owned(),
        share_ppb,
    };
    let countries = Body::LoadCountries(LoadCountries {
        countries: vec![share("AA", 600_000_000), share("BB", 400_000_000)],
    });
    let mut commands = vec![
        submission(
            1 << 64,
            OperationType::Bootstrap,
            sys(),
            bootstrap,
            Acceptance::Nothing,
        ),
        submission(
            2 << 64,
            OperationType::LoadCountries,
            sys(),
            countries,
            Acceptance::Nothing,
        ),
    ];
    for (index, account) in accounts().into_iter().enumerate() {
        let country = if index % 2 == 0 { "AA" } else { "BB" };
        let lane = gx_contract::lane::of_country(country, PARTNER_LANES).to_string();
        let body = Body::CreateAccount(CreateAccount {
            account,
            country: country.to_owned(),
            commitment: vec![u8::try_from(index).unwrap() + 1; 32].into(),
            grant_eligible: true,
        });
        let number = (index as u128 + 3) << 64;
        commands.push(submission(
            number,
            OperationType::CreateAccount,
            lane,
            body,
            Acceptance::Nothing,
        ));
    }
    commands
}
