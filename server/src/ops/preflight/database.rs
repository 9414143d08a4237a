//! The database: its schema, and whether the chain is the one that it knows.

use gx_contract::lane::LaneName;
use gx_fabric::{Ledger, client::FabricLedger};
use gx_proto::gx::contract::v1::{QueryLane, query, query_result};
use sea_orm::{QueryOrder, entity::prelude::*};

use super::{Check, ledger::ask};
use crate::{
    config::Config,
    ops::open,
    outbox::{entity::lane, lanes::Cursor},
    store::{DatabaseUrl, Store},
};

/// The schema, and every lane against the chain.
pub(super) async fn look(config: &Config, client: Option<&FabricLedger>) -> Vec<Check> {
    let store = match open::store(config).await {
        Ok(store) => store,
        Err(error) => return vec![Check::failed("database", format!("{error:#}"))],
    };
    let mut checks = vec![Check::ok(
        "database",
        "reachable, its schema is this program's",
    )];
    if let Some(client) = client {
        checks.push(lanes(&store, client).await);
    }
    checks.extend(copy(config).await);
    checks
}

/// The copy that takes reads, where the settings name one; the database itself does
/// where it fails.
async fn copy(config: &Config) -> Option<Check> {
    let address = config.database().ok()?.copy?;
    let opened = Store::open_existing(&DatabaseUrl::Postgres(address)).await;
    Some(match opened {
        Ok(_) => Check::ok(
            "copy of the database",
            "reachable, its schema is this program's",
        ),
        Err(error) => Check::warning("copy of the database", error.to_string()),
    })
}

async fn lanes(store: &Store, client: &FabricLedger) -> Check {
    match compare(store, client).await {
        Ok(found) if found.ahead.is_empty() => {
            let (lanes, behind) = (found.lanes, found.behind);
            let seen = match behind {
                0 => format!("{lanes} lanes stand where the chain does"),
                _ => format!("{behind} of {lanes} lanes still follow the chain"),
            };
            Check::ok("lanes", seen)
        }
        Ok(found) => {
            let lanes = found.ahead.join(", ");
            Check::failed(
                "lanes",
                format!("the chain is another one, or went back: {lanes}"),
            )
        }
        Err(error) => Check::failed("lanes", format!("{error:#}")),
    }
}

/// How the lanes stand.
#[derive(Default)]
struct Found {
    lanes: usize,
    /// Lanes whose settled cursor the chain does not have.
    ahead: Vec<String>,
    /// Lanes whose settled cursor is to move.
    behind: usize,
}

async fn compare(store: &Store, client: &FabricLedger) -> anyhow::Result<Found> {
    let rows = lane::Entity::find().order_by_asc(lane::Column::Name);
    let rows = rows.all(store.read()).await?;
    let mut found = Found {
        lanes: rows.len(),
        ..Found::default()
    };
    for row in rows {
        let (settled, chain) = (row.settled(), cursor(client, row.name.parse()?).await?);
        if settled.number > chain.number || (settled.number == chain.number && settled != chain) {
            let (name, settled, chain) = (row.name, settled.number, chain.number);
            found.ahead.push(format!(
                "{name} is settled to {settled}, the chain has {chain}"
            ));
        }
        found.behind += usize::from(settled.number < chain.number);
    }
    Ok(found)
}

async fn cursor(client: &FabricLedger, lane: LaneName) -> anyhow::Result<Cursor> {
    let asked = query::Query::Lane(QueryLane {
        lane: Some(lane.into()),
        msp_id: client.msp_id().to_owned(),
    });
    match ask(client, asked).await? {
        query_result::Result::Lane(cursor) if cursor.number > 0 => {
            Ok(Cursor::new(i64::try_from(cursor.number)?, &cursor.digest))
        }
        query_result::Result::Lane(_) => Ok(Cursor::START),
        _ => anyhow::bail!("the contract answers another question"),
    }
}
