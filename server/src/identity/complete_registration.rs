//! Makes the user of a registration whose contact is proven.

use gx_proto::gx::{
    common::v1::Reason,
    identity::v1::{CompleteRegistrationRequest, CompleteRegistrationResponse, Role, UserStatus},
};
use sea_orm::{
    DatabaseTransaction, IntoActiveModel, Set, entity::prelude::*, sea_query::OnConflict,
};
use secrecy::SecretString;
use time::Date;

use super::{
    codes,
    contact::Contact,
    entity::{registration, user},
    person,
    verify_contact::{TRIES_MAX, code_wrong, token},
};
use crate::{
    app::App,
    audit::{self, Entry},
    auth::{Context, Password, roles},
    error::{Error, Result, Violations},
    id,
    store::Lock,
};

/// What a person declares to become a user.
#[derive(Debug)]
pub(super) struct CompleteRegistration {
    token: SecretString,
    given_names: String,
    family_name: String,
    birth_date: Date,
    nationality: String,
    password: Password,
}

/// A message and the day on which it came, which birth dates are measured by.
impl TryFrom<(CompleteRegistrationRequest, Date)> for CompleteRegistration {
    type Error = Error;

    fn try_from((message, today): (CompleteRegistrationRequest, Date)) -> Result<Self> {
        let mut violations = Violations::default();
        let token = violations.take("registration_token", token(message.registration_token));
        let given_names = violations.take("given_names", person::name(&message.given_names));
        let family_name = violations.take("family_name", person::name(&message.family_name));
        let birth_date =
            violations.take("birth_date", person::birth_date(&message.birth_date, today));
        let nationality = violations.take("nationality", person::country(&message.nationality));
        let password = violations.take("password", person::new_password(&message.password));
        let command = || {
            Some(Self {
                token: token?,
                given_names: given_names?,
                family_name: family_name?,
                birth_date: birth_date?,
                nationality: nationality?,
                password: password?,
            })
        };
        violations.finish(command())
    }
}

impl CompleteRegistration {
    pub(super) async fn handle(
        self,
        app: &App,
        context: &Context,
    ) -> Result<CompleteRegistrationResponse> {
        let registration = self.proven(app).await?;
        let user = match &registration.user_id {
            Some(_) => self.repeat(app, context, registration).await?,
            None => self.complete(app, context).await?,
        };
        Ok(CompleteRegistrationResponse {
            user: Some(user.to_proto()),
        })
    }

    /// The registration, if its contact is proven and is not the password.
    async fn proven(&self, app: &App) -> Result<registration::Model> {
        let token = codes::hash_token(&app.secrets, &self.token);
        let registration = registration::holding(&token, app.clock.now_ms())
            .one(app.store.read())
            .await?
            .ok_or_else(code_wrong)?;
        if !registration.verified {
            let message = "the contact of this registration is not verified";
            return Err(Error::rejected(Reason::ContactNotVerified, message));
        }
        let contact = Contact::stored(&registration.contact);
        let mut violations = Violations::default();
        let differs = !contact.is(self.password.expose());
        violations.require("password", differs, "must not be the contact");
        violations.finish(Some(registration))
    }

    async fn complete(&self, app: &App, context: &Context) -> Result<user::Model> {
        let password_hash = app.passwords.hash(&self.password).await?;
        let now_ms = app.clock.now_ms();
        let token = codes::hash_token(&app.secrets, &self.token);

        let tx = app.store.begin().await?;
        let find = registration::holding(&token, now_ms).for_update();
        let registration = find.one(&tx).await?.ok_or_else(code_wrong)?;
        if registration.user_id.is_some() {
            tx.rollback().await?;
            return self.repeat(app, context, registration).await;
        }
        let user = self.user(now_ms, &registration.contact, password_hash);
        insert_in(&tx, &user).await?;
        let mut registration = registration.into_active_model();
        registration.user_id = Set(Some(user.id));
        registration.tries = Set(0);
        registration.update(&tx).await?;
        let entry = Entry::of_call(context, None, user.name());
        audit::record_in(&tx, now_ms, vec![entry]).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The user that the same request made before. Wrong repetitions are counted,
    /// so a token is no way to try passwords.
    async fn repeat(
        &self,
        app: &App,
        context: &Context,
        registration: registration::Model,
    ) -> Result<user::Model> {
        let find = user::registered_by(&registration);
        let user = find.one(app.store.read()).await?.ok_or_else(code_wrong)?;
        let hash = Some(user.password_hash.as_str());
        let right = app.passwords.verify(&self.password, hash).await? && self.declares(&user);

        let now_ms = app.clock.now_ms();
        let tx = app.store.begin().await?;
        let outcome = count_in(&tx, registration, right).await?;
        if outcome.is_ok() {
            let entry = Entry::of_call(context, None, user.name());
            audit::record_in(&tx, now_ms, vec![entry]).await?;
        }
        tx.commit().await?;
        outcome.map(|()| user)
    }

    fn declares(&self, user: &user::Model) -> bool {
        user.given_names == self.given_names
            && user.family_name == self.family_name
            && user.birth_date == self.birth_date.to_string()
            && user.nationality == self.nationality
    }

    fn user(&self, now_ms: i64, contact: &str, password_hash: String) -> user::Model {
        user::Model {
            id: id::ordered_uuid(now_ms),
            contact: contact.to_owned(),
            given_names: self.given_names.clone(),
            family_name: self.family_name.clone(),
            birth_date: self.birth_date.to_string(),
            nationality: self.nationality.clone(),
            password_hash,
            status: UserStatus::Registered.into(),
            roles: roles::to_text(&[Role::User]),
            account: None,
            created_ms: now_ms,
        }
    }
}

/// Two registrations of one contact may both be proven; the first one makes the
/// user, and the other is worth nothing then.
async fn insert_in(tx: &DatabaseTransaction, user: &user::Model) -> Result<()> {
    let inserted = user::Entity::insert(user.clone().into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if inserted == 0 {
        Err(code_wrong())
    } else {
        Ok(())
    }
}

async fn count_in(
    tx: &DatabaseTransaction,
    registration: registration::Model,
    right: bool,
) -> Result<Result<()>> {
    let find = registration::Entity::find_by_id(registration.token_hash).for_update();
    let Some(row) = find.one(tx).await? else {
        return Ok(Err(code_wrong()));
    };
    let tries = row.tries;
    if right && tries < TRIES_MAX {
        return Ok(Ok(()));
    }
    let mut row = row.into_active_model();
    row.tries = Set(tries.saturating_add(1));
    row.update(tx).await?;
    Ok(Err(code_wrong()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD, completion, reason, violations};

    async fn complete(
        harness: &Harness,
        message: CompleteRegistrationRequest,
    ) -> Result<CompleteRegistrationResponse> {
        let today = person::day(harness.app.clock.now_ms());
        CompleteRegistration::try_from((message, today))?
            .handle(&harness.app, &harness.context)
            .await
    }

    #[tokio::test]
    async fn the_same_request_answers_the_same_user() {
        let harness = Harness::new().await;
        let token = harness.verified(CONTACT).await;
        let first = complete(&harness, completion(&token)).await.unwrap();
        let second = complete(&harness, completion(&token)).await.unwrap();
        assert_eq!(first, second);
        let user = first.user.unwrap();
        assert_eq!(user.contact, CONTACT);
        assert_eq!(user.status(), UserStatus::Registered);
        assert_eq!(user.roles, [i32::from(Role::User)]);
        assert_eq!(user.birth_date, "1990-05-17");
    }

    #[tokio::test]
    async fn another_request_with_the_same_token_is_refused() {
        let harness = Harness::new().await;
        let token = harness.verified(CONTACT).await;
        complete(&harness, completion(&token)).await.unwrap();
        let mut other_name = completion(&token);
        other_name.given_names = "Other".to_owned();
        let mut other_password = completion(&token);
        other_password.password = "another passphrase".to_owned();
        for message in [other_name, other_password] {
            let answer = complete(&harness, message).await;
            assert_eq!(reason(answer), Some(Reason::CodeWrong));
        }
    }

    #[tokio::test]
    async fn a_token_is_no_way_to_try_passwords() {
        let harness = Harness::new().await;
        let token = harness.verified(CONTACT).await;
        complete(&harness, completion(&token)).await.unwrap();
        for _ in 0..TRIES_MAX {
            let mut wrong = completion(&token);
            wrong.password = "another passphrase".to_owned();
            let answer = complete(&harness, wrong).await;
            assert_eq!(reason(answer), Some(Reason::CodeWrong));
        }
        let answer = complete(&harness, completion(&token)).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn the_second_of_two_proven_registrations_is_refused() {
        let harness = Harness::new().await;
        let first = harness.verified(CONTACT).await;
        let second = harness.verified(CONTACT).await;
        complete(&harness, completion(&first)).await.unwrap();
        let answer = complete(&harness, completion(&second)).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn only_the_token_of_a_proven_contact_completes() {
        let harness = Harness::new().await;
        let unproven = harness.start(CONTACT).await;
        let answer = complete(&harness, completion(&unproven)).await;
        assert_eq!(reason(answer), Some(Reason::ContactNotVerified));
        let answer = complete(&harness, completion("unknown")).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));

        let proven = harness.verified(CONTACT).await;
        harness.clock.advance_ms(60 * 60 * 1_000);
        let answer = complete(&harness, completion(&proven)).await;
        assert_eq!(reason(answer), Some(Reason::CodeWrong));
    }

    #[tokio::test]
    async fn the_contact_is_no_password() {
        let harness = Harness::new().await;
        let token = harness.verified(CONTACT).await;
        let mut message = completion(&token);
        message.password = CONTACT.to_uppercase();
        let error = complete(&harness, message).await.unwrap_err();
        assert_eq!(violations(error), ["password"]);
    }

    #[tokio::test]
    async fn the_password_does_not_stand_in_the_database() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let row = user::Entity::find().one(harness.app.store.read());
        let row = format!("{:?}", row.await.unwrap().unwrap());
        assert!(
            !row.contains(PASSWORD) && row.contains("$argon2id$"),
            "{row}"
        );
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let harness = Harness::new().await;
        let message = CompleteRegistrationRequest {
            birth_date: "2027-01-01".to_owned(),
            nationality: "XX".to_owned(),
            password: "short".to_owned(),
            ..CompleteRegistrationRequest::default()
        };
        let error = complete(&harness, message).await.unwrap_err();
        assert_eq!(
            violations(error),
            [
                "registration_token",
                "given_names",
                "family_name",
                "birth_date",
                "nationality",
                "password"
            ]
        );
    }
}
