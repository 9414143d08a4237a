//! Transfer: coins from one account to another, by a partner, in the lane of the
//! sender. The receiver gets the amount exactly; the sender pays the fee on top.
//!
//! Refusals in order:
//! 1. `MALFORMED`: amount or `max_fee_qirat` above the supply, or a reference
//!    digest that is neither empty nor 32 bytes.
//! 2. `ROLE`
//! 3. `ZERO_AMOUNT`
//! 4. `SELF_TRANSFER`
//! 5. `ACCOUNT_ID`: either id is not well-formed.
//! 6. `LANE`
//! 7. `UNKNOWN_SENDER`
//! 8. `SENDER_NOT_ACTIVE`
//! 9. `UNKNOWN_RECEIVER`
//! 10. `RECEIVER_NOT_ACTIVE`: a locked treasury too, which collects grants only.
//! 11. `FEE_CHANGED`: the fee is higher than what was agreed; names it.
//! 12. `INSUFFICIENT_FUNDS`: for amount and fee together.

use gx_proto::gx::contract::v1::done::Fact;
use gx_proto::gx::contract::v1::{
    AccountRecord, AccountStatus, BalanceRecord, CommandRefusal, Done, PostingKind, Refused,
    Transfer, Transferred,
};

use super::refusal::{require, require_lane};
use super::{Postings, Stop, partner_lanes, require_domain};
use crate::account::{OPERATIONS_FUND, is_well_formed};
use crate::amount::{MAXIMUM_SUPPLY, Qirat};
use crate::batch::Rules;
use crate::book::Book;
use crate::lane::{self, LaneDomain};
use crate::state::StateError;

pub(super) fn run(book: &mut Book<'_>, rules: &Rules, command: &Transfer) -> Result<Done, Stop> {
    check_form(book, rules, command)?;
    let sender = book.balance(&command.sender)?;
    let sender = sender.ok_or(CommandRefusal::UnknownSender)?;
    let fee = check_parties(book, rules, command, &sender)?;
    check_funds(command, &sender, fee)?;
    let postings = pay(book, command, fee)?;
    Ok(Done {
        postings: postings.into_vec(),
        fact: Some(Fact::Transferred(Transferred {
            sender: command.sender.clone(),
            receiver: command.receiver.clone(),
            amount_qirat: command.amount_qirat,
            fee_qirat: fee.get(),
        })),
    })
}

/// What can be told from the command and the number of lanes.
fn check_form(book: &mut Book<'_>, rules: &Rules, command: &Transfer) -> Result<(), Stop> {
    require(!is_malformed(command), CommandRefusal::Malformed)?;
    require_domain(rules, LaneDomain::Partner)?;
    let lanes = partner_lanes(book)?;
    require(command.amount_qirat > 0, CommandRefusal::ZeroAmount)?;
    require(
        command.sender != command.receiver,
        CommandRefusal::SelfTransfer,
    )?;
    require(
        is_well_formed(&command.sender) && is_well_formed(&command.receiver),
        CommandRefusal::AccountId,
    )?;
    require_lane(rules, lane::of_account(&command.sender, lanes))
}

fn is_malformed(command: &Transfer) -> bool {
    let supply = MAXIMUM_SUPPLY.get();
    command.amount_qirat > supply
        || command.max_fee_qirat > supply
        || !matches!(command.reference_digest.len(), 0 | 32)
}

/// Both sides may move money; gives the fee, which is at most the agreed one.
fn check_parties(
    book: &mut Book<'_>,
    rules: &Rules,
    command: &Transfer,
    sender: &BalanceRecord,
) -> Result<Qirat, Stop> {
    let sender = sender
        .account
        .as_ref()
        .ok_or(CommandRefusal::UnknownSender)?;
    require(is_active(sender), CommandRefusal::SenderNotActive)?;
    let receiver = book.account(&command.receiver)?;
    let receiver = receiver.ok_or(CommandRefusal::UnknownReceiver)?;
    require(is_active(&receiver), CommandRefusal::ReceiverNotActive)?;
    let quote = rules.fees.quote(
        Qirat(command.amount_qirat),
        (sender.r#type(), &sender.country),
        (receiver.r#type(), &receiver.country),
    );
    if quote.fee > Qirat(command.max_fee_qirat) {
        return Err(fee_changed(quote.fee).into());
    }
    Ok(quote.fee)
}

fn is_active(account: &AccountRecord) -> bool {
    account.status() == AccountStatus::Active
}

fn fee_changed(fee: Qirat) -> Refused {
    Refused {
        reason: CommandRefusal::FeeChanged.into(),
        account: String::new(),
        fee_qirat: fee.get(),
    }
}

fn check_funds(command: &Transfer, sender: &BalanceRecord, fee: Qirat) -> Result<(), Stop> {
    let total = Qirat(command.amount_qirat).checked_add(fee);
    // A negative balance covers nothing; a sum that does not fit is covered by none.
    let folded = u64::try_from(sender.folded_qirat).unwrap_or(0);
    require(
        total.is_some_and(|total| total <= Qirat(folded)),
        CommandRefusal::InsufficientFunds,
    )
}

fn pay(book: &mut Book<'_>, command: &Transfer, fee: Qirat) -> Result<Postings, StateError> {
    let mut postings = Postings::default();
    postings.transfer(
        book,
        (&command.sender, &command.receiver),
        Qirat(command.amount_qirat),
        PostingKind::Transfer,
    )?;
    postings.transfer(
        book,
        (&command.sender, OPERATIONS_FUND),
        fee,
        PostingKind::Fee,
    )?;
    Ok(postings)
}
