//! `ResolveAccount`: whose an account is, as far as everybody may know.

use gx_proto::gx::wallet::v1::{Counterparty, ResolveAccountRequest};

use super::proto;
use crate::{
    app::App,
    directory::{self, AccountName},
    error::{Error, Result, Violations},
};

/// An account to recognize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolveAccount {
    account: AccountName,
}

impl TryFrom<ResolveAccountRequest> for ResolveAccount {
    type Error = Error;

    fn try_from(message: ResolveAccountRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", AccountName::parse(&message.account));
        violations.finish(account.map(|account| Self { account }))
    }
}

impl ResolveAccount {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("accounts/{}", self.account.as_str())
    }

    pub(super) async fn handle(self, app: &App) -> Result<Counterparty> {
        let account = self.account.as_str();
        let listing = directory::lookup(app.store.read(), [account])
            .await?
            .remove(account)
            .filter(|listing| listing.opened)
            .ok_or_else(|| Error::not_found(self.subject()))?;
        Ok(proto::counterparty(account, Some(&listing)))
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{common::v1::Reason, contract::v1::AccountType, wallet::v1::WalletType};

    use super::*;
    use crate::fixture;

    async fn resolve(app: &App, account: &str) -> Result<Counterparty> {
        let account = account.to_owned();
        let resolve = ResolveAccount::try_from(ResolveAccountRequest { account })?;
        resolve.handle(app).await
    }

    #[tokio::test]
    async fn an_account_is_shown_as_far_as_everybody_may_know() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        let shown = resolve(&app, &ann.as_str().to_lowercase()).await.unwrap();
        assert_eq!(shown.account, ann.as_str());
        assert_eq!(
            (
                shown.masked_name.as_str(),
                shown.r#type(),
                shown.country.as_str()
            ),
            ("A*** B***", WalletType::Person, "DE")
        );
        let pool = "SYSTEM_LOAN_POOL";
        fixture::open(&app, pool, AccountType::System, "").await;
        assert_eq!(resolve(&app, pool).await.unwrap().masked_name, pool);
    }

    #[tokio::test]
    async fn an_account_that_is_not_open_looks_like_none() {
        let app = fixture::app().await;
        let claimed = fixture::account(3);
        let tx = app.store.begin().await.unwrap();
        directory::claim_in(&tx, claimed.as_str(), fixture::user(3).user, "C***", "DE")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for account in [claimed, fixture::account(4)] {
            let refused = resolve(&app, account.as_str()).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::NotFound);
        }
    }

    #[test]
    fn a_text_that_names_no_account_is_told() {
        let error = ResolveAccount::try_from(ResolveAccountRequest::default()).unwrap_err();
        assert_eq!(fixture::violated(error), ["account"]);
    }
}
