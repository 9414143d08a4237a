//! Proves a registration's contact by its one-time code.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{VerifyContactRequest, VerifyContactResponse},
};
use sea_orm::{DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*};
use secrecy::SecretString;

use super::{codes, conclude::conclude, entity::registration};
use crate::{
    app::App,
    audit,
    auth::Context,
    clock::timestamp,
    error::{Error, Result, Violations},
    store::Lock,
};

/// Wrong tries that use a registration up.
pub(super) const TRIES_MAX: i32 = 5;

/// A code that came back.
#[derive(Debug)]
pub(super) struct VerifyContact {
    token: SecretString,
    code: SecretString,
}

impl TryFrom<VerifyContactRequest> for VerifyContact {
    type Error = Error;

    fn try_from(message: VerifyContactRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let token = violations.take("registration_token", token(message.registration_token));
        let code = violations.take("code", code(message.code));
        violations.finish(token.zip(code).map(|(token, code)| Self { token, code }))
    }
}

/// Any text that may be a token; whether it is one shows in the database.
pub(super) fn token(text: String) -> Result<SecretString, &'static str> {
    match text.len() {
        0 => Err("is required"),
        1..=100 => Ok(text.into()),
        _ => Err("is no registration token"),
    }
}

fn code(text: String) -> Result<SecretString, &'static str> {
    if text.len() == codes::DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.into())
    } else {
        Err("must be six digits")
    }
}

/// The refusal of codes and tokens, which does not say what is wrong with them.
pub(super) fn code_wrong() -> Error {
    Error::rejected(
        Reason::CodeWrong,
        "the code is wrong or used up, or the registration is not known",
    )
}

impl VerifyContact {
    pub(super) async fn handle(
        self,
        app: &App,
        context: &Context,
    ) -> Result<VerifyContactResponse> {
        let now_ms = app.clock.now_ms();
        let tx = app.store.begin().await?;
        let outcome = self.verify_in(&tx, app, now_ms).await?;
        let entry = audit::Entry::of_call(context, None, "");
        let expire_ms = conclude(tx, now_ms, entry, outcome).await?;
        Ok(VerifyContactResponse {
            expire_time: Some(timestamp(expire_ms)),
        })
    }

    /// When the registration ends, or the refusal. A right code is right again, in
    /// case the answer was lost.
    async fn verify_in(
        &self,
        tx: &DatabaseTransaction,
        app: &App,
        now_ms: i64,
    ) -> Result<Result<i64>> {
        let token = codes::hash_token(&app.secrets, &self.token);
        let find = registration::holding(&token, now_ms).for_update();
        let Some(row) = find.one(tx).await? else {
            return Ok(Err(code_wrong()));
        };
        let code = codes::hash_code(&app.secrets, &token, &self.code);
        let right = codes::same(&row.code_hash, &code)
            && row.tries < TRIES_MAX
            && now_ms < row.code_expire_ms;
        let (tries, expire_ms) = (row.tries, row.expire_ms);
        let mut row = row.into_active_model();
        if right {
            row.verified = Set(true);
        } else {
            row.tries = Set(tries.saturating_add(1));
        }
        row.update(tx).await?;
        Ok(right.then_some(expire_ms).ok_or_else(code_wrong))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::harness::{CONTACT, Harness, reason, violations};

    async fn verify(harness: &Harness, token: &str, code: &str) -> Result<VerifyContactResponse> {
        VerifyContact::try_from(VerifyContactRequest {
            registration_token: token.to_owned(),
            code: code.to_owned(),
        })?
        .handle(&harness.app, &harness.context)
        .await
    }

    fn wrong(code: &str) -> String {
        let number: u32 = code.parse().unwrap();
        format!("{:06}", (number + 1) % 1_000_000)
    }

    #[tokio::test]
    async fn the_right_code_proves_the_contact_and_may_be_sent_again() {
        let harness = Harness::new().await;
        let token = harness.start(CONTACT).await;
        let code = harness.last_code();
        let first = verify(&harness, &token, &code).await.unwrap();
        assert_eq!(verify(&harness, &token, &code).await.unwrap(), first);
    }

    #[tokio::test]
    async fn five_wrong_codes_use_the_right_one_up() {
        let harness = Harness::new().await;
        let token = harness.start(CONTACT).await;
        let code = harness.last_code();
        for _ in 0..TRIES_MAX {
            let answer = verify(&harness, &token, &wrong(&code)).await;
            assert_eq!(reason(answer), Some(Reason::CodeWrong));
        }
        let answer = verify(&harness, &token, &code).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn four_wrong_codes_do_not() {
        let harness = Harness::new().await;
        let token = harness.start(CONTACT).await;
        let code = harness.last_code();
        for _ in 1..TRIES_MAX {
            let answer = verify(&harness, &token, &wrong(&code)).await;
            assert_eq!(reason(answer), Some(Reason::CodeWrong));
        }
        assert_eq!(reason(verify(&harness, &token, &code).await), None);
    }

    #[tokio::test]
    async fn a_code_ends_after_ten_minutes() {
        let harness = Harness::new().await;
        let token = harness.start(CONTACT).await;
        let code = harness.last_code();
        harness.clock.advance_ms(10 * 60 * 1_000);
        let answer = verify(&harness, &token, &code).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn a_code_is_worth_nothing_for_another_registration() {
        let harness = Harness::new().await;
        let first = harness.start(CONTACT).await;
        let code = harness.last_code();
        let second = harness.start(CONTACT).await;
        assert_ne!(first, second);
        if code != harness.last_code() {
            let answer = verify(&harness, &second, &code).await;
            assert_eq!(reason(answer), Some(Reason::CodeWrong));
        }
        let answer = verify(&harness, "unknown", &code).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        for code in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            let error = verify(&harness, "", code).await.unwrap_err();
            assert_eq!(violations(error), ["registration_token", "code"]);
        }
    }
}
