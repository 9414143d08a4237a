//! What happens before a port opens: the data directory, the database's fixed rows,
//! and on the first start the ledger's first two commands.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use gx_contract::{countries, lane::SYSTEM_LANE};
use gx_proto::gx::{
    contract::v1::{Bootstrap, CountryShare, LoadCountries, command::Body},
    operation::v1::{OperationState, OperationType},
};
use sea_orm::{ActiveValue::Set, entity::prelude::*};
use uuid::Uuid;

use crate::{
    app::{App, Topology},
    audit,
    config::Config,
    id::CommandId,
    outbox::{
        Acceptance, Submission,
        entity::{control, operation},
        lanes, request_digest,
    },
    projector,
    store::{Lock, Store},
};

/// The owner of commands that nobody asked for.
const SYSTEM: &str = "system";

/// Makes the data directory, readable by its owner alone, and locks it for this
/// process. The lock ends with the process, however it ends.
///
/// # Errors
/// If it cannot be made, or another process has it; the error says which.
pub fn lock_data_dir(folder: &Path) -> anyhow::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("data_dir {} cannot be made", folder.display()))?;
    // One that was there may have been open to others.
    fs::set_permissions(folder, Permissions::from_mode(0o700))
        .with_context(|| format!("data_dir {} cannot be closed to others", folder.display()))?;
    let path = folder.join("lock");
    let mut file = File::options()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "data_dir {} is in use by process {holder}",
                folder.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// Makes or reads the control row and makes lanes and partitions. What the first
/// start fixed cannot be changed by a setting.
///
/// # Errors
/// If the settings disagree with the database, or the database fails.
pub async fn topology(store: &Store, config: &Config) -> anyhow::Result<Topology> {
    let tx = store.begin().await?;
    let partner_lanes = i32::try_from(config.lanes.partner)?;
    let partitions = i32::try_from(config.projector.partitions)?;
    let fresh = control::ActiveModel {
        id: Set(1),
        partner_lanes: Set(partner_lanes),
        partitions: Set(partitions),
        mark: Set(0),
        mark_cleared: Set(0),
    };
    control::Entity::insert(fresh)
        .on_conflict(
            sea_orm::sea_query::OnConflict::column(control::Column::Id)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&tx)
        .await?;
    let row = control::Entity::find_by_id(1)
        .for_update()
        .one(&tx)
        .await?
        .context("no control row")?;
    if row.partner_lanes != partner_lanes {
        bail!(
            "lanes.partner is {partner_lanes}, but this system was started with {}, for ever",
            row.partner_lanes
        );
    }
    if row.partitions != partitions {
        bail!(
            "projector.partitions is {partitions}, but the database has {}",
            row.partitions
        );
    }
    let users = (0..partner_lanes).map(|number| format!("partner/{number}"));
    lanes::create_in(
        &tx,
        users
            .chain(["staff/0".to_owned(), "sys/0".to_owned()])
            .collect(),
    )
    .await?;
    projector::create_in(&tx, partitions).await?;
    tx.commit().await?;
    Ok(Topology {
        partner_lanes: config.lanes.partner,
        partitions,
    })
}

/// Has the ledger bootstrapped and the countries loaded, once however often it is
/// asked, and waits until the read model shows it.
///
/// # Errors
/// If either is refused, or the intake takes nothing.
pub async fn bootstrap(app: &App) -> anyhow::Result<()> {
    let partner_lanes = app.topology.partner_lanes;
    let bootstrap = Bootstrap { partner_lanes };
    let digest = request_digest("bootstrap", &bootstrap);
    command(
        app,
        1,
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
        2,
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
    // A fixed request_id: whoever starts, it is the same command.
    let request_id = Uuid::from_u128(number);
    let id = CommandId::derive(SYSTEM, request_id);
    let entry = audit::Entry {
        actor: None,
        action: kind.as_str_name(),
        subject: crate::outbox::operation::name(id.0),
        outcome: "OK".to_owned(),
        request_id: String::new(),
        traceparent: None,
        client: String::new(),
        fabric_tx_id: None,
    };
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
    if operation::Entity::find_by_id(id.0)
        .one(app.store.read())
        .await?
        .is_none()
    {
        app.intake.submit(submission).await?;
    }
    let state = decided(app, id.0).await?;
    if state != OperationState::Succeeded {
        bail!("{} was not done: {state:?}", kind.as_str_name());
    }
    Ok(())
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
        let poll = std::time::Duration::from_millis(app.config.lanes.poll_ms);
        let _ = tokio::time::timeout(poll, projected.changed()).await;
    }
}
