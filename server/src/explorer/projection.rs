//! The only writer of blocks and transactions. The projector calls it in the
//! transaction of the one partition that shows blocks.

use sea_orm::DatabaseTransaction;

use super::entity::{block, transaction};
use crate::{error::Result, store::bulk};

/// Writes blocks and their transactions.
///
/// # Errors
/// If one is there already, or the database fails.
pub async fn shown_in(
    tx: &DatabaseTransaction,
    blocks: &[block::Model],
    transactions: &[transaction::Model],
) -> Result<()> {
    bulk::insert_in(tx, blocks.to_vec()).await?;
    Ok(bulk::insert_in(tx, transactions.to_vec()).await?)
}
