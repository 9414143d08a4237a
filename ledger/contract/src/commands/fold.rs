//! Fold: the named credits of an account into its folded balance, by any role, in
//! the account's lane; changes no total. The batch has folded them before its
//! first command, so what is left to do here is to judge the tax timer.
//!
//! Refusals in order: `NOT_BOOTSTRAPPED`, `ACCOUNT_ID`, `LANE`, `UNKNOWN_SENDER`.

use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountFolded, AccountType, BalanceRecord, CommandRefusal, Done, Fold,
};

use super::refusal::{require, require_lane};
use super::{Stop, partner_lanes};
use crate::account::is_well_formed;
use crate::batch::Rules;
use crate::book::Book;
use crate::lane;

pub(super) fn run(book: &mut Book<'_>, rules: &Rules, command: &Fold) -> Result<Done, Stop> {
    let lanes = partner_lanes(book)?;
    require(is_well_formed(&command.account), CommandRefusal::AccountId)?;
    require_lane(rules, lane::of_account(&command.account, lanes))?;
    let balance = book.balance(&command.account)?;
    let mut balance = balance.ok_or(CommandRefusal::UnknownSender)?;

    let judged = command.judge && is_taxable(&balance);
    if judged {
        judge(rules, &mut balance);
        book.set_balance(&command.account, &balance);
    }
    Ok(Done {
        postings: Vec::new(),
        fact: Some(Fact::AccountFolded(AccountFolded {
            account: command.account.clone(),
            judged,
        })),
    })
}

/// System accounts and treasuries are exempt.
fn is_taxable(balance: &BalanceRecord) -> bool {
    let exempt = [AccountType::System, AccountType::Treasury];
    let account = balance.account.as_ref();
    account.is_some_and(|account| !exempt.contains(&account.r#type()))
}

/// The only place where the timer starts or stops: neither strangers' credits nor
/// how commands fell into batches move it.
fn judge(rules: &Rules, balance: &mut BalanceRecord) {
    let folded = u64::try_from(balance.folded_qirat).unwrap_or(0);
    if folded < rules.tax_floor.get() {
        balance.tax_timer_start_ms = 0;
    } else if balance.tax_timer_start_ms == 0 {
        // 0 says that it is not running, so no timer starts at the epoch.
        balance.tax_timer_start_ms = rules.time_ms.max(1);
    }
}
