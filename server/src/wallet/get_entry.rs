//! `GetEntry`: one entry of a wallet.

use gx_proto::gx::wallet::v1::{Entry, GetEntryRequest};

use super::{
    entity::{
        entry::{self, Place},
        wallet,
    },
    proto, query,
};
use crate::{
    app::App,
    auth::Caller,
    directory::AccountName,
    error::{Error, Result, Violations},
};

/// An entry to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetEntry {
    account: AccountName,
    place: Place,
    min_block: u64,
}

impl TryFrom<GetEntryRequest> for GetEntry {
    type Error = Error;

    fn try_from(message: GetEntryRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", AccountName::parse(&message.account));
        let place = message.name.strip_prefix("entries/").and_then(Place::parse);
        let wrong = "must be entries/<block>-<transaction>-<command>-<posting>";
        let place = violations.take("name", place.ok_or(wrong));
        let min_block = message.min_block;
        let both = account.zip(place);
        violations.finish(both.map(|(account, place)| Self {
            account,
            place,
            min_block,
        }))
    }
}

impl GetEntry {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account.as_str())
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<Entry> {
        let moment = query::moment_of(app, &self.account, self.min_block).await?;
        let wallet = wallet::Entity::readable(&moment.tx, caller, &self.account).await?;
        let found = query::rows(&moment.tx, entry::Entity::at(&wallet, self.place)).await?;
        let shown = query::show(&moment.tx, caller, found).await?;
        let entry = shown.into_iter().next();
        entry.ok_or_else(|| Error::not_found(proto::entry_name(self.place)))
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;

    use super::*;
    use crate::fixture;

    async fn get(app: &App, caller: &Caller, account: &str, name: &str) -> Result<Entry> {
        let read = GetEntry::try_from(GetEntryRequest {
            account: account.to_owned(),
            name: name.to_owned(),
            min_block: 0,
        })?;
        read.handle(app, caller).await
    }

    #[tokio::test]
    async fn each_side_of_a_transfer_has_an_entry_of_its_own() {
        let app = fixture::app().await;
        let (ann, bee) = (
            fixture::person(&app, 1, "DE").await,
            fixture::person(&app, 2, "FR").await,
        );
        fixture::pay(&app, 5, ann.as_str(), bee.as_str(), 10).await;
        let user = fixture::user(1);
        let sent = get(&app, &user, ann.as_str(), "entries/5-0-0-0").await;
        let sent = sent.unwrap();
        assert_eq!(
            (sent.name.as_str(), sent.delta_qirat),
            ("entries/5-0-0-0", -10)
        );
        assert_eq!(sent.counterparty.unwrap().country, "FR");
        let received = get(&app, &fixture::user(2), bee.as_str(), "entries/5-0-0-1").await;
        assert_eq!(received.unwrap().delta_qirat, 10);
    }

    #[tokio::test]
    async fn what_is_not_there_and_what_is_a_stranger_s_are_not_found() {
        let app = fixture::app().await;
        let (ann, bee) = (
            fixture::person(&app, 1, "DE").await,
            fixture::person(&app, 2, "FR").await,
        );
        fixture::pay(&app, 5, ann.as_str(), bee.as_str(), 10).await;
        for (user, account, place) in [
            (1, &ann, "5-0-0-1"),
            (1, &ann, "6-0-0-0"),
            (2, &ann, "5-0-0-0"),
        ] {
            let name = format!("entries/{place}");
            let told = get(&app, &fixture::user(user), account.as_str(), &name).await;
            assert_eq!(
                told.unwrap_err().reason(),
                Reason::NotFound,
                "{user} {place}"
            );
        }
        let overseen = get(&app, &fixture::auditor(), ann.as_str(), "entries/5-0-0-0").await;
        assert!(overseen.is_ok());
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let error = GetEntry::try_from(GetEntryRequest::default()).unwrap_err();
        assert_eq!(fixture::violated(error), ["account", "name"]);
    }
}
