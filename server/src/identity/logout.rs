//! Ends the session that calls.

use gx_proto::gx::identity::v1::LogoutResponse;

use super::names;
use crate::{
    app::App,
    audit::{self, Entry},
    auth::{Caller, Context, session},
    error::Result,
};

pub(super) async fn handle(
    app: &App,
    caller: &Caller,
    context: &Context,
) -> Result<LogoutResponse> {
    let now_ms = app.clock.now_ms();
    let name = names::name(names::SESSIONS, caller.session);
    let entry = Entry::of_call(context, Some(caller.user), name);
    let tx = app.store.begin().await?;
    session::revoke_in(&tx, now_ms, caller.session).await?;
    audit::record_in(&tx, now_ms, vec![entry]).await?;
    tx.commit().await?;
    Ok(LogoutResponse {})
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD, reason};

    #[tokio::test]
    async fn whoever_logs_out_is_out_and_nobody_else() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let other = harness.login(CONTACT, PASSWORD).await.unwrap();
        let own = harness.login(CONTACT, PASSWORD).await.unwrap();
        let caller = harness.caller(&own.access_token).await.unwrap();
        let answer = handle(&harness.app, &caller, &harness.context).await;
        assert!(answer.is_ok());
        let ended = harness.caller(&own.access_token).await;
        assert_eq!(reason(ended), Some(Reason::SessionRevoked));
        let ended = harness.refresh(&own.refresh_token).await;
        assert_eq!(reason(ended), Some(Reason::SessionRevoked));
        assert!(harness.caller(&other.access_token).await.is_ok());
        assert!(harness.refresh(&other.refresh_token).await.is_ok());
    }
}
