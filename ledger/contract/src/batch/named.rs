//! The credits that a batch names: read by name, only where they are needed,
//! folded into the account's balance and deleted. A wrong or stale list can make
//! a payment fail; it can neither make nor lose money.

use std::collections::BTreeMap;

use gx_proto::gx::contract::v1::{Batch, CreditKey};

use super::plan::{Need, Plan};
use crate::book::Book;
use crate::keys;
use crate::lane::LaneName;
use crate::state::StateError;

/// Folds the named credits of every held account whose folded balance does not
/// cover the batch's debits, or that a Fold asks for.
pub(super) fn fold(book: &mut Book<'_>, batch: &Batch, plan: &Plan<'_>) -> Result<(), StateError> {
    let lists = batch
        .credits
        .iter()
        .map(|list| (list.account.as_str(), list.credits.as_slice()));
    let lists: BTreeMap<_, _> = lists.collect();
    let mut wanted = Vec::new();
    for (account, need) in plan.needs() {
        if let Some(list) = lists.get(account)
            && is_wanted(book, account, need)?
        {
            wanted.push((account, names(account, list)));
        }
    }
    let all: Vec<String> = wanted
        .iter()
        .flat_map(|(_, names)| names.keys().cloned())
        .collect();
    book.overlay.prefetch(&all)?;
    for (account, names) in wanted {
        for (state_key, name) in names {
            book.fold(account, state_key, name)?;
        }
    }
    Ok(())
}

fn is_wanted(book: &mut Book<'_>, account: &str, need: Need) -> Result<bool, StateError> {
    let Some(balance) = book.balance(account)? else {
        return Ok(false);
    };
    let covered = u128::try_from(balance.folded_qirat).is_ok_and(|folded| folded >= need.debits);
    Ok(need.folds || !covered)
}

/// The account's named credits by state key: a key counts once.
fn names<'a>(account: &str, list: &'a [CreditKey]) -> BTreeMap<String, &'a CreditKey> {
    list.iter()
        .filter_map(|name| {
            let lane = LaneName::try_from(name.lane.as_ref()?).ok()?;
            let key = keys::credit(account, &name.msp_id, lane, name.first_sequence);
            Some((key, name))
        })
        .collect()
}
