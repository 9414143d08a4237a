//! Rows as clients see them.

use anyhow::Context;
use gx_proto::gx::{
    contract::v1::AccountType,
    wallet::v1::{Counterparty, Entry, EntryKind, Wallet, WalletStatus, WalletType},
};

use super::entity::{entry, wallet};
use crate::{
    clock::timestamp,
    directory::Listing,
    error::Result,
    outbox::{self, entity::operation},
};

/// A wallet as clients see it.
pub(super) fn wallet(row: wallet::Model) -> Result<Wallet> {
    let balance_qirat = qirat(row.balance_qirat)?;
    let reserved_qirat = qirat(row.reserved_qirat)?;
    Ok(Wallet {
        account: row.account,
        r#type: WalletType::try_from(row.account_type)
            .unwrap_or_default()
            .into(),
        status: WalletStatus::try_from(row.status)
            .unwrap_or_default()
            .into(),
        country: row.country,
        balance_qirat,
        reserved_qirat,
        available_qirat: balance_qirat.saturating_sub(reserved_qirat),
        create_time: Some(timestamp(row.created_ms)),
    })
}

/// An entry as clients see it; `operation` is the command behind it, if its
/// record is known, and `owned` whether it is the caller's.
pub(super) fn entry(
    row: entry::Model,
    operation: Option<&operation::Model>,
    owned: bool,
    counterparty: Option<Counterparty>,
) -> Result<Entry> {
    let place = row.place();
    let memo = operation.and_then(|operation| operation.memo.clone());
    let name = operation
        .filter(|_| owned)
        .map(|operation| outbox::operation::name(operation.id));
    Ok(Entry {
        name: entry_name(place),
        kind: EntryKind::try_from(row.kind).unwrap_or_default().into(),
        delta_qirat: row.delta_qirat,
        counterparty,
        reference: memo.unwrap_or_default(),
        operation: name.unwrap_or_default(),
        block: u64::try_from(row.block).context("a block below 0")?,
        fabric_tx_id: row.fabric_tx_id,
        time: Some(timestamp(row.time_ms)),
    })
}

/// The name of the entry at a place.
pub(super) fn entry_name(place: entry::Place) -> String {
    format!("entries/{place}")
}

/// The other side, as far as it may be shown. One that is not listed yet, since
/// its partition is behind, shows its account alone.
pub(super) fn counterparty(account: &str, listing: Option<&Listing>) -> Counterparty {
    let kind = listing.map_or(AccountType::Unspecified, |listing| listing.account_type);
    Counterparty {
        account: account.to_owned(),
        masked_name: listing
            .map(|listing| listing.masked_name.clone())
            .unwrap_or_default(),
        r#type: WalletType::try_from(i32::from(kind))
            .unwrap_or_default()
            .into(),
        country: listing
            .map(|listing| listing.country.clone())
            .unwrap_or_default(),
    }
}

fn qirat(column: i64) -> Result<u64> {
    Ok(u64::try_from(column).context("an amount below 0")?)
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::contract::v1::{AccountStatus, PostingKind};

    use super::*;

    /// The chain's numbers are stored and read as the API's: they must mean the
    /// same.
    #[test]
    fn chain_and_api_number_their_words_alike() {
        for number in 0..64 {
            assert_eq!(
                AccountType::try_from(number)
                    .map(|word| word.as_str_name().replace("ACCOUNT", "WALLET")),
                WalletType::try_from(number).map(|word| word.as_str_name().to_owned()),
            );
            assert_eq!(
                AccountStatus::try_from(number)
                    .map(|word| word.as_str_name().replace("ACCOUNT", "WALLET")),
                WalletStatus::try_from(number).map(|word| word.as_str_name().to_owned()),
            );
            assert_eq!(
                PostingKind::try_from(number)
                    .map(|word| word.as_str_name().replace("POSTING", "ENTRY")),
                EntryKind::try_from(number).map(|word| word.as_str_name().to_owned()),
            );
        }
    }

    #[test]
    fn negative_amounts_are_never_shown() {
        assert!(qirat(-1).is_err());
        assert_eq!(qirat(1).unwrap(), 1);
    }
}
