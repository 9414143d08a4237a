//! `WatchWallet`: a wallet as it is now, and each change of it with the entries that it
//! came from. Entries are read by their place on the chain, which never changes, so a
//! place is all that a stream is remembered by; a step reads one page, at one moment of
//! the database, and only once the client has room for it.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use gx_proto::gx::wallet::v1::{Entry, Wallet, WatchWalletRequest, WatchWalletResponse};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use super::{
    Api,
    entity::{entry, wallet},
    news::News,
    position::Position,
    proto, query,
};
use crate::{
    app::App,
    auth::{Caller, Context},
    directory::AccountName,
    error::{Error, Result, Violations},
    watch::{Sent, Watch, apart, sent},
};

/// How long a stream says nothing at most.
const QUIET: Duration = Duration::from_secs(10);
/// Most entries of one message.
const ENTRIES_MAX: usize = 200;

/// A wallet to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WatchWallet {
    account: AccountName,
    /// Where to go on; `None` begins with the wallet as it is.
    position: Option<Position>,
}

impl TryFrom<WatchWalletRequest> for WatchWallet {
    type Error = Error;

    fn try_from(message: WatchWalletRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let account = violations.take("account", AccountName::parse(&message.account));
        let position = violations.take("position", parse_position(&message.position));
        let both = account.zip(position);
        violations.finish(both.map(|(account, position)| Self { account, position }))
    }
}

fn parse_position(text: &str) -> Result<Option<Position>, &'static str> {
    match text {
        "" => Ok(None),
        text => match Position::parse(text) {
            Some(position) => Ok(Some(position)),
            None => Err("must be the position of a message, or the number of a block"),
        },
    }
}

impl WatchWallet {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        format!("wallets/{}", self.account.as_str())
    }

    pub(super) async fn handle(
        self,
        api: &Api,
        caller: &Caller,
        context: &Context,
    ) -> Result<Sent<WatchWalletResponse>> {
        let watching = self.open(api, caller, context).await?;
        Ok(sent(watching, Watching::step))
    }

    async fn open(self, api: &Api, caller: &Caller, context: &Context) -> Result<Watching> {
        let app = &api.app;
        // A stranger's wallet is refused with the call, not with its first message.
        wallet::Entity::readable(app.store.read(), caller, &self.account).await?;
        Ok(Watching {
            watch: Watch::open(app, caller, context)?,
            // Before reading, so that no change after it is missed.
            news: api.news.subscribe(app, self.account.to_string()),
            known: None,
            reader: Reader {
                app: app.clone(),
                reads: api.reads.clone(),
                caller: caller.clone(),
                account: self.account,
            },
            position: self.position,
            as_of_block: 0,
            shown: None,
            is_unread: true,
            quiet_until: Instant::now() + QUIET,
        })
    }
}

/// A watched wallet.
struct Watching {
    watch: Watch,
    news: watch::Receiver<Option<News>>,
    /// What was posted before the last look.
    known: Option<News>,
    reader: Reader,
    /// Every entry up to it was sent.
    position: Option<Position>,
    /// The block of the last look.
    as_of_block: u64,
    /// The wallet that was sent last.
    shown: Option<Wallet>,
    /// Whether there may be something that was not read.
    is_unread: bool,
    quiet_until: Instant,
}

impl Watching {
    /// The next thing to send.
    async fn step(mut self) -> Result<Option<(WatchWalletResponse, Self)>> {
        loop {
            self.watch.check()?;
            if self.is_unread {
                self.known = *self.news.borrow_and_update();
                let page = self.reader.page(self.position).await?;
                if let Some(response) = self.take(page)? {
                    return Ok(Some((response, self.told())));
                }
            }
            let until = self.quiet_until;
            self.watch.posted(&mut self.news, until).await?;
            self.is_unread = *self.news.borrow() != self.known;
            if !self.is_unread {
                return Ok(Some((self.message(None, Vec::new()), self.told())));
            }
        }
    }

    /// What a page has to tell, if anything; nothing where the database went back and
    /// has not reached the position again.
    fn take(&mut self, page: Page) -> Result<Option<WatchWalletResponse>> {
        self.is_unread = page.last.is_some();
        self.as_of_block = page.as_of_block;
        let end = Position::end_of(i64::try_from(page.as_of_block).context("a block")?);
        if self.position.is_some_and(|position| end < position) {
            return Ok(None);
        }
        self.position = Some(page.last.unwrap_or(end));
        let changed = !page.entries.is_empty() || self.shown.as_ref() != Some(&page.wallet);
        if page.last.is_some() {
            return Ok(Some(self.message(None, page.entries)));
        }
        self.shown = Some(page.wallet.clone());
        Ok(changed.then(|| self.message(Some(page.wallet), page.entries)))
    }

    fn message(&self, wallet: Option<Wallet>, entries: Vec<Entry>) -> WatchWalletResponse {
        let position = self.position.map(|position| position.to_string());
        WatchWalletResponse {
            wallet,
            entries,
            position: position.unwrap_or_default(),
            as_of_block: self.as_of_block,
        }
    }

    fn told(mut self) -> Self {
        self.quiet_until = Instant::now() + QUIET;
        self
    }
}

/// Reads a wallet for whoever may see it.
#[derive(Clone)]
struct Reader {
    app: App,
    reads: Arc<Semaphore>,
    caller: Caller,
    account: AccountName,
}

/// One moment of a wallet, and the entries behind a position.
struct Page {
    wallet: Wallet,
    entries: Vec<Entry>,
    /// Where the page ends before the entries do.
    last: Option<Position>,
    as_of_block: u64,
}

impl Reader {
    async fn page(&self, after: Option<Position>) -> Result<Page> {
        let reader = self.clone();
        apart(async move {
            let _place = reader.reads.acquire().await.context("reads go on")?;
            reader.read(after).await
        })
        .await
    }

    async fn read(&self, after: Option<Position>) -> Result<Page> {
        let moment = query::latest_of(&self.app, &self.account).await?;
        let wallet = wallet::Entity::readable(&moment.tx, &self.caller, &self.account).await?;
        let mut rows = match after {
            Some(position) => {
                let limit = ENTRIES_MAX as u64 + 1;
                let entries = entry::Entity::after(&wallet, position.place(), limit);
                query::rows(&moment.tx, entries).await?
            }
            None => Vec::new(),
        };
        let is_whole = rows.len() <= ENTRIES_MAX;
        rows.truncate(ENTRIES_MAX);
        let last = rows.last().filter(|_| !is_whole);
        Ok(Page {
            last: last.map(|(entry, _)| Position::behind(entry.place())),
            entries: query::show(&moment.tx, &self.caller, rows).await?,
            wallet: proto::wallet(wallet)?,
            as_of_block: moment.as_of_block,
        })
    }
}

#[cfg(test)]
mod tests;
