//! `GetWallet`: one account with its coins.

use gx_proto::gx::wallet::v1::{GetWalletRequest, GetWalletResponse};

use super::{entity::wallet, proto, query};
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
    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<GetWalletResponse> {
        let moment = query::moment_of(app, &self.account, self.min_block).await?;
        let wallet = wallet::Entity::readable(&moment.tx, caller, &self.account).await?;
        Ok(GetWalletResponse {
            wallet: Some(proto::wallet(wallet)?),
            as_of_block: moment.as_of_block,
        })
    }
}
