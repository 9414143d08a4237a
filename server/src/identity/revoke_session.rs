//! Ends one of the caller's sessions.

use gx_proto::gx::identity::v1::{RevokeSessionRequest, RevokeSessionResponse};
use sea_orm::entity::prelude::*;

use super::names;
use crate::{
    app::App,
    audit::{self, Entry},
    auth::{Caller, Context, session},
    error::{Error, Result, Violations},
};

/// A session to end.
#[derive(Debug)]
pub(super) struct RevokeSession {
    session: Uuid,
}

impl TryFrom<RevokeSessionRequest> for RevokeSession {
    type Error = Error;

    fn try_from(message: RevokeSessionRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let session = violations.take("name", names::parse(names::SESSIONS, &message.name));
        violations.finish(session.map(|session| Self { session }))
    }
}

impl RevokeSession {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        names::name(names::SESSIONS, self.session)
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
        context: &Context,
    ) -> Result<RevokeSessionResponse> {
        let now_ms = app.clock.now_ms();
        let entry = Entry::of_call(context, Some(caller.user), self.subject());
        let tx = app.store.begin().await?;
        let own = session::Entity::own(caller, self.session).one(&tx).await?;
        let own = own.ok_or_else(|| Error::not_found(self.subject()))?;
        session::revoke_in(&tx, now_ms, own.id).await?;
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        tx.commit().await?;
        Ok(RevokeSessionResponse {})
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::common::v1::Reason;

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD, reason, violations};

    async fn revoke(harness: &Harness, caller: &Caller, name: &str) -> Result<()> {
        let message = RevokeSessionRequest {
            name: name.to_owned(),
        };
        let revoke = RevokeSession::try_from(message)?;
        let answer = revoke.handle(&harness.app, caller, &harness.context);
        answer.await.map(drop)
    }

    #[tokio::test]
    async fn an_own_session_ends_however_often_it_is_asked() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let lost = harness.login(CONTACT, PASSWORD).await.unwrap();
        let caller = harness.sign_in(CONTACT).await;
        for _ in 0..2 {
            revoke(&harness, &caller, &lost.session).await.unwrap();
            let answer = harness.caller(&lost.access_token).await;
            assert_eq!(reason(answer), Some(Reason::SessionRevoked));
            let answer = harness.refresh(&lost.refresh_token).await;
            assert_eq!(reason(answer), Some(Reason::SessionRevoked));
        }
        let own = names::name(names::SESSIONS, caller.session);
        revoke(&harness, &caller, &own).await.unwrap();
    }

    #[tokio::test]
    async fn another_s_session_is_not_found_and_goes_on() {
        let harness = Harness::new().await;
        let caller = harness.applicant(CONTACT).await;
        harness.register("other@example.org").await;
        let other = harness.login("other@example.org", PASSWORD).await.unwrap();
        for name in [other.session, format!("sessions/{}", Uuid::nil())] {
            let answer = revoke(&harness, &caller, &name).await;
            assert_eq!(reason(answer), Some(Reason::NotFound));
        }
        assert!(harness.caller(&other.access_token).await.is_ok());
    }

    #[tokio::test]
    async fn a_name_of_no_session_is_told() {
        let harness = Harness::new().await;
        let caller = harness.applicant(CONTACT).await;
        for name in [
            "",
            "sessions/1",
            "users/00000000-0000-0000-0000-000000000000",
        ] {
            let error = revoke(&harness, &caller, name).await.unwrap_err();
            assert_eq!(violations(error), ["name"]);
        }
    }
}
