//! `ListEntries`: the history of one wallet, newest first.

use gx_proto::gx::wallet::v1::{ListEntriesRequest, ListEntriesResponse};

use super::{
    entity::{
        entry::{self, Place},
        wallet,
    },
    query,
};
use crate::{
    app::App,
    auth::Caller,
    directory::AccountName,
    error::{Error, Result, Violations},
    page::Page,
};

/// Entries to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListEntries {
    account: AccountName,
    page: Page<Place>,
    min_block: u64,
}

impl TryFrom<ListEntriesRequest> for ListEntries {
    type Error = Error;

    fn try_from(message: ListEntriesRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", AccountName::parse(&message.account));
        let page = Page::parse(
            &mut violations,
            &["entries", &message.account],
            message.page_size,
            &message.page_token,
        );
        let list = || {
            Some(Self {
                account: account?,
                page: page?,
                min_block: message.min_block,
            })
        };
        violations.finish(list())
    }
}

impl ListEntries {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account.as_str())
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<ListEntriesResponse> {
        let moment = query::moment_of(app, &self.account, self.min_block).await?;
        let wallet = wallet::Entity::readable(&moment.tx, caller, &self.account).await?;
        let entries = entry::Entity::of(&wallet, self.page.after, self.page.limit());
        let mut rows = query::rows(&moment.tx, entries).await?;
        let next_page_token = self.page.cut(&mut rows, |(entry, _)| entry.place())?;
        Ok(ListEntriesResponse {
            entries: query::show(&moment.tx, caller, rows).await?,
            next_page_token,
            as_of_block: moment.as_of_block,
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::operation::v1::OperationState;
    use uuid::Uuid;

    use super::*;
    use crate::{fixture, outbox::entity::operation};

    fn list(account: &str, page_size: u32, page_token: &str) -> Result<ListEntries> {
        ListEntries::try_from(ListEntriesRequest {
            account: account.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
            min_block: 0,
        })
    }

    /// The record of what the fixture posts in a block.
    async fn record(app: &App, block: u64, owner: &Caller, memo: &str) {
        let id = Uuid::from_u128(block.into());
        let row = fixture::transfer(id, owner, OperationState::Succeeded);
        let memo = Some(memo.to_owned());
        fixture::record(app, operation::Model { memo, ..row }).await;
    }

    #[tokio::test]
    async fn pages_are_complete_while_entries_come_in() {
        let app = fixture::app().await;
        let (ann, bee) = (
            fixture::person(&app, 1, "DE").await,
            fixture::person(&app, 2, "DE").await,
        );
        for block in 1..=7 {
            // Two entries of the wallet in one command, so that pages end within one.
            let postings = [1, 2]
                .map(|place| fixture::posting(block, place, ann.as_str(), block, bee.as_str()));
            fixture::post(&app, &postings).await;
        }
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(ann.as_str(), 3, &token).unwrap();
            let page = page.handle(&app, &fixture::user(1)).await.unwrap();
            seen.extend(page.entries);
            fixture::pay(&app, 100 + seen.len() as i64, bee.as_str(), ann.as_str(), 1).await;
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let names: Vec<_> = seen.iter().map(|entry| entry.name.clone()).collect();
        let expected: Vec<_> = (1..=7)
            .rev()
            .flat_map(|block| [2, 1].map(|place| format!("entries/{block}-0-0-{place}")))
            .collect();
        assert_eq!(names, expected);
        assert_eq!(
            seen.iter().map(|entry| entry.delta_qirat).sum::<i64>(),
            2 * 28
        );
    }

    #[tokio::test]
    async fn reference_is_for_both_sides_and_the_operation_for_its_owner() {
        let app = fixture::app().await;
        let (ann, bee) = (
            fixture::person(&app, 1, "DE").await,
            fixture::person(&app, 2, "FR").await,
        );
        fixture::pay(&app, 5, ann.as_str(), bee.as_str(), 10).await;
        record(&app, 5, &fixture::user(1), "rent").await;
        let entry = |account: String, caller| {
            let app = app.clone();
            async move {
                let page = list(&account, 0, "")
                    .unwrap()
                    .handle(&app, &caller)
                    .await
                    .unwrap();
                page.entries.into_iter().next().unwrap()
            }
        };
        let sent = entry(ann.to_string(), fixture::user(1)).await;
        assert_eq!(sent.operation, format!("operations/{:032x}", 5));
        assert_eq!(
            (sent.reference.as_str(), sent.delta_qirat, sent.block),
            ("rent", -10, 5)
        );
        let other = sent.counterparty.unwrap();
        assert_eq!(
            (other.masked_name.as_str(), other.country.as_str()),
            ("A*** B***", "FR")
        );

        let received = entry(bee.to_string(), fixture::user(2)).await;
        assert_eq!(
            (received.operation.as_str(), received.reference.as_str()),
            ("", "rent")
        );
        let overseen = entry(ann.to_string(), fixture::auditor()).await;
        assert_eq!(overseen.operation, "");
    }

    #[tokio::test]
    async fn strangers_entries_look_like_none() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        for account in [ann, fixture::account(2)] {
            let error = list(account.as_str(), 0, "")
                .unwrap()
                .handle(&app, &fixture::user(2))
                .await;
            let expected = Error::not_found(format!("wallets/{account}"));
            assert_eq!(error.unwrap_err().to_string(), expected.to_string());
        }
    }

    #[tokio::test]
    async fn token_of_another_wallet_is_refused() {
        let app = fixture::app().await;
        let ann = fixture::person(&app, 1, "DE").await;
        let postings = [1, 2].map(|place| fixture::posting(1, place, ann.as_str(), 1, ""));
        fixture::post(&app, &postings).await;
        let page = list(ann.as_str(), 1, "")
            .unwrap()
            .handle(&app, &fixture::user(1))
            .await
            .unwrap();
        let error = list(fixture::account(2).as_str(), 1, &page.next_page_token).unwrap_err();
        assert_eq!(fixture::violated(error), ["page_token"]);
    }

    #[test]
    fn all_violations_are_told_at_once() {
        let error = list("GX-nobody", 201, "forged").unwrap_err();
        assert_eq!(
            fixture::violated(error),
            ["account", "page_size", "page_token"]
        );
    }
}
