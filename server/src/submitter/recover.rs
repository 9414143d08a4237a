//! Recovering a lane: numbers are given anew only from the settled cursor, which
//! rests on an unbroken scan of blocks.

use gx_contract::lane::LaneName;
use gx_proto::gx::contract::v1::{Query, QueryLane, query, query_result};
use sea_orm::{QueryFilter, entity::prelude::*};

use super::{Parts, form};
use crate::{
    error::Result,
    fault::{self, Fault},
    outbox::{
        catching_up,
        entity::{envelope, lane},
        lanes::{self, Cursor},
    },
};

/// What recovering came to.
#[derive(Debug)]
pub(super) enum Recovery {
    /// The lane may form on this place.
    Ready(Cursor),
    /// The projector has not read yet what stands in the chain.
    Behind,
    /// The ledger did not answer.
    NoAnswer,
    /// The chain's cursor has the number of the settled one and another digest.
    Forked,
    /// The lease is lost.
    Lost,
}

/// Recovers a lane, if the settled cursor has reached the chain's. `highest` is the
/// highest settled number that the process has seen: a lower one means that the
/// database went back.
pub(super) async fn recover(
    parts: &Parts,
    lane: LaneName,
    token: Uuid,
    highest: &mut i64,
) -> Result<Recovery> {
    let Some(chain) = chain_cursor(parts, lane).await else {
        return Ok(Recovery::NoAnswer);
    };
    let name = lane.to_string();
    let tx = parts.store.begin().await?;
    let Some(row) = lanes::lock_in(&tx, &name, token).await? else {
        return Ok(Recovery::Lost);
    };
    if row.settled_number < *highest {
        drop(tx);
        catching_up::mark(&parts.store).await?;
        *highest = row.settled_number;
        return Ok(Recovery::Behind);
    }
    *highest = row.settled_number;
    if row.settled_number == chain.number && row.settled() != chain {
        return Ok(Recovery::Forked);
    }
    let behind = row.settled().number < chain.number;
    if behind && !fault::planted(Fault::ChainCursorUnchecked) {
        let known = envelope::Entity::find()
            .filter(envelope::Column::Lane.eq(name.as_str()))
            .filter(envelope::Column::EndNumber.eq(chain.number))
            .filter(envelope::Column::EndDigest.eq(chain.digest.to_vec()))
            .one(&tx)
            .await?
            .is_some();
        drop(tx);
        if !known {
            // The chain has a batch that this database never sent: it went back.
            catching_up::mark(&parts.store).await?;
        }
        return Ok(Recovery::Behind);
    }
    let base = if behind { chain } else { row.settled() };
    form::unnumber_in(&tx, &name, -1, base).await?;
    tx.commit().await?;
    Ok(Recovery::Ready(base))
}

async fn chain_cursor(parts: &Parts, lane: LaneName) -> Option<Cursor> {
    let question = QueryLane {
        lane: Some(lane.into()),
        msp_id: parts.ledger.msp_id().to_owned(),
    };
    let query = Query {
        query: Some(query::Query::Lane(question)),
    };
    match parts.ledger.query(&query).await {
        Ok(answer) => match answer.result {
            Some(query_result::Result::Lane(cursor)) if cursor.number > 0 => Some(Cursor::new(
                i64::try_from(cursor.number).ok()?,
                &cursor.digest,
            )),
            _ => Some(Cursor::START),
        },
        Err(error) => {
            tracing::warn!(%lane, %error, "the lane's place on the ledger cannot be read");
            None
        }
    }
}

/// Writes why a lane holds.
pub(super) async fn hold(parts: &Parts, name: &str, token: Uuid, reason: String) -> Result<()> {
    lane::Entity::update_many()
        .col_expr(lane::Column::HeldReason, reason.into())
        .filter(lane::Column::Name.eq(name))
        .filter(lane::Column::Token.eq(token))
        .exec(parts.store.write())
        .await?;
    Ok(())
}
