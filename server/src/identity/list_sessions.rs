//! Lists the caller's own sessions, the latest first.

use gx_proto::gx::identity::v1::{ListSessionsRequest, ListSessionsResponse, Session};
use sea_orm::{Condition, QueryFilter, QueryOrder, QuerySelect, Select, entity::prelude::*};

use super::names;
use crate::{
    app::App,
    auth::{Caller, session},
    clock::timestamp,
    error::{Error, Result, Violations},
    page::Page,
};

/// When a session began, and its id.
type Place = (i64, Uuid);

/// Sessions to list.
#[derive(Debug)]
pub(super) struct ListSessions {
    page: Page<Place>,
}

impl TryFrom<ListSessionsRequest> for ListSessions {
    type Error = Error;

    fn try_from(message: ListSessionsRequest) -> Result<Self> {
        let mut violations = Violations::default();
        let (size, token) = (message.page_size, &message.page_token);
        let page = Page::parse(&mut violations, &[names::SESSIONS], size, token);
        violations.finish(page.map(|page| Self { page }))
    }
}

impl ListSessions {
    pub(super) async fn handle(self, app: &App, caller: &Caller) -> Result<ListSessionsResponse> {
        let lasting = session::Entity::lasting(caller, app.clock.now_ms());
        let rows = after(lasting, self.page.after)
            .order_by_desc(session::Column::CreatedMs)
            .order_by_desc(session::Column::Id)
            .limit(self.page.limit());
        let mut rows = rows.all(app.store.read()).await?;
        let next_page_token = self.page.cut(&mut rows, |row| (row.created_ms, row.id))?;
        let sessions = rows.into_iter().map(|row| show(caller, row));
        Ok(ListSessionsResponse {
            sessions: sessions.collect(),
            next_page_token,
        })
    }
}

fn after(rows: Select<session::Entity>, place: Option<Place>) -> Select<session::Entity> {
    let Some((created_ms, id)) = place else {
        return rows;
    };
    let (created, of_id) = (session::Column::CreatedMs, session::Column::Id);
    let of_the_same_time = Condition::all()
        .add(created.eq(created_ms))
        .add(of_id.lt(id));
    let further = Condition::any().add(created.lt(created_ms));
    rows.filter(further.add(of_the_same_time))
}

fn show(caller: &Caller, row: session::Model) -> Session {
    Session {
        name: names::name(names::SESSIONS, row.id),
        create_time: Some(timestamp(row.created_ms)),
        refresh_time: Some(timestamp(row.tokens_ms())),
        expire_time: Some(timestamp(row.end_ms())),
        current: row.id == caller.session,
        label: row.label.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use gx_proto::gx::identity::v1::LoginRequest;

    use super::*;
    use crate::identity::harness::{CONTACT, Harness, PASSWORD, violations};

    const HOUR_MS: i64 = 60 * 60 * 1_000;

    async fn list(harness: &Harness, caller: &Caller, token: &str) -> ListSessionsResponse {
        let message = ListSessionsRequest {
            page_size: 2,
            page_token: token.to_owned(),
        };
        let list = ListSessions::try_from(message).unwrap();
        list.handle(&harness.app, caller).await.unwrap()
    }

    fn labels(page: &ListSessionsResponse) -> Vec<&str> {
        let sessions = page.sessions.iter();
        sessions.map(|session| session.label.as_str()).collect()
    }

    async fn login(harness: &Harness, label: &str) -> (Caller, String) {
        let message = LoginRequest {
            contact: CONTACT.to_owned(),
            password: PASSWORD.to_owned(),
            label: label.to_owned(),
        };
        let answer = harness.login_by(message).await.unwrap();
        let caller = harness.caller(&answer.access_token).await.unwrap();
        (caller, answer.refresh_token)
    }

    #[tokio::test]
    async fn a_person_sees_the_own_sessions_that_last_the_latest_first() {
        let harness = Harness::new().await;
        harness.applicant("other@example.org").await;
        harness.register(CONTACT).await;
        login(&harness, "forgotten").await;
        harness.clock.advance_ms(6 * 24 * HOUR_MS);
        let (_, phone) = login(&harness, "phone").await;
        harness.clock.advance_ms(HOUR_MS);
        let (ended, _) = login(&harness, "ended").await;
        let (caller, _) = login(&harness, " laptop ").await;
        super::super::logout::handle(&harness.app, &ended, &harness.context)
            .await
            .unwrap();
        harness.clock.advance_ms(24 * HOUR_MS);
        harness.refresh(&phone).await.unwrap();

        let page = list(&harness, &caller, "").await;
        assert_eq!(labels(&page), ["laptop", "phone"]);
        assert_eq!(page.next_page_token, "");
        let [laptop, phone] = &page.sessions[..] else {
            panic!("{page:?}")
        };
        assert!(laptop.current && !phone.current);
        assert_eq!(laptop.create_time, laptop.refresh_time);
        let now = timestamp(harness.app.clock.now_ms());
        assert_eq!(phone.refresh_time, Some(now));
        assert!(phone.expire_time.unwrap().seconds > laptop.expire_time.unwrap().seconds);
    }

    #[tokio::test]
    async fn pages_follow_each_other_also_of_logins_at_one_time() {
        let harness = Harness::new().await;
        harness.register(CONTACT).await;
        let mut caller = login(&harness, "1").await.0;
        for label in ["2", "3", "4", "5"] {
            caller = login(&harness, label).await.0;
        }
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(&harness, &caller, &token).await;
            seen.extend(labels(&page).into_iter().map(str::to_owned));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        seen.sort();
        assert_eq!(seen, ["1", "2", "3", "4", "5"]);
    }

    #[tokio::test]
    async fn all_violations_are_told_at_once() {
        let message = ListSessionsRequest {
            page_size: 201,
            page_token: "*".to_owned(),
        };
        let error = ListSessions::try_from(message).unwrap_err();
        assert_eq!(violations(error), ["page_size", "page_token"]);
    }
}
