//! Reads the caller's own user.

use gx_proto::gx::identity::v1::{GetMeRequest, GetMeResponse};

use super::entity::user;
use crate::{app::App, auth::Caller, checkpoint, error::Result};

/// A person becomes ACTIVE with the account's row, which another partition may
/// write than the one that settles the approval; so a caller may wait for a block.
pub(super) async fn handle(
    app: &App,
    caller: &Caller,
    message: &GetMeRequest,
) -> Result<GetMeResponse> {
    if message.min_block > 0 {
        checkpoint::reach(app, None, message.min_block).await?;
    }
    let user = user::Entity::own(app.store.read(), caller).await?;
    Ok(GetMeResponse {
        user: Some(user.to_proto()),
    })
}
