//! Lists the verifications that the caller may read, oldest first.

use gx_proto::gx::identity::v1::{
    ListVerificationsRequest, ListVerificationsResponse, VerificationState,
};
use sea_orm::entity::prelude::*;

use super::{entity::verification, names, query};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Result, Violations},
    page::Page,
};

/// Verifications to list.
#[derive(Debug)]
pub(super) struct ListVerifications {
    state: Option<VerificationState>,
    page: Page<Uuid>,
}

impl TryFrom<ListVerificationsRequest> for ListVerifications {
    type Error = Error;

    fn try_from(message: ListVerificationsRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let state = violations.take("state", state(message.state));
        let page = Page::parse(
            &mut violations,
            &["verifications", &message.state.to_string()],
            message.page_size,
            &message.page_token,
        );
        let list = || {
            Some(Self {
                state: state?,
                page: page?,
            })
        };
        violations.finish(list())
    }
}

/// The state to list; `None` lists all.
fn state(number: i32) -> Result<Option<VerificationState>, &'static str> {
    match VerificationState::try_from(number) {
        Ok(VerificationState::Unspecified) => Ok(None),
        Ok(state) => Ok(Some(state)),
        Err(_) => Err("must be a known state"),
    }
}

impl ListVerifications {
    /// What it is about, for the audit log.
    pub(super) fn subject(&self) -> String {
        let all = names::VERIFICATIONS;
        let state = self.state.map(|state| state.as_str_name());
        state.map_or_else(|| all.to_owned(), |state| format!("{all}?state={state}"))
    }

    pub(super) async fn handle(
        self,
        app: &App,
        caller: &Caller,
    ) -> Result<ListVerificationsResponse> {
        let tx = app.store.snapshot().await?;
        let limit = self.page.limit();
        let mut rows = verification::Entity::list(caller, self.state, self.page.after, limit)
            .all(&tx)
            .await?;
        let next_page_token = self.page.cut(&mut rows, |row| row.id)?;
        Ok(ListVerificationsResponse {
            verifications: query::show_all(app, &tx, caller, rows).await?,
            next_page_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::identity::v1::Verification;

    use super::*;
    use crate::identity::harness::{Harness, violations};

    async fn list(
        harness: &Harness,
        caller: &Caller,
        state: VerificationState,
        page_token: &str,
    ) -> Result<ListVerificationsResponse> {
        ListVerifications::try_from(ListVerificationsRequest {
            state: state.into(),
            page_size: 2,
            page_token: page_token.to_owned(),
        })?
        .handle(&harness.app, caller)
        .await
    }

    #[tokio::test]
    async fn pages_follow_each_other_oldest_first() {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let mut people = Vec::new();
        for number in 0..5 {
            let person = harness.applicant(&format!("p{number}@example.org")).await;
            harness
                .submit(&person, &format!("NUMBER {number}"))
                .await
                .unwrap();
            harness.clock.advance_ms(1);
            people.push(person);
        }
        harness.deny(&people[1], "a photo is missing").await;

        let mut numbers = Vec::new();
        let mut token = String::new();
        loop {
            let page = list(&harness, &staff, VerificationState::Unspecified, &token).await;
            let page = page.unwrap();
            numbers.extend(
                page.verifications
                    .into_iter()
                    .map(|row| row.document_number),
            );
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let expected: Vec<_> = (0..5).map(|number| format!("NUMBER {number}")).collect();
        assert_eq!(numbers, expected);

        let denied = list(&harness, &staff, VerificationState::Denied, "")
            .await
            .unwrap();
        assert_eq!(denied.verifications.len(), 1);
        assert_eq!(denied.next_page_token, "");
        let pending = list(&harness, &staff, VerificationState::Pending, "")
            .await
            .unwrap();
        assert!(!pending.next_page_token.is_empty());
    }

    #[tokio::test]
    async fn a_person_sees_the_own_ones_alone() {
        let harness = Harness::new().await;
        let person = harness.applicant("p1@example.org").await;
        let other = harness.applicant("p2@example.org").await;
        harness.submit(&other, "NUMBER 2").await.unwrap();
        let mut own = Vec::new();
        for number in ["NUMBER 1", "NUMBER 3"] {
            let answer = harness.submit(&person, number).await.unwrap();
            own.push(answer.verification.unwrap().name);
            harness.deny(&person, "a photo is missing").await;
            harness.clock.advance_ms(1);
        }
        let page = list(&harness, &person, VerificationState::Unspecified, "").await;
        let page = page.unwrap();
        let rows = page.verifications.iter();
        assert_eq!(rows.map(|row| row.name.clone()).collect::<Vec<_>>(), own);
        assert_eq!(page.next_page_token, "");
        let hidden = |row: &Verification| row.document_number.is_empty() && row.applicant.is_none();
        assert!(page.verifications.iter().all(hidden));
    }

    #[test]
    fn the_audit_log_is_told_the_filter() {
        let subject = |state: VerificationState| {
            let message = ListVerificationsRequest {
                state: state.into(),
                ..ListVerificationsRequest::default()
            };
            ListVerifications::try_from(message).unwrap().subject()
        };
        assert_eq!(subject(VerificationState::Unspecified), "verifications");
        let pending = "verifications?state=VERIFICATION_STATE_PENDING";
        assert_eq!(subject(VerificationState::Pending), pending);
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let message = ListVerificationsRequest {
            state: 99,
            page_size: 201,
            page_token: "*".to_owned(),
        };
        let error = ListVerifications::try_from(message).unwrap_err();
        assert_eq!(violations(error), ["state", "page_size", "page_token"]);
    }
}
