//! How long it takes from a call to rows that everybody can read, at a steady rate (an
//! open loop: who is late does not hold the next one up, and its wait counts).

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::StreamExt as _;
use gx_fabric::Ledger as _;
use gx_proto::gx::ledger::v1::{StreamBlocksRequest, ledger_service_client::LedgerServiceClient};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant as Tick};
use tonic::{Request, transport::Channel};
use uuid::Uuid;

use super::{load::percentile, measured::millis, payers::Sender};
use crate::{
    config::Config,
    network,
    outbox::{
        entity::{operation, row},
        operation::parse_name,
    },
    store::Store,
};

/// Commands whose blocks are asked for in one statement.
const CHUNK: usize = 500;
/// How long the last block may take.
const LAST: Duration = Duration::from_secs(60);

/// Delays at a rate.
#[derive(Debug, Serialize)]
pub(super) struct Delays {
    /// Commands a second, as they were meant to be sent.
    pub rate: f64,
    /// Commands that were sent.
    pub commands: usize,
    /// Commands that waited to be settled when the last one was answered.
    pub waiting: u64,
    /// How long a block waits for more transactions, as the settings say.
    pub batch_timeout: Duration,
    /// From the moment at which a call was due to its effect in the read model.
    pub to_projected: Delay,
    /// From a block's arrival to its effect in the read model.
    pub block_to_projected: Delay,
}

/// One distribution.
#[derive(Debug, Serialize)]
pub(super) struct Delay {
    /// Half took no longer.
    pub median: Duration,
    /// One of a hundred took longer.
    pub slowest_hundredth: Duration,
}

impl Delay {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self {
            median: percentile(&times, 0.5),
            slowest_hundredth: percentile(&times, 0.99),
        }
    }
}

impl Delays {
    /// Whether the medians are as they are to be.
    pub(super) fn are_short(&self) -> bool {
        let bound = 2 * self.batch_timeout + Duration::from_millis(50);
        self.to_projected.median <= bound
            && self.block_to_projected.median < Duration::from_millis(100)
    }
}

/// Sends at a rate for a time, and follows the blocks on both sides.
///
/// # Errors
/// If a call fails, or a block does not come.
pub(super) async fn measure(
    config: &Config,
    store: &Store,
    ledger: LedgerServiceClient<Channel>,
    token: &str,
    senders: Vec<Sender>,
    rate: f64,
    time: Duration,
) -> anyhow::Result<Delays> {
    let (arrived, projected) = (Blocks::default(), Blocks::default());
    let height = network::connect(config)?.height().await?;
    let follow = tokio::spawn(chain(config.clone(), height, arrived.clone()));
    let read = tokio::spawn(read_model(
        ledger,
        token.to_owned(),
        height,
        projected.clone(),
    ));
    let due = send(senders, rate, time).await?;
    let waiting = row::Entity::find().count(store.read()).await?;
    let blocks = blocks_of(store, &due).await?;
    let last = blocks.values().copied().max().context("nothing was sent")?;
    projected.reach(last).await?;
    follow.abort();
    read.abort();
    let (arrived, projected) = (arrived.seen(), projected.seen());
    let to_projected = due.iter().filter_map(|(id, due)| {
        let at = projected.get(blocks.get(id)?)?;
        Some(at.saturating_duration_since(*due))
    });
    let block_to_projected = arrived.iter().filter_map(|(block, arrived)| {
        let at = projected.get(block)?;
        Some(at.saturating_duration_since(*arrived))
    });
    Ok(Delays {
        rate,
        commands: due.len(),
        waiting,
        batch_timeout: Duration::from_millis(config.devnet.batch_timeout_ms),
        to_projected: Delay::of(to_projected.collect()),
        block_to_projected: Delay::of(block_to_projected.collect()),
    })
}

/// Sends each transfer when it is due; when each was, by the command's id.
async fn send(
    senders: Vec<Sender>,
    rate: f64,
    time: Duration,
) -> anyhow::Result<BTreeMap<Uuid, Instant>> {
    let count = (rate * time.as_secs_f64()) as u32;
    let (begun, mut calls) = (Instant::now(), JoinSet::new());
    for (number, sender) in (0..count).zip(senders.iter().cycle()) {
        let due = begun + Duration::from_secs_f64(f64::from(number) / rate);
        tokio::time::sleep_until(Tick::from_std(due)).await;
        let mut sender = sender.clone();
        calls.spawn(async move { (due, sender.send().await) });
    }
    let mut sent = BTreeMap::new();
    while let Some(call) = calls.join_next().await {
        let (due, operation) = call?;
        let name = operation?.name;
        let id = parse_name(&name).map_err(anyhow::Error::msg)?;
        sent.insert(id, due);
    }
    Ok(sent)
}

/// The blocks of commands, once all are settled.
async fn blocks_of(
    store: &Store,
    sent: &BTreeMap<Uuid, Instant>,
) -> anyhow::Result<BTreeMap<Uuid, u64>> {
    let (begun, ids) = (Instant::now(), sent.keys().copied().collect::<Vec<_>>());
    let mut blocks = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        loop {
            let rows: Vec<(Uuid, i64)> = operation::Entity::find()
                .select_only()
                .columns([operation::Column::Id, operation::Column::Block])
                .filter(operation::Column::Id.is_in(chunk.iter().copied()))
                .filter(operation::Column::Block.is_not_null())
                .into_tuple()
                .all(store.read())
                .await?;
            if rows.len() == chunk.len() {
                for (id, block) in rows {
                    blocks.insert(id, u64::try_from(block)?);
                }
                break;
            }
            ensure!(begun.elapsed() < LAST, "commands are not settled in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(blocks)
}

/// When each block was seen.
#[derive(Debug, Clone, Default)]
struct Blocks(std::sync::Arc<tokio::sync::watch::Sender<BTreeMap<u64, Instant>>>);

impl Blocks {
    fn saw(&self, block: u64) {
        let now = Instant::now();
        self.0.send_modify(|seen| {
            seen.entry(block).or_insert(now);
        });
    }

    fn seen(&self) -> BTreeMap<u64, Instant> {
        self.0.borrow().clone()
    }

    async fn reach(&self, block: u64) -> anyhow::Result<()> {
        let mut seen = self.0.subscribe();
        let reached = seen.wait_for(|seen| seen.keys().next_back() >= Some(&block));
        let reached = tokio::time::timeout(LAST, reached).await;
        reached.with_context(|| format!("block {block} is not shown in time"))??;
        Ok(())
    }
}

/// Follows the chain itself.
async fn chain(config: Config, from: u64, blocks: Blocks) -> anyhow::Result<()> {
    let mut stream = network::connect(&config)?.blocks(from).await?;
    while let Some(block) = stream.next().await {
        blocks.saw(block?.number);
    }
    Ok(())
}

/// Follows what GX shows.
async fn read_model(
    mut ledger: LedgerServiceClient<Channel>,
    token: String,
    mut from: u64,
    blocks: Blocks,
) -> anyhow::Result<()> {
    let mut request = Request::new(StreamBlocksRequest {
        from_block: from,
        ..StreamBlocksRequest::default()
    });
    let bearer = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let mut stream = ledger.stream_blocks(request).await?.into_inner();
    while let Some(message) = stream.message().await? {
        (from..message.next_block).for_each(|block| blocks.saw(block));
        from = from.max(message.next_block);
    }
    Ok(())
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, slowest) = (millis(self.median), millis(self.slowest_hundredth));
        write!(f, "median {median}, p99 {slowest}")
    }
}

impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rate,
            commands,
            to_projected,
            block_to_projected,
            ..
        } = self;
        let timeout = millis(self.batch_timeout);
        writeln!(f, "{commands} transfers at {rate}/s, blocks wait {timeout}")?;
        writeln!(
            f,
            "  call to projected   {to_projected}, aim two waits and 50 ms"
        )?;
        write!(
            f,
            "  block to projected  {block_to_projected}, aim below 100 ms"
        )
    }
}
