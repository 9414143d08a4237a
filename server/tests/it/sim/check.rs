//! What must hold when the world is at rest.

use std::collections::BTreeMap;

use futures::{FutureExt, StreamExt};
use gx_contract::amount::MAXIMUM_SUPPLY;
use gx_fabric::{Block, LedgerError, ValidationFlag};
use gx_proto::gx::{
    contract::v1::{
        BatchCommitted, CommandRefusal, Query, QueryBalances, command_outcome::Outcome, query,
        query_result,
    },
    operation::v1::OperationState,
};
use gx_server::{
    outbox::entity::operation,
    projector::{Applied, Partition},
    store::Store,
};
use prost::Message;
use sea_orm::{ConnectionTrait, DbBackend, Statement, entity::prelude::*};
use uuid::Uuid;

use super::{
    image,
    world::{PARTITIONS, Template, World},
};

/// What the chain says became of each command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Done,
    Refused(CommandRefusal),
    Voided,
}

/// Everything.
pub(super) async fn everything(world: &mut World, template: &Template) -> Result<(), String> {
    let blocks = blocks(world);
    let fates = fates(&blocks)?;
    operations(world, &fates).await?;
    nothing_held(world).await?;
    supply(world).await?;
    chain_equals_read_model(world).await?;
    let (replayed, common) = &template.replayed;
    image::restore(&template.replay, replayed).await;
    replay(world, &template.replay, &blocks[*common..]).await
}

pub(super) fn blocks(world: &World) -> Vec<Block> {
    let stream = world.ledger.blocks(0).now_or_never().unwrap().unwrap();
    let height = usize::try_from(world.core.height()).unwrap();
    let blocks: Result<Vec<_>, LedgerError> = stream
        .take(height)
        .collect::<Vec<_>>()
        .now_or_never()
        .unwrap()
        .into_iter()
        .collect();
    blocks.unwrap()
}

/// Every id stands in the chain at most once, and lanes' numbers have no gap.
fn fates(blocks: &[Block]) -> Result<BTreeMap<Uuid, Fate>, String> {
    let mut fates = BTreeMap::new();
    let mut lanes = BTreeMap::new();
    let valid = blocks
        .iter()
        .flat_map(|block| &block.transactions)
        .filter(|tx| tx.flag == ValidationFlag::VALID);
    for event in valid.filter_map(|tx| tx.event.clone()) {
        let event = BatchCommitted::decode(event).unwrap();
        let lane = event.lane.unwrap();
        let expected: u64 = lanes.get(&(lane.domain, lane.number)).copied().unwrap_or(0) + 1;
        if event.first_sequence != expected {
            return Err(format!(
                "lane {lane:?} goes on with {} after {}",
                event.first_sequence,
                expected - 1
            ));
        }
        lanes.insert(
            (lane.domain, lane.number),
            event.cursor.as_ref().unwrap().number,
        );
        for outcome in &event.outcomes {
            let id = Uuid::from_slice(&outcome.id).unwrap();
            let fate = match outcome.outcome.as_ref().unwrap() {
                Outcome::Done(_) => Fate::Done,
                Outcome::Refused(refused) => Fate::Refused(refused.reason()),
                Outcome::Voided(_) => Fate::Voided,
            };
            if fates.insert(id, fate).is_some() {
                return Err(format!("command {id} stands in the chain twice"));
            }
        }
    }
    Ok(fates)
}

/// Each accepted command has exactly one effect, and its operation tells it.
async fn operations(world: &World, fates: &BTreeMap<Uuid, Fate>) -> Result<(), String> {
    let rows = operation::Entity::find()
        .all(world.store.read())
        .await
        .unwrap();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    for sent in &world.sent {
        let id = sent.submission.id.0;
        let row = rows
            .get(&id)
            .ok_or_else(|| format!("operation {id} is lost"))?;
        let state = OperationState::try_from(row.state).unwrap();
        let told = match fates.get(&id) {
            Some(Fate::Done) => state == OperationState::Succeeded,
            Some(Fate::Refused(_) | Fate::Voided) => state == OperationState::Refused,
            // Refused at the door; after the database fell back that may be the
            // second answer to a command that never reached the chain.
            None => state == OperationState::Refused && (!sent.accepted || world.fell_back),
        };
        if !told {
            return Err(format!(
                "operation {id} is {state:?}, the chain says {:?}",
                fates.get(&id)
            ));
        }
        if let Some(Fate::Refused(reason)) = fates.get(&id)
            && !world.fell_back
        {
            return Err(format!(
                "operation {id} was accepted and refused by the chain: {reason:?}"
            ));
        }
    }
    Ok(())
}

async fn nothing_held(world: &World) -> Result<(), String> {
    let held = text(&world.store, "select json_group_array(account || ' ' || reserved_qirat) from wallets where reserved_qirat <> 0").await;
    if held != "[]" {
        return Err(format!("money is held for nothing: {held}"));
    }
    Ok(())
}

async fn supply(world: &World) -> Result<(), String> {
    let sum = text(
        &world.store,
        "select cast(sum(balance_qirat) as text) from wallets",
    )
    .await;
    let maximum = MAXIMUM_SUPPLY.get().to_string();
    if sum != maximum {
        return Err(format!("balances sum to {sum}, the supply is {maximum}"));
    }
    Ok(())
}

async fn chain_equals_read_model(world: &World) -> Result<(), String> {
    let page = QueryBalances {
        after: String::new(),
        limit: 10_000,
    };
    let query = Query {
        query: Some(query::Query::Balances(page)),
    };
    let answer = world
        .ledger
        .query(&query)
        .await
        .map_err(|error| error.to_string())?;
    let Some(query_result::Result::Balances(balances)) = answer.result else {
        return Err("no balances".into());
    };
    let chain: Vec<_> = balances
        .accounts
        .iter()
        .map(|one| (one.account.clone(), one.balance_qirat, one.folded_qirat))
        .collect();
    let rows = text(
        &world.store,
        "select json_group_array(json_array(account, balance_qirat, folded_qirat)) from (select * from wallets order by account)",
    )
    .await;
    let rows: Vec<(String, i64, i64)> = serde_json::from_str(&rows).unwrap();
    if chain != rows {
        return Err(format!("the chain has {chain:?}, the read model {rows:?}"));
    }
    Ok(())
}

/// Tables of the read model, and what of them the ledger determines.
const TABLES: [&str; 8] = [
    "select json_group_array(json_array(account, lane, type, status, country, balance_qirat, folded_qirat, \
     tax_timer_start_ms)) from (select * from wallets order by account)",
    "select json_group_array(json_array(account, block, \"transaction\", command, posting, kind, delta_qirat, \
     counterparty, hex(operation), lane, number, fabric_tx_id, time_ms)) from (select * from entries \
     order by account, block, \"transaction\", command, posting)",
    "select json_group_array(json_array(account, msp_id, lane, first_sequence, delta_qirat)) from \
     (select * from credits order by account, msp_id, lane, first_sequence)",
    // Whoever deals the lanes anew leaves to each partition what it had of the supply.
    "select json_group_array(json_array(bucket, block, total)) from (select bucket, block, \
     (select sum(total_qirat) from supply as last where last.bucket = changed.bucket and last.block = \
     (select max(block) from supply as upto where upto.partition = last.partition and \
     upto.bucket = last.bucket and upto.block <= changed.block)) as total from \
     (select distinct bucket, block from supply) as changed order by bucket, block)",
    "select json_group_array(json_array(code, share_ppb, slots_left, people, granted_qirat)) from \
     (select * from countries order by code)",
    "select json_group_array(json_array(name, settled_number, hex(settled_digest))) from \
     (select * from lanes order by name)",
    "select json_group_array(json_array(number, hex(hash), hex(previous_hash), hex(data_hash), time_ms, \
     transactions, valid, commands)) from (select * from blocks order by number)",
    "select json_group_array(json_array(block, position, fabric_tx_id, flag, lane, first_number, commands, \
     hex(event))) from (select * from transactions order by block, position)",
];

/// The read model is what a replay of the chain from block 0 makes of an empty one;
/// `blocks` are those that `replayed` has not seen.
pub(super) async fn replay(
    world: &World,
    replayed: &Store,
    blocks: &[Block],
) -> Result<(), String> {
    for partition in 0..PARTITIONS {
        let parts = world.projector(9, replayed);
        let mut partition = Partition::new(parts, partition, PARTITIONS);
        partition.lease().await.map_err(|error| error.to_string())?;
        let applied = partition
            .apply(blocks)
            .await
            .map_err(|error| error.to_string())?;
        if applied != Applied::Yes {
            return Err(format!("the replay ends with {applied:?}"));
        }
    }
    for table in TABLES {
        let (lived, again) = (text(&world.store, table).await, text(replayed, table).await);
        if lived != again {
            return Err(format!(
                "the read model differs from a replay: {lived}\nreplayed: {again}"
            ));
        }
    }
    Ok(())
}

async fn text(store: &Store, query: &str) -> String {
    let statement = Statement::from_string(DbBackend::Sqlite, query);
    let row = store
        .read()
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}
