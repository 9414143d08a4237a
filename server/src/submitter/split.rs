//! A batch that is itself at fault: halved until one command is left, which is
//! voided. A lane voids by itself once; a second time somebody must look.

use gx_proto::gx::contract::v1::{Batch, Command, Void, command::Body};
use sea_orm::{QueryFilter, entity::prelude::*};

use super::{
    Parts,
    form::{self, Formed},
};
use crate::{
    error::Result,
    id,
    outbox::{
        entity::{lane, row},
        lanes,
    },
};

/// What splitting came to.
#[derive(Debug)]
pub(super) enum Split {
    /// The next batch takes at most so many commands.
    Half {
        /// Most commands.
        limit: usize,
    },
    /// The one command that was left is voided.
    Voided,
    /// The lane voided one by itself already.
    Exhausted,
    /// The lease is lost, or the lane is not at the batch's end.
    Lost,
}

/// A batch of one Void of a fresh id on the same place: endorsed and never sent, it
/// tells whether the chaincode runs at all.
pub(super) fn probe(formed: &Formed) -> Batch {
    let command = Command {
        id: id::random_bytes::<16>().to_vec().into(),
        request_digest: vec![0; 32].into(),
        body: Some(Body::Void(Void {})),
    };
    Batch {
        commands: vec![command],
        credits: Vec::new(),
        ..formed.batch.clone()
    }
}

/// Drops the batch's numbers, so that half of it, or a Void, is formed next.
pub(super) async fn split(
    parts: &Parts,
    name: &str,
    token: Uuid,
    formed: &Formed,
) -> Result<Split> {
    let tx = parts.store.begin().await?;
    let Some(lane) = lanes::lock_in(&tx, name, token).await? else {
        return Ok(Split::Lost);
    };
    if lane.formed() != formed.end {
        return Ok(Split::Lost);
    }
    let outcome = match formed.ids.as_slice() {
        [only] if !lane.self_voided && !formed.voids_only => {
            void_in(&tx, name, *only).await?;
            Split::Voided
        }
        [_] => Split::Exhausted,
        many => Split::Half {
            limit: many.len().div_ceil(2),
        },
    };
    form::unnumber_in(&tx, name, formed.base.number, formed.base).await?;
    tx.commit().await?;
    Ok(outcome)
}

async fn void_in(tx: &sea_orm::DatabaseTransaction, name: &str, command: Uuid) -> Result<()> {
    tracing::error!(lane = name, command.id = %command.simple(), "command cannot be endorsed and is voided");
    row::Entity::update_many()
        .col_expr(row::Column::Abandoned, true.into())
        .col_expr(row::Column::ErrorClass, "own fault".into())
        .filter(row::Column::Id.eq(command))
        .exec(tx)
        .await?;
    lane::Entity::update_many()
        .col_expr(lane::Column::SelfVoided, true.into())
        .filter(lane::Column::Name.eq(name))
        .exec(tx)
        .await?;
    Ok(())
}

/// A batch with another command than Void became valid: the lane may void again.
pub(super) async fn recovered(parts: &Parts, name: &str, token: Uuid) -> Result<()> {
    let lane = lane::Entity::find_by_id(name.to_owned())
        .one(parts.store.read())
        .await?;
    if lane.is_some_and(|lane| lane.self_voided && lane.token == Some(token)) {
        lane::Entity::update_many()
            .col_expr(lane::Column::SelfVoided, false.into())
            .filter(lane::Column::Name.eq(name))
            .filter(lane::Column::Token.eq(token))
            .exec(parts.store.write())
            .await?;
    }
    Ok(())
}
