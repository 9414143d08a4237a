//! `ListEntries`: the history of one wallet, newest first.

use std::collections::HashMap;

use gx_proto::gx::wallet::v1::{Entry, ListEntriesRequest, ListEntriesResponse};

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
    directory::{self, AccountName, Listing},
    error::{Error, Result, Violations},
    outbox::entity::operation,
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
    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<ListEntriesResponse> {
        let moment = query::moment_of(app, &self.account, self.min_block).await?;
        let wallet = wallet::Entity::readable(&moment.tx, caller, &self.account).await?;
        let mut rows = entry::Entity::of(&wallet, self.page.after, self.page.limit())
            .find_also_related(operation::Entity)
            .all(&moment.tx)
            .await?;
        let next_page_token = self.page.cut(&mut rows, |(entry, _)| entry.place())?;
        let others = rows.iter().map(|(entry, _)| entry.counterparty.as_str());
        let others = directory::lookup(&moment.tx, others).await?;
        let owner = caller.user.owner();
        let entries = rows.into_iter().map(|row| show(row, &owner, &others));
        Ok(ListEntriesResponse {
            entries: entries.collect::<Result<_>>()?,
            next_page_token,
            as_of_block: moment.as_of_block,
        })
    }
}

fn show(
    (row, operation): (entry::Model, Option<operation::Model>),
    caller: &str,
    others: &HashMap<String, Listing>,
) -> Result<Entry> {
    let owner = operation
        .as_ref()
        .and_then(|operation| operation.owner.as_deref());
    let owned = owner == Some(caller);
    let other = Some(row.counterparty.as_str()).filter(|account| !account.is_empty());
    let counterparty = other.map(|account| proto::counterparty(account, others.get(account)));
    proto::entry(row, operation.as_ref(), owned, counterparty)
}
