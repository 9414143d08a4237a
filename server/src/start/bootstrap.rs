//! The ledger's first two commands, and the first member of staff.

use std::time::Duration;

use anyhow::{Context, bail};
use gx_contract::{countries, lane::SYSTEM_LANE};
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::{Bootstrap, CountryShare, LoadCountries, command::Body},
    operation::v1::{OperationState, OperationType},
};
use sea_orm::entity::prelude::*;
use uuid::Uuid;

use super::Base;
use crate::{
    app::App,
    audit,
    id::CommandId,
    identity,
    outbox::{Acceptance, Submission, entity::operation, request_digest},
};

/// The owner of commands that nobody asked for.
const SYSTEM: &str = "system";
/// The request_ids of the two commands: fixed, so that whoever starts, it is the same
/// command.
const BOOTSTRAP: u128 = 1;
const LOAD_COUNTRIES: u128 = 2;

/// Does what a system needs once, however often it is asked: the ledger's first two
/// commands, and the first SUPER_ADMIN, whose initial password is left in `data_dir`.
///
/// # Errors
/// If a command is refused, or the database fails.
pub async fn first_start(app: &App) -> anyhow::Result<()> {
    bootstrap(app)
        .await
        .context("the ledger cannot be bootstrapped")?;
    if identity::first_start(app).await? {
        let path = app.data_dir.join(identity::PASSWORD_FILE);
        tracing::info!(
            password_file = %path.display(),
            "the first SUPER_ADMIN is `root`, with an initial password"
        );
    }
    Ok(())
}

/// Waits until somebody has done what [`first_start`] does.
///
/// # Errors
/// If the database fails.
pub async fn bootstrapped(base: &Base) -> anyhow::Result<()> {
    let poll = Duration::from_millis(base.config.lanes.poll_ms);
    let mut told = false;
    loop {
        let countries = CommandId::derive(SYSTEM, Uuid::from_u128(LOAD_COUNTRIES));
        let loaded = operation::Entity::find_by_id(countries.0)
            .filter(operation::Column::State.eq(OperationState::Succeeded as i32))
            .one(base.store.read())
            .await?;
        if loaded.is_some() && identity::anybody(&base.store).await? {
            return Ok(());
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("the system is not bootstrapped: waiting for `gx bootstrap`");
        }
        tokio::time::sleep(poll).await;
    }
}

/// Has the ledger bootstrapped and the countries loaded, and waits until the read model
/// shows it.
async fn bootstrap(app: &App) -> anyhow::Result<()> {
    let partner_lanes = app.topology.partner_lanes;
    let bootstrap = Bootstrap { partner_lanes };
    let digest = request_digest("bootstrap", &bootstrap);
    command(
        app,
        BOOTSTRAP,
        OperationType::Bootstrap,
        digest,
        Body::Bootstrap(bootstrap),
    )
    .await?;

    let shares = countries::shares().into_iter();
    let countries = shares
        .map(|(country, share_ppb)| CountryShare {
            country: country.to_owned(),
            share_ppb,
        })
        .collect();
    let load = LoadCountries { countries };
    let digest = request_digest("load-countries", &load);
    command(
        app,
        LOAD_COUNTRIES,
        OperationType::LoadCountries,
        digest,
        Body::LoadCountries(load),
    )
    .await
}

async fn command(
    app: &App,
    number: u128,
    kind: OperationType,
    request_digest: [u8; 32],
    body: Body,
) -> anyhow::Result<()> {
    let request_id = Uuid::from_u128(number);
    let id = CommandId::derive(SYSTEM, request_id);
    let subject = crate::outbox::operation::name(id.0);
    let entry = audit::Entry::of_system(kind.as_str_name(), subject);
    let submission = Submission {
        id,
        owner: SYSTEM.to_owned(),
        request_id,
        request_digest,
        kind,
        lane: SYSTEM_LANE.to_string(),
        body,
        acceptance: Acceptance::Nothing,
        memo: None,
        traceparent: None,
        audit: entry,
    };
    taken(app, submission).await?;
    let state = decided(app, id.0).await?;
    if state != OperationState::Succeeded {
        bail!("{} was not done: {state:?}", kind.as_str_name());
    }
    Ok(())
}

/// Has a command taken, unless its operation is known. An empty database beside a
/// chain that is older catches up first, and may learn of the operation from it.
async fn taken(app: &App, submission: Submission) -> anyhow::Result<()> {
    let id = submission.id.0;
    let mut projected = app.wake.projected();
    loop {
        projected.mark_unchanged();
        let known = operation::Entity::find_by_id(id)
            .one(app.store.read())
            .await?;
        if known.is_some() {
            return Ok(());
        }
        match app.intake.submit(submission.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.reason() == Reason::CatchingUp => {}
            Err(error) => return Err(error.into()),
        }
        let poll = Duration::from_millis(app.config.lanes.poll_ms);
        let _ = tokio::time::timeout(poll, projected.changed()).await;
    }
}

/// Waits until an operation is decided.
async fn decided(app: &App, id: Uuid) -> anyhow::Result<OperationState> {
    let mut projected = app.wake.projected();
    loop {
        projected.mark_unchanged();
        let row = operation::Entity::find_by_id(id)
            .one(app.store.read())
            .await?
            .context("operation is gone")?;
        let state = OperationState::try_from(row.state)?;
        if matches!(state, OperationState::Succeeded | OperationState::Refused) {
            return Ok(state);
        }
        let poll = Duration::from_millis(app.config.lanes.poll_ms);
        let _ = tokio::time::timeout(poll, projected.changed()).await;
    }
}
