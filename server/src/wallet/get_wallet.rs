//! `GetWallet`: one account with its coins.

use gx_proto::gx::wallet::v1::{GetWalletRequest, GetWalletResponse};

use super::{proto, query};
use crate::{
    app::App,
    auth::Caller,
    directory::AccountName,
    error::{Error, Result, Violations},
};

/// A wallet to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetWallet {
    account: AccountName,
    min_block: u64,
}

impl TryFrom<GetWalletRequest> for GetWallet {
    type Error = Error;

    fn try_from(message: GetWalletRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", AccountName::parse(&message.account));
        let min_block = message.min_block;
        violations.finish(account.map(|account| Self { account, min_block }))
    }
}

impl GetWallet {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account.as_str())
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<GetWalletResponse> {
        let found = query::wallet(app, caller, &self.account, self.min_block).await;
        let (as_of_block, wallet) = found?;
        Ok(GetWalletResponse {
            wallet: Some(proto::wallet(wallet)?),
            as_of_block,
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{contract::v1::AccountType, wallet::v1::WalletType};
    use sea_orm::ActiveValue::Set;

    use super::*;
    use crate::{fixture, wallet::entity::wallet};

    fn read(account: &str, min_block: u64) -> GetWallet {
        let account = account.to_owned();
        GetWallet::try_from(GetWalletRequest { account, min_block }).unwrap()
    }

    #[tokio::test]
    async fn owner_sees_coins_and_the_block_of_their_partition() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        fixture::post(&app, &[fixture::posting(3, 0, ann.as_str(), 100, "")]).await;
        fixture::change::<wallet::Entity>(&app, ann.as_str(), |row| row.reserved_qirat = Set(30))
            .await;
        fixture::apply(&app, fixture::partition(ann.as_str()), 3).await;

        let answer = read(ann.as_str(), 0)
            .handle(&app, &fixture::user(1))
            .await
            .unwrap();
        let wallet = answer.wallet.unwrap();
        assert_eq!(answer.as_of_block, 3);
        assert_eq!(
            (
                wallet.balance_qirat,
                wallet.reserved_qirat,
                wallet.available_qirat
            ),
            (100, 30, 70)
        );
        assert_eq!(
            (wallet.r#type(), wallet.country.as_str()),
            (WalletType::Person, "DE")
        );
    }

    #[tokio::test]
    async fn strangers_wallet_looks_like_none() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        let none = fixture::account(2);
        for account in [&ann, &none] {
            let error = read(account.as_str(), 0)
                .handle(&app, &fixture::user(2))
                .await
                .unwrap_err();
            let expected = Error::not_found(format!("wallets/{account}"));
            assert_eq!(error.to_string(), expected.to_string());
        }
        read(ann.as_str(), 0)
            .handle(&app, &fixture::auditor())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn overseer_reads_pools_and_nobody_else_does() {
        let app = fixture::app().await;
        let pool = "SYSTEM_LOAN_POOL";
        fixture::open(&app, pool, AccountType::System, "").await;
        read(pool, 0)
            .handle(&app, &fixture::auditor())
            .await
            .unwrap();
        assert!(read(pool, 0).handle(&app, &fixture::user(1)).await.is_err());
    }

    #[tokio::test]
    async fn read_waits_for_the_block_that_opens_the_account() {
        let app = fixture::app().await;
        let ann = fixture::account(1);
        let waiting = tokio::spawn({
            let app = app.clone();
            async move { read(ann.as_str(), 4).handle(&app, &fixture::user(1)).await }
        });
        let ann = fixture::person(&app, 1, "DE").await;
        fixture::apply(&app, fixture::partition(ann.as_str()), 4).await;
        assert_eq!(waiting.await.unwrap().unwrap().as_of_block, 4);
    }
}
