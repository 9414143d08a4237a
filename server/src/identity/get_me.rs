//! Reads the caller's own user.

use gx_proto::gx::identity::v1::GetMeResponse;

use super::entity::user;
use crate::{app::App, auth::Caller, error::Result};

pub(super) async fn handle(app: &App, caller: &Caller) -> Result<GetMeResponse> {
    let user = user::Entity::own(app.store.read(), caller).await?;
    Ok(GetMeResponse {
        user: Some(user.to_proto()),
    })
}
