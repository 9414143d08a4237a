//! What an approval changes, once or never, and what the ledger makes of it.

use gx_proto::gx::{
    common::v1::Reason,
    contract::v1::Command,
    identity::v1::{Role, UserStatus, Verification, VerificationState},
    operation::v1::{OperationState, operation::Result::Error as Refused},
};
use prost::Message;
use time::macros::date;
use tonic_types::pb::ErrorInfo;

use super::*;
use crate::{
    directory,
    identity::{
        harness::{CONTACT, Harness, NUMBER, reason, violations},
        projection,
    },
    outbox::{Refusal, entity::row, request_digest},
};

/// An account that the ledger has.
const KNOWN: &str = "GX-0000-0000-0000-00000";

const DIGESTED: &str = "/gx.identity.v1.IdentityService/ApproveVerification";

/// A person who waits for staff.
struct World {
    harness: Harness,
    staff: Caller,
    person: Caller,
    /// Of the verification.
    name: String,
}

impl World {
    async fn new() -> Self {
        let harness = Harness::new().await;
        let staff = harness.staff().await;
        let person = harness.applicant(CONTACT).await;
        let answer = harness.submit(&person, NUMBER).await.unwrap();
        let name = answer.verification.unwrap().name;
        Self {
            harness,
            staff,
            person,
            name,
        }
    }

    async fn by(&self, staff: &Caller, name: &str, request: u128) -> Result<Operation> {
        let message = ApproveVerificationRequest {
            name: name.to_owned(),
            request_id: Uuid::from_u128(request).to_string(),
        };
        let digest = request_digest(DIGESTED, &message);
        let context = &self.harness.context;
        ApproveVerification::try_from(message)?
            .handle(&self.harness.app, staff, context, digest)
            .await
    }

    async fn approve(&self, request: u128) -> Operation {
        let answer = self.by(&self.staff, &self.name, request).await;
        answer.unwrap()
    }

    async fn status(&self) -> UserStatus {
        self.harness.status(&self.person).await
    }

    async fn verification(&self) -> Verification {
        let read = self.harness.verification(&self.staff, &self.name);
        read.await.unwrap()
    }

    /// What the ledger is asked for, in the order of asking.
    async fn asked(&self) -> Vec<(String, CreateAccount)> {
        let rows = row::Entity::find().all(self.harness.app.store.read());
        let rows = rows.await.unwrap().into_iter();
        rows.map(|row| match Command::decode(&*row.body).unwrap().body {
            Some(Body::CreateAccount(body)) => (row.lane, body),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    async fn opened(&self, account: &str) {
        let tx = self.harness.app.store.begin().await.unwrap();
        projection::account_opened_in(&tx, account).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn refused(&self, operation: Uuid) {
        let tx = self.harness.app.store.begin().await.unwrap();
        let refusal = Refusal::new(Reason::KnownCommitment).with("account", KNOWN);
        let refused = projection::account_refused_in(&tx, operation, refusal);
        refused.await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// The reason of a refusal, and the state that it names.
fn refusal(operation: &Operation) -> (String, String) {
    assert_eq!(operation.state(), OperationState::Refused);
    let Some(Refused(error)) = &operation.result else {
        panic!("{operation:?}")
    };
    let mut info = ErrorInfo::decode(&*error.details[0].value).unwrap();
    (info.reason, info.metadata.remove("state").unwrap())
}

#[tokio::test]
async fn the_ledger_is_asked_for_one_account_however_often_it_is_sent() {
    let world = World::new().await;
    let first = world.approve(1).await;
    assert_eq!(first.state(), OperationState::Accepted);
    assert_eq!(world.status().await, UserStatus::Approved);
    let account = world.harness.me(&world.person).await.account;
    assert_eq!(account, "", "not before it is open");
    assert_eq!(world.approve(1).await, first);

    let asked = world.asked().await;
    let [(lane, body)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(AccountId::is_canonical(&body.account));
    assert_eq!((body.country.as_str(), body.grant_eligible), ("DE", true));
    assert_eq!(body.commitment.len(), 32);
    let app = &world.harness.app;
    let lanes = app.topology.partner_lanes;
    assert_eq!(*lane, lane::of_country("DE", lanes).to_string());
    let listed = directory::lookup(app.store.read(), [body.account.as_str()]).await;
    assert_eq!(listed.unwrap()[&body.account].masked_name, "G*** F***");
}

#[tokio::test]
async fn what_is_decided_is_not_approved_again() {
    for (state, accounts) in [("APPROVED", 1), ("DENIED", 0)] {
        let world = World::new().await;
        match state {
            "DENIED" => world.harness.deny(&world.person, "too dark").await,
            _ => drop(world.approve(1).await),
        }
        let before = world.status().await;
        let told = refusal(&world.approve(2).await);
        assert_eq!(told, ("VERIFICATION_STATE".into(), state.into()));
        assert_eq!(world.status().await, before);
        assert_eq!(world.asked().await.len(), accounts, "{state}");
    }
}

#[tokio::test]
async fn an_admin_who_is_a_person_too_does_not_approve_the_own_verification() {
    let world = World::new().await;
    let both = Caller {
        roles: vec![Role::User, Role::Admin],
        ..world.person.clone()
    };
    let answer = world.by(&both, &world.name, 1).await;
    assert_eq!(reason(answer), Some(Reason::OwnVerification));
    assert_eq!(world.status().await, UserStatus::PendingApproval);
    assert_eq!(world.asked().await, []);
    world.approve(1).await;
}

#[tokio::test]
async fn a_request_id_names_one_approval() {
    let world = World::new().await;
    let other = world.harness.applicant("other@example.org").await;
    let other = world.harness.submit(&other, "ANOTHER NUMBER").await;
    let other = other.unwrap().verification.unwrap().name;
    world.approve(1).await;
    let answer = world.by(&world.staff, &other, 1).await;
    assert_eq!(reason(answer), Some(Reason::RequestIdReused));
    let unknown = names::name(names::VERIFICATIONS, Uuid::nil());
    let answer = world.by(&world.staff, &unknown, 2).await;
    assert_eq!(reason(answer), Some(Reason::NotFound));
}

#[tokio::test]
async fn the_person_is_active_once_the_account_is_open() {
    let world = World::new().await;
    world.approve(1).await;
    let account = world.asked().await.remove(0).1.account;
    world.opened(&account).await;
    let me = world.harness.me(&world.person).await;
    assert_eq!((me.status(), &me.account), (UserStatus::Active, &account));

    // A replay of the chain does not thaw anybody.
    let frozen = UserStatus::Frozen;
    world.harness.set_status(CONTACT, frozen).await;
    world.opened(&account).await;
    assert_eq!(world.status().await, frozen);
}

#[tokio::test]
async fn a_refused_account_brings_the_person_back_to_staff() {
    let world = World::new().await;
    let first = world.approve(1).await;
    world.refused(Uuid::nil()).await;
    assert_eq!(world.status().await, UserStatus::Approved);
    world
        .refused(operation::parse_name(&first.name).unwrap())
        .await;
    assert_eq!(world.status().await, UserStatus::PendingApproval);
    let told = world.verification().await;
    assert_eq!(told.state(), VerificationState::Pending);
    assert_eq!(told.reason, "KNOWN_COMMITMENT");
    assert_eq!((told.operation.as_str(), told.decide_time), ("", None));
    assert_eq!(told.known_account, KNOWN);
    let own = world.harness.verification(&world.person, &world.name).await;
    assert_eq!(own.unwrap().known_account, "", "for staff alone");

    assert_eq!(world.approve(2).await.state(), OperationState::Accepted);
    assert_eq!(world.verification().await.known_account, "");
    let asked = world.asked().await;
    assert_ne!(asked[0].1.account, asked[1].1.account);
}

#[tokio::test]
async fn ages_from_13_to_73_are_granted() {
    let world = World::new().await;
    let db = world.harness.app.store.read();
    let mut applicant = user::Entity::own(db, &world.person).await.unwrap();
    for (birth_date, granted) in [
        ("2013-05-17", false),
        ("2013-05-16", true),
        ("1952-05-17", true),
        ("1952-05-16", false),
    ] {
        applicant.birth_date = birth_date.to_owned();
        let told = is_granted(&applicant, date!(2026 - 05 - 16)).unwrap();
        assert_eq!(told, granted, "{birth_date}");
    }
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    let message = ApproveVerificationRequest::default();
    let error = ApproveVerification::try_from(message).unwrap_err();
    assert_eq!(violations(error), ["name", "request_id"]);
}
