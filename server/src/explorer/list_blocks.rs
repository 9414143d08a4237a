//! `ListBlocks`: blocks without their transactions, newest first.

use gx_proto::gx::ledger::v1::{ListBlocksRequest, ListBlocksResponse};

use super::{entity::block, proto};
use crate::{
    app::App,
    checkpoint,
    error::{Error, Result, Violations},
    moment::Moment,
    page::Page,
};

/// Blocks to list; a block's place is its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListBlocks {
    page: Page<i64>,
    min_block: u64,
}

impl TryFrom<ListBlocksRequest> for ListBlocks {
    type Error = Error;

    fn try_from(message: ListBlocksRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let (size, token) = (message.page_size, &message.page_token);
        let page = Page::parse(&mut violations, &["blocks"], size, token);
        violations.finish(page.map(|page| Self {
            page,
            min_block: message.min_block,
        }))
    }
}

impl ListBlocks {
    pub(super) async fn handle(self, app: &App) -> Result<ListBlocksResponse> {
        let moment = Moment::of_all(app, self.min_block).await?;
        let end = checkpoint::applied(&moment.tx).await?;
        let end = i64::try_from(end).unwrap_or(i64::MAX);
        let end = self.page.after.map_or(end, |after| after.min(end));
        let rows = block::Entity::newest(end, self.page.limit());
        let mut rows = rows.all(&moment.tx).await?;
        let next_page_token = self.page.cut(&mut rows, |row| row.number)?;
        Ok(ListBlocksResponse {
            blocks: rows.into_iter().map(proto::block).collect::<Result<_>>()?,
            next_page_token,
            as_of_block: moment.as_of_block,
        })
    }
}
