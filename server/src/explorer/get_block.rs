//! `GetBlock`: one block as its reader may see it.

use gx_proto::gx::ledger::v1::{GetBlockRequest, GetBlockResponse};
use sea_orm::EntityTrait;

use super::{
    entity::block,
    proto::block_name,
    query,
    sight::{Filter, Sight},
};
use crate::{
    app::App,
    auth::Caller,
    checkpoint,
    error::{Error, Result, Violations},
    moment::Moment,
};

/// A block to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GetBlock {
    number: u64,
    min_block: u64,
}

impl TryFrom<GetBlockRequest> for GetBlock {
    type Error = Error;

    fn try_from(message: GetBlockRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let number = violations.take("name", parse_name(&message.name));
        violations.finish(number.map(|number| Self {
            number,
            min_block: message.min_block,
        }))
    }
}

impl GetBlock {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        block_name(self.number)
    }

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<GetBlockResponse> {
        let moment = Moment::of_all(app, self.min_block).await?;
        let shown = self.number < checkpoint::applied(&moment.tx).await?;
        let number = i64::try_from(self.number).ok().filter(|_| shown);
        let row = match number {
            Some(number) => block::Entity::find_by_id(number).one(&moment.tx).await?,
            None => None,
        };
        let row = row.ok_or_else(|| Error::not_found(self.subject()))?;
        let whole = query::whole(&moment.tx, vec![row]).await?.pop();
        Ok(GetBlockResponse {
            block: whole.and_then(|whole| whole.view(Sight::of(caller), &Filter::default())),
            as_of_block: moment.as_of_block,
        })
    }
}

fn parse_name(name: &str) -> Result<u64, &'static str> {
    name.strip_prefix("blocks/")
        .and_then(|digits| digits.parse().ok())
        // The one way to write it.
        .filter(|number| block_name(*number) == name)
        .ok_or("must be blocks/ and a number without leading zeros")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn block_has_one_name() {
        let parsed = |name: &str| {
            let message = GetBlockRequest {
                name: name.to_owned(),
                min_block: 0,
            };
            GetBlock::try_from(message)
        };
        for (name, number) in [("blocks/0", 0), ("blocks/18446744073709551615", u64::MAX)] {
            assert_eq!(parsed(name).unwrap().number, number);
        }
        for name in [
            "",
            "blocks/",
            "blocks/01",
            "blocks/+1",
            "blocks/-1",
            "block/1",
            "blocks/18446744073709551616",
        ] {
            assert_eq!(
                fixture::violated(parsed(name).unwrap_err()),
                ["name"],
                "{name}"
            );
        }
    }
}
