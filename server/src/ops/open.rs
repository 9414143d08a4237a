//! Opens what a running system writes, for tools beside it.

use anyhow::{Context as _, bail};

use crate::{
    config::Config,
    store::{DatabaseUrl, Store},
};

/// The database, for reading alone.
pub(super) async fn store(config: &Config) -> anyhow::Result<Store> {
    let url = config.database_url().map_err(anyhow::Error::msg);
    let url = url.context("database.url")?;
    if let DatabaseUrl::SqliteFile(path) = &url
        && !path.exists()
    {
        bail!("there is no database {}; {}", path.display(), STARTED);
    }
    Store::open_existing(&url)
        .await
        .context("the database cannot be read (setting database.url)")
}

/// The database as it is, for the few tools that write.
pub(super) async fn store_to_write(config: &Config) -> anyhow::Result<Store> {
    store(config).await?;
    let url = config.database_url().map_err(anyhow::Error::msg)?;
    let store = Store::open(&url).await;
    store.context("the database cannot be written (setting database.url)")
}

/// What may be wrong where nothing is found.
pub(super) const STARTED: &str = "was gx ever started with this data_dir?";
