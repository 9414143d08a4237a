//! `ListOperations`: the caller's own operations, newest first.
//!
//! No index knows states and kinds, since each operation changes its state twice while
//! it is under way: a filter is asked of so many operations and no more.

use std::collections::HashSet;

use gx_proto::gx::operation::v1::{
    ListOperationsRequest, ListOperationsResponse, OperationState, OperationType,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::query;
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result, Violations},
    outbox::entity::operation,
    page::Page,
};

/// Most states and kinds that a filter names.
const STATES_MAX: usize = 8;
const TYPES_MAX: usize = 32;
/// Most operations that one page with a filter looks at.
const LOOKED_AT_MAX: usize = 2_000;

/// When an operation was accepted, and its id.
type Place = (i64, Uuid);

/// Operations to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListOperations {
    states: Vec<OperationState>,
    types: Vec<OperationType>,
    page: Page<Place>,
}

impl TryFrom<ListOperationsRequest> for ListOperations {
    type Error = Error;

    fn try_from(message: ListOperationsRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let states = violations.take("states", parse_states(&message.states));
        let types = violations.take("types", parse_types(&message.types));
        let filter = format!("{:?} {:?}", message.states, message.types);
        let page = Page::parse(
            &mut violations,
            &[Self::SUBJECT, &filter],
            message.page_size,
            &message.page_token,
        );
        let list = || {
            Some(Self {
                states: states?,
                types: types?,
                page: page?,
            })
        };
        violations.finish(list())
    }
}

fn parse_states(numbers: &[i32]) -> Result<Vec<OperationState>, &'static str> {
    if numbers.len() > STATES_MAX {
        return Err("must be at most 8 states");
    }
    let known = |state: &OperationState| *state != OperationState::Unspecified;
    let state = |number: &i32| OperationState::try_from(*number).ok().filter(known);
    let states = numbers.iter().map(state).collect::<Option<_>>();
    states.ok_or("must be states of operations")
}

fn parse_types(numbers: &[i32]) -> Result<Vec<OperationType>, &'static str> {
    if numbers.len() > TYPES_MAX {
        return Err("must be at most 32 kinds");
    }
    let kind = |number: &i32| OperationType::try_from(*number).ok();
    let kinds = numbers.iter().map(kind).collect::<Option<_>>();
    kinds.ok_or("must be kinds of operations")
}

/// What decides whether an operation is listed.
#[derive(Debug)]
struct Slim {
    place: Place,
    state: i32,
    kind: i32,
    lane: String,
}

impl ListOperations {
    /// What it is about, for the audit log.
    pub(super) const SUBJECT: &str = "operations";

    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<ListOperationsResponse> {
        let tx = app.store.snapshot().await?;
        let holding = query::holding(&tx).await?;
        let seen = self.look(&tx, caller).await?;
        let unseen = seen.last().filter(|_| seen.len() == self.looks_at());
        let behind = unseen.map(|last| self.page.behind(last.place));
        let fits = seen.iter().filter(|slim| self.fits(slim, &holding));
        let limit = usize::try_from(self.page.limit()).unwrap_or(usize::MAX);
        let mut places: Vec<_> = fits.map(|slim| slim.place).take(limit).collect();
        let mut next_page_token = self.page.cut(&mut places, |place| *place)?;
        if next_page_token.is_empty() && self.is_filtered() {
            next_page_token = behind.transpose()?.unwrap_or_default();
        }
        let ids: Vec<_> = places.into_iter().map(|(_, id)| id).collect();
        Ok(ListOperationsResponse {
            operations: query::in_order(&tx, &ids).await?,
            next_page_token,
        })
    }

    fn is_filtered(&self) -> bool {
        !(self.states.is_empty() && self.types.is_empty())
    }

    fn looks_at(&self) -> usize {
        match self.is_filtered() {
            true => LOOKED_AT_MAX,
            false => usize::try_from(self.page.limit()).unwrap_or(LOOKED_AT_MAX),
        }
    }

    /// The next operations of the caller, whether they fit or not.
    async fn look(&self, db: &impl ConnectionTrait, caller: &Caller) -> Result<Vec<Slim>> {
        use operation::Column::{CreatedMs, Id, Kind, Lane, Owner, State};
        let mut own = operation::Entity::find()
            .select_only()
            .columns([Id, CreatedMs, State, Kind, Lane])
            .filter(Owner.eq(caller.user.owner()));
        if let Some((created_ms, id)) = self.page.after {
            let columns = [CreatedMs, Id].map(|column| Expr::col((operation::Entity, column)));
            let place = [Expr::value(created_ms), Expr::value(id)];
            own = own.filter(Expr::tuple(columns).lt(Expr::tuple(place)));
        }
        let own = own
            .order_by_desc(CreatedMs)
            .order_by_desc(Id)
            .limit(self.looks_at() as u64)
            .into_tuple();
        let rows: Vec<(Uuid, i64, i32, i32, String)> = own.all(db).await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, created_ms, state, kind, lane)| Slim {
                place: (created_ms, id),
                state,
                kind,
                lane,
            })
            .collect())
    }

    fn fits(&self, slim: &Slim, holding: &HashSet<String>) -> bool {
        let stalled = !query::is_final(slim.state) && holding.contains(&slim.lane);
        let state = match stalled {
            true => OperationState::Stalled,
            false => OperationState::try_from(slim.state).unwrap_or_default(),
        };
        let kind = OperationType::try_from(slim.kind).unwrap_or_default();
        (self.states.is_empty() || self.states.contains(&state))
            && (self.types.is_empty() || self.types.contains(&kind))
    }
}

#[cfg(test)]
mod tests;
