//! Binds a person to the account that the ledger has for the person's document:
//! what staff does after a restore that lost who has it. All of it is decided under
//! the locks of verification, person and listing, in one transaction.

use gx_contract::account::AccountId;
use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::AccountType,
    identity::v1::{BindAccountRequest, BindAccountResponse, UserStatus, VerificationState},
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};

use super::{
    entity::{user, verification},
    names, query,
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Context},
    directory,
    error::{Error, Result, Violations},
    fault::kill_point,
};

/// A person, by verification, and the account.
#[derive(Debug)]
pub(super) struct BindAccount {
    verification: Uuid,
    account: AccountId,
}

impl TryFrom<BindAccountRequest> for BindAccount {
    type Error = Error;

    fn try_from(message: BindAccountRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let name = names::parse(names::VERIFICATIONS, &message.name);
        let verification = violations.take("name", name);
        let account = directory::parse_account_id(&message.account);
        let account = violations.take("account", account);
        let both = verification.zip(account);
        violations.finish(both.map(|(verification, account)| Self {
            verification,
            account,
        }))
    }
}

impl BindAccount {
    /// What the call is about.
    pub(super) fn subject(&self) -> String {
        names::name(names::VERIFICATIONS, self.verification)
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<BindAccountResponse> {
        let now_ms = app.clock.now_ms();
        let tx = app.store.begin().await?;
        let row = verification::Entity::lock_in(&tx, caller, self.verification).await?;
        row.may_be_decided_by(caller)?;
        let person = user::Entity::lock_in(&tx, caller, row.user_id).await?;
        let row = match row.state() {
            VerificationState::Pending => self.bind_in(&tx, caller, now_ms, row, person).await?,
            VerificationState::Approved if self.is_done(&row, &person) => row,
            _ => return Err(row.decided()),
        };
        let entry = audit::Entry::of_call(context, Some(caller.user), row.name());
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        let verification = query::show(app, &tx, caller, row).await?;
        tx.commit().await?;
        kill_point("bound");
        Ok(BindAccountResponse {
            verification: Some(verification),
        })
    }

    /// Whether this very binding was made before.
    fn is_done(&self, row: &verification::Model, person: &user::Model) -> bool {
        self.is_named_by(row) && person.account.as_deref() == Some(self.account.as_str())
    }

    fn is_named_by(&self, row: &verification::Model) -> bool {
        row.known_account.as_deref() == Some(self.account.as_str())
    }

    async fn bind_in(
        &self,
        tx: &DatabaseTransaction,
        caller: &Caller,
        now_ms: i64,
        row: verification::Model,
        person: user::Model,
    ) -> Result<verification::Model> {
        if !self.is_named_by(&row) {
            return Err(not_bindable("NOT_NAMED"));
        }
        self.claim_in(tx, &person).await?;
        let mut person = person.into_active_model();
        person.status = Set(UserStatus::Active.into());
        person.account = Set(Some(self.account.to_string()));
        person.update(tx).await?;
        let mut row = row.into_active_model();
        row.state = Set(VerificationState::Approved.into());
        row.reason = Set(None);
        row.decided_ms = Set(Some(now_ms));
        row.decided_by = Set(Some(caller.user.0));
        Ok(row.update(tx).await?)
    }

    /// Makes the account the person's, if it is a person's and nobody has it.
    async fn claim_in(&self, tx: &DatabaseTransaction, person: &user::Model) -> Result<()> {
        let account = self.account.as_str();
        let listing = directory::lookup(tx, [account]).await?.remove(account);
        match listing.filter(|listing| listing.opened) {
            None => return Err(not_bindable("NOT_OPEN")),
            Some(listing) if listing.account_type != AccountType::Person => {
                return Err(not_bindable("NOT_A_PERSON"));
            }
            Some(_) => {}
        }
        let masked = directory::mask(&person.given_names, &person.family_name);
        match directory::bind::bind_in(tx, account, person.id(), &masked).await? {
            true => Ok(()),
            false => Err(not_bindable("OWNED")),
        }
    }
}

fn not_bindable(cause: &'static str) -> Error {
    let message = "the person cannot be bound to this account";
    Error::rejected(Reason::AccountNotBindable, message).with("cause", cause)
}

#[cfg(test)]
mod tests;
