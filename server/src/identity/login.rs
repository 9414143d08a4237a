//! Opens a session for whoever knows a contact and its password. Every path takes
//! exactly one password verification and decides after it, so neither time nor the
//! answer tells who exists.

use std::borrow::Cow;

use gx_proto::gx::identity::v1::{LoginRequest, LoginResponse};
use sea_orm::DatabaseTransaction;

use super::{attempts, conclude::conclude, contact::Contact, entity::user, names, person};
use crate::{
    app::App,
    audit::Entry,
    auth::{Context, Password, RefreshToken, session},
    clock::timestamp,
    error::{Error, Result, Violations},
    store::Lock,
};

/// Somebody who wants to sign in.
#[derive(Debug)]
pub(super) struct Login {
    contact: Contact,
    password: Password,
    label: String,
}

impl TryFrom<LoginRequest> for Login {
    type Error = Error;

    fn try_from(message: LoginRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let contact = violations.take("contact", Contact::known(&message.contact));
        let password = violations.take("password", person::password(&message.password));
        let label = violations.take("label", label(&message.label));
        let login = || {
            Some(Self {
                contact: contact?,
                password: password?,
                label: label?,
            })
        };
        violations.finish(login())
    }
}

/// What somebody calls a session; may be nothing.
fn label(text: &str) -> Result<String, Cow<'static, str>> {
    match text.trim() {
        "" => Ok(String::new()),
        text => person::name(text),
    }
}

impl Login {
    pub(super) async fn handle(self, app: &App, context: &Context) -> Result<LoginResponse> {
        let user = user::signing_in(&self.contact)
            .one(app.store.read())
            .await?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let right = app.passwords.verify(&self.password, hash).await?;

        let now_ms = app.clock.now_ms();
        let subject = user.as_ref().map(user::Model::name).unwrap_or_default();
        let proven = user.filter(|_| right);
        let tx = app.store.begin().await?;
        let outcome =
            match attempts::judge_in(&tx, app, now_ms, context.client, &self.contact, proven)
                .await?
            {
                Ok(user) => open_in(&tx, app, now_ms, user, self.label).await?,
                Err(refusal) => Err(refusal),
            };
        let entry = Entry::of_call(context, None, subject);
        let opened = conclude(tx, now_ms, entry, outcome).await?;
        Ok(opened.answer(app))
    }
}

/// A session with the token that is told once.
struct Opened {
    user: user::Model,
    session: session::Model,
    token: RefreshToken,
}

impl Opened {
    fn answer(&self, app: &App) -> LoginResponse {
        let session = &self.session;
        LoginResponse {
            access_token: app.auth.token(session),
            expire_time: Some(timestamp(session.expire_ms)),
            user: Some(self.user.to_proto()),
            refresh_token: self.token.write(&app.secrets),
            refresh_expire_time: Some(timestamp(session.end_ms())),
            session: names::name(names::SESSIONS, session.id),
        }
    }
}

/// Opens the session of a user who proved the password of this row.
async fn open_in(
    tx: &DatabaseTransaction,
    app: &App,
    now_ms: i64,
    proven: user::Model,
    label: String,
) -> Result<Result<Opened>> {
    // The password may have been changed while the old one was verified.
    let find = user::signing_in(&Contact::stored(&proven.contact)).for_share();
    let unchanged = |user: &user::Model| user.password_hash == proven.password_hash;
    let Some(user) = find.one(tx).await?.filter(unchanged) else {
        return Ok(Err(attempts::wrong()));
    };
    if user.may_not_log_in() {
        return Ok(Err(user.status_refusal()));
    }
    let ttl_s = app.config.token.ttl_s;
    let begun = session::Model {
        label: Some(label),
        ..session::Model::begun(now_ms, user.id(), &user.roles(), ttl_s)
    };
    let token = RefreshToken::first(begun.id);
    let session = begun.refreshed(now_ms, &app.config, token.hash(&app.secrets));
    let session = session::open_in(tx, now_ms, session).await?;
    Ok(Ok(Opened {
        user,
        session,
        token,
    }))
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::{
        common::v1::Reason,
        identity::v1::{Role, UserStatus},
    };
    use metrics_exporter_prometheus::PrometheusBuilder;
    use sea_orm::{EntityTrait, QueryOrder};

    use super::*;
    use crate::{
        audit::entity::line,
        identity::{
            entity::{login_failure, login_network},
            harness::{CONTACT, Harness, PASSWORD, reason, violations},
        },
    };

    const LOCK_MS: i64 = 900_000;

    async fn fail(harness: &Harness, contact: &str, times: usize) {
        for _ in 0..times {
            let answer = harness.login(contact, "a wrong password").await;
            assert_eq!(reason(answer), Some(Reason::CredentialsWrong));
        }
    }

    #[tokio::test]
    async fn the_token_names_the_user_with_the_roles_of_the_record() {
        let harness = Harness::new().await;
        let user = harness.register(CONTACT).await;
        let answer = harness
            .login(" Person@Example.org", PASSWORD)
            .await
            .unwrap();
        let caller = harness.caller(&answer.access_token).await.unwrap();
        assert_eq!(format!("users/{}", caller.user.0), user.name);
        assert_eq!(caller.roles, [Role::User]);
        assert_eq!(answer.user, Some(user));
    }

    #[tokio::test]
    async fn a_token_ends_after_fifteen_minutes() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let token = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
        harness.clock.advance_ms(899_999);
        assert!(harness.caller(&token).await.is_ok());
        harness.clock.advance_ms(1);
        let answer = harness.caller(&token).await;
        assert_eq!(reason(answer), Some(Reason::TokenExpired));
    }

    #[tokio::test]
    async fn ten_failures_lock_known_and_unknown_contacts_alike() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        for contact in [CONTACT, "nobody@example.org"] {
            fail(&harness, contact, 10).await;
            for password in [PASSWORD, "a wrong password"] {
                let error = harness.login(contact, password).await.unwrap_err();
                let Error::Rejected(rejected) = error else {
                    panic!("{error}")
                };
                assert_eq!(rejected.reason, Reason::LoginLocked);
                assert_eq!(rejected.retry_after.unwrap().as_millis(), 900_000);
            }
        }
        harness.clock.advance_ms(LOCK_MS);
        assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
        fail(&harness, "nobody@example.org", 1).await;
    }

    #[tokio::test]
    async fn a_stranger_s_failures_lock_nobody_else() {
        let mut harness = Harness::new().await;
        harness.register(CONTACT).await;
        harness.context.client = "198.51.100.7".parse().unwrap();
        fail(&harness, CONTACT, 10).await;
        let answer = harness.login(CONTACT, PASSWORD).await;
        assert_eq!(reason(answer), Some(Reason::LoginLocked));
        harness.context.client = "192.0.2.1".parse().unwrap();
        assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_remembered_of_logins_is_forgotten_in_time() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        harness.login(CONTACT, PASSWORD).await.unwrap();
        fail(&harness, "nobody@example.org", 1).await;
        for (days, networks) in [(2, 2), (90, 1)] {
            harness.clock.advance_ms(days * 24 * 60 * 60 * 1_000);
            fail(&harness, "another@example.org", 1).await;
            let db = harness.app.store.read();
            let rows = login_network::Entity::find().all(db).await.unwrap();
            assert_eq!(rows.len(), networks, "after {days} days");
            let rows = login_failure::Entity::find().all(db).await.unwrap();
            assert_eq!(rows.len(), 1, "after {days} days");
        }
    }

    #[tokio::test]
    async fn success_resets_the_count_of_failures() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        for _ in 0..2 {
            fail(&harness, CONTACT, 9).await;
            assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
        }
    }

    #[tokio::test]
    async fn guesses_made_at_once_learn_no_more_than_ten() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let guesses = (0..14).map(|_| harness.login(CONTACT, "a wrong password"));
        let answers = futures::future::join_all(guesses).await;
        let reasons: Vec<_> = answers.into_iter().filter_map(reason).collect();
        let told = |reason| reasons.iter().filter(|told| **told == reason).count();
        assert_eq!(told(Reason::CredentialsWrong), 10);
        assert_eq!(told(Reason::LoginLocked), 4);
    }

    /// The count is the metric's own.
    #[tokio::test]
    async fn every_path_takes_exactly_one_verification() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let rendered = recorder.handle();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        harness.register("suspended@example.org").await;
        let suspended = UserStatus::Suspended;
        harness.set_status("suspended@example.org", suspended).await;
        fail(&harness, "locked@example.org", 10).await;

        for (contact, password, told) in [
            (CONTACT, PASSWORD, None),
            (CONTACT, "a wrong password", Some(Reason::CredentialsWrong)),
            (
                "nobody@example.org",
                PASSWORD,
                Some(Reason::CredentialsWrong),
            ),
            ("locked@example.org", PASSWORD, Some(Reason::LoginLocked)),
            ("suspended@example.org", PASSWORD, Some(Reason::UserStatus)),
            (
                "suspended@example.org",
                "a wrong one",
                Some(Reason::CredentialsWrong),
            ),
        ] {
            let before = verifications(&rendered.render());
            assert_eq!(reason(harness.login(contact, password).await), told);
            let after = verifications(&rendered.render());
            assert_eq!(after - before, 1, "{contact} {password}");
        }
    }

    fn verifications(metrics: &str) -> u64 {
        metrics
            .lines()
            .find_map(|line| line.strip_prefix("gx_password_verifications_total "))
            .map_or(0, |count| count.parse().unwrap())
    }

    #[tokio::test]
    async fn who_may_log_in_follows_from_the_status() {
        use UserStatus::*;
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        for status in [
            Registered,
            PendingApproval,
            Approved,
            Active,
            Denied,
            Frozen,
        ] {
            harness.set_status(CONTACT, status).await;
            assert_eq!(reason(harness.login(CONTACT, PASSWORD).await), None);
        }
        for status in [Suspended, Closed] {
            harness.set_status(CONTACT, status).await;
            let answer = harness.login(CONTACT, PASSWORD).await;
            assert_eq!(reason(answer), Some(Reason::UserStatus));
        }
    }

    #[tokio::test]
    async fn every_decision_stands_in_the_audit_log() {
        let harness = Harness::new().await;
        let user = harness.register(CONTACT).await.name;
        let before = lines(&harness).await.len();
        assert!(harness.login(CONTACT, PASSWORD).await.is_ok());
        fail(&harness, CONTACT, 1).await;
        fail(&harness, "nobody@example.org", 1).await;
        let told: Vec<_> = lines(&harness).await.split_off(before);
        assert_eq!(
            told,
            [
                (user.clone(), "OK".to_owned()),
                (user, "CREDENTIALS_WRONG".to_owned()),
                (String::new(), "CREDENTIALS_WRONG".to_owned()),
            ]
        );
    }

    /// Subjects and outcomes in the order of writing.
    async fn lines(harness: &Harness) -> Vec<(String, String)> {
        let lines = line::Entity::find().order_by_asc(line::Column::Id);
        let lines = lines.all(harness.app.store.read()).await.unwrap();
        let lines = lines.into_iter();
        lines.map(|line| (line.subject, line.outcome)).collect()
    }

    #[tokio::test]
    async fn foreign_issuers_and_audiences_are_refused() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let token = harness.login(CONTACT, PASSWORD).await.unwrap().access_token;
        let (store, clock) = (harness.app.store.clone(), harness.app.clock.clone());
        for field in ["issuer", "audience"] {
            let mut config = harness.app.config.token.clone();
            match field {
                "issuer" => config.issuer = "another".to_owned(),
                _ => config.audience = "another".to_owned(),
            }
            let secrets = harness.app.secrets.clone();
            let other =
                crate::auth::Authenticator::new(store.clone(), clock.clone(), secrets, &config);
            let answer = other.caller(Some(&format!("Bearer {token}"))).await;
            assert_eq!(reason(answer), Some(Reason::TokenInvalid), "{field}");
        }
    }

    #[tokio::test]
    async fn a_header_that_carries_no_token_says_so() {
        let harness = Harness::new().await;
        for (header, told) in [
            (None, Reason::TokenMissing),
            (Some(""), Reason::TokenMissing),
            (Some("Basic cm9vdA=="), Reason::TokenInvalid),
            (Some("Bearer"), Reason::TokenInvalid),
            (Some("Bearer x.y.z"), Reason::TokenInvalid),
        ] {
            let answer = harness.app.auth.caller(header).await;
            assert_eq!(reason(answer), Some(told), "{header:?}");
        }
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        let error = harness.login(" ", "").await.unwrap_err();
        assert_eq!(violations(error), ["contact", "password"]);
    }
}
