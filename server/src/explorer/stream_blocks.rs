//! `StreamBlocks`: blocks in their order, as their reader may see them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::Context as _;
use gx_proto::gx::{
    ledger::v1::{StreamBlocksRequest, StreamBlocksResponse},
    operation::v1::OperationType,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

use super::{
    Api, query,
    sight::{Filter, Sight},
    tail::Tail,
    whole::{Whole, parts},
};
use crate::{
    app::App,
    auth::{Caller, Context},
    checkpoint,
    directory::AccountName,
    error::{Error, Result, Violations},
    watch::{Sent, Watch, apart, sent},
};

/// How long a stream says nothing at most.
const QUIET: Duration = Duration::from_secs(10);
/// How many blocks without a match a stream passes over, and then says so; the rest
/// of the page is still looked at.
const PASSED_MAX: u64 = 950;
/// Most kinds that a filter names.
const TYPES_MAX: usize = 32;

/// Blocks to stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamBlocks {
    from: u64,
    filter: Filter,
}

impl TryFrom<StreamBlocksRequest> for StreamBlocks {
    type Error = Error;

    fn try_from(message: StreamBlocksRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let from = i64::try_from(message.from_block).map(|_| message.from_block);
        let from = from.map_err(|_| "must be 0 to 9223372036854775807");
        let from = violations.take("from_block", from);
        let account = violations.take("account", parse_account(&message.account));
        let types = violations.take("types", parse_types(&message.types));
        let stream = || {
            Some(Self {
                from: from?,
                filter: Filter {
                    account: account?,
                    types: types?,
                },
            })
        };
        violations.finish(stream())
    }
}

fn parse_account(account: &str) -> Result<Option<String>, &'static str> {
    if account.is_empty() {
        return Ok(None);
    }
    AccountName::parse(account).map(|name| Some(name.to_string()))
}

fn parse_types(types: &[i32]) -> Result<Vec<OperationType>, &'static str> {
    if types.len() > TYPES_MAX {
        return Err("must be at most 32 kinds");
    }
    let kind = |number: &i32| OperationType::try_from(*number).ok();
    let kinds = types.iter().map(kind).collect::<Option<_>>();
    kinds.ok_or("must be kinds of operations")
}

impl StreamBlocks {
    pub(super) async fn handle(
        self,
        api: &Api,
        caller: &Caller,
        context: &Context,
    ) -> Result<Sent<StreamBlocksResponse>> {
        let app = &api.app;
        let watch = Watch::open(app, caller, context)?;
        let tail = api.ending.subscribe(app, ());
        let following = Following {
            // After subscribing, so that no block is missed between the two.
            end: checkpoint::applied(app.store.read()).await?,
            app: app.clone(),
            reads: api.reads.clone(),
            sight: Sight::of(caller),
            filter: self.filter,
            next: self.from,
            passed: 0,
            ready: VecDeque::new(),
            quiet_until: Instant::now() + QUIET,
            watch,
            tail,
        };
        Ok(sent(following, Following::step))
    }
}

/// A stream of blocks under way.
struct Following {
    app: App,
    watch: Watch,
    tail: watch::Receiver<Option<Arc<Tail>>>,
    reads: Arc<Semaphore>,
    sight: Sight,
    filter: Filter,
    /// How many blocks may be shown.
    end: u64,
    /// The next block to look at.
    next: u64,
    /// Blocks that were looked at since something was sent.
    passed: u64,
    /// What is found and not sent: of one page at most.
    ready: VecDeque<StreamBlocksResponse>,
    quiet_until: Instant,
}

impl Following {
    /// The next thing to send.
    async fn step(mut self) -> Result<Option<(StreamBlocksResponse, Self)>> {
        loop {
            self.watch.check()?;
            if let Some(response) = self.ready.pop_front() {
                return Ok(Some((response, self.told())));
            }
            let found = self.found().await?;
            if found.is_empty() {
                let until = self.quiet_until;
                self.watch.posted(&mut self.tail, until).await?;
            }
            for whole in found {
                self.look_at(&whole);
            }
            let quiet = self.passed > PASSED_MAX || Instant::now() >= self.quiet_until;
            if quiet && self.ready.is_empty() {
                self.tell_progress();
            }
        }
    }

    /// The next blocks: one of the last, read for everybody, or a page of older ones.
    async fn found(&mut self) -> Result<Vec<Arc<Whole>>> {
        if let Some(tail) = &*self.tail.borrow_and_update() {
            self.end = self.end.max(tail.end);
            if let Some(whole) = tail.get(self.next) {
                return Ok(vec![whole.clone()]);
            }
        }
        if self.next >= self.end {
            return Ok(Vec::new());
        }
        let (app, reads) = (self.app.clone(), self.reads.clone());
        let (from, end) = (self.next, self.end);
        let page = apart(async move {
            let _place = reads.acquire().await.context("reads go on")?;
            query::page(app.store.read(), from, end).await
        });
        Ok(page.await?.into_iter().map(Arc::new).collect())
    }

    fn look_at(&mut self, whole: &Whole) {
        let view = whole.view(self.sight, &self.filter);
        self.next = whole.block.number + 1;
        self.passed = if view.is_some() { 0 } else { self.passed + 1 };
        let parts = view.map(parts).unwrap_or_default();
        let last = parts.len().saturating_sub(1);
        let parts = parts.into_iter().enumerate();
        self.ready
            .extend(parts.map(|(place, block)| StreamBlocksResponse {
                next_block: block.number + u64::from(place == last),
                block: Some(block),
            }));
    }

    fn tell_progress(&mut self) {
        self.passed = 0;
        self.ready.push_back(StreamBlocksResponse {
            block: None,
            next_block: self.next,
        });
    }

    fn told(mut self) -> Self {
        self.quiet_until = Instant::now() + QUIET;
        self
    }
}
