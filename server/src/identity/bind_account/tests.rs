//! Who is bound to which account, once, and what is refused.

use gx_proto::gx::identity::v1::{Role, Verification};

use super::*;
use crate::{
    audit::tests::lines,
    auth::UserId,
    fixture,
    identity::harness::{CONTACT, Harness, NUMBER, reason, violations},
};

/// Two people who wait for staff.
struct World {
    harness: Harness,
    staff: Caller,
    people: [Caller; 2],
    /// Of their verifications.
    names: [String; 2],
}

/// The account that the ledger names.
fn known() -> AccountId {
    fixture::account(1)
}

impl World {
    /// The ledger has named the account for both, and it is open.
    async fn new() -> Self {
        let world = Self::of_strangers().await;
        for name in &world.names {
            world.named(name, Some(&known())).await;
        }
        let app = &world.harness.app;
        fixture::open(app, known().as_str(), AccountType::Person, "DE").await;
        world
    }

    async fn of_strangers() -> Self {
        let harness = Harness::in_file().await;
        let staff = harness.staff().await;
        let mut people = Vec::new();
        let mut names = Vec::new();
        for (contact, number) in [(CONTACT, NUMBER), ("other@example.org", "ANOTHER")] {
            let person = harness.applicant(contact).await;
            let answer = harness.submit(&person, number).await.unwrap();
            names.push(answer.verification.unwrap().name);
            people.push(person);
        }
        Self {
            harness,
            staff,
            people: people.try_into().unwrap(),
            names: names.try_into().unwrap(),
        }
    }

    async fn named(&self, name: &str, account: Option<&AccountId>) {
        let id = names::parse(names::VERIFICATIONS, name).unwrap();
        let known_account = account.map(ToString::to_string);
        fixture::change::<verification::Entity>(&self.harness.app, id, |row| {
            row.known_account = Set(known_account);
        })
        .await;
    }

    async fn by(&self, staff: &Caller, name: &str, account: &AccountId) -> Result<Verification> {
        let bind = BindAccount::try_from(BindAccountRequest {
            name: name.to_owned(),
            account: account.to_string(),
        })?;
        let (app, context) = (&self.harness.app, &self.harness.context);
        let answer = bind.handle(app, staff, context).await?;
        Ok(answer.verification.unwrap())
    }

    async fn bind(&self, place: usize) -> Result<Verification> {
        self.by(&self.staff, &self.names[place], &known()).await
    }

    async fn owner(&self) -> Option<UserId> {
        let account = known();
        let db = self.harness.app.store.read();
        let owners = directory::owner_in(db, [account.as_str()]).await;
        owners.unwrap().remove(account.as_str())
    }
}

/// Why an account cannot be bound.
fn cause(answer: Result<Verification>) -> String {
    match answer.unwrap_err() {
        Error::Rejected(told) if told.reason == Reason::AccountNotBindable => {
            told.metadata[0].1.clone()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_person_has_the_account_however_often_it_is_sent() {
    let world = World::new().await;
    let first = world.bind(0).await.unwrap();
    assert_eq!(first.state(), VerificationState::Approved);
    assert_eq!(first.known_account, known().as_str());
    assert_eq!((first.reason.as_str(), first.operation.as_str()), ("", ""));
    assert!(first.decide_time.is_some());
    let me = world.harness.me(&world.people[0]).await;
    assert_eq!(
        (me.status(), me.account),
        (UserStatus::Active, known().to_string())
    );
    assert_eq!(world.owner().await, Some(world.people[0].user));

    world.harness.clock.advance_ms(1_000);
    assert_eq!(world.bind(0).await.unwrap(), first);
    let told = lines(&world.harness.app.store).await;
    let subjects = told.iter().filter(|line| line.subject == first.name);
    assert_eq!(
        subjects.filter(|line| line.outcome == "OK").count(),
        3,
        "submitted too"
    );
}

#[tokio::test]
async fn of_two_people_bound_to_one_account_one_has_it() {
    let world = World::new().await;
    let (one, other) = tokio::join!(world.bind(0), world.bind(1));
    let (lost, loser) = match (one, other) {
        (Ok(_), lost) => (lost, &world.people[1]),
        (lost, Ok(_)) => (lost, &world.people[0]),
        both => panic!("{both:?}"),
    };
    assert_eq!(cause(lost), "OWNED");
    assert_eq!(
        world.harness.status(loser).await,
        UserStatus::PendingApproval
    );
    assert!(world.owner().await.is_some_and(|owner| owner != loser.user));
}

#[tokio::test]
async fn what_is_not_the_persons_for_certain_is_not_bound() {
    let world = World::of_strangers().await;
    let app = &world.harness.app;
    assert_eq!(cause(world.bind(0).await), "NOT_NAMED");
    world
        .named(&world.names[0], Some(&fixture::account(9)))
        .await;
    assert_eq!(cause(world.bind(0).await), "NOT_NAMED");
    world.named(&world.names[0], Some(&known())).await;
    assert_eq!(cause(world.bind(0).await), "NOT_OPEN");
    fixture::open(app, known().as_str(), AccountType::Business, "DE").await;
    assert_eq!(cause(world.bind(0).await), "NOT_A_PERSON");
    let status = world.harness.status(&world.people[0]).await;
    assert_eq!(status, UserStatus::PendingApproval);
    assert_eq!(world.owner().await, None);
}

#[tokio::test]
async fn an_admin_who_is_a_person_too_is_not_bound_by_themselves() {
    let world = World::new().await;
    let both = Caller {
        roles: vec![Role::User, Role::Admin],
        ..world.people[0].clone()
    };
    let answer = world.by(&both, &world.names[0], &known()).await;
    assert_eq!(reason(answer), Some(Reason::OwnVerification));
    assert_eq!(world.owner().await, None);
}

#[tokio::test]
async fn what_is_decided_is_not_bound() {
    let world = World::new().await;
    world.harness.deny(&world.people[0], "too dark").await;
    assert_eq!(reason(world.bind(0).await), Some(Reason::VerificationState));
    world.bind(1).await.unwrap();
    let another = fixture::account(2);
    let another = world.by(&world.staff, &world.names[1], &another).await;
    assert_eq!(reason(another), Some(Reason::VerificationState));
    let unknown = names::name(names::VERIFICATIONS, Uuid::nil());
    let unknown = world.by(&world.staff, &unknown, &known()).await;
    assert_eq!(reason(unknown), Some(Reason::NotFound));
}

#[tokio::test]
async fn all_violations_are_told_at_once() {
    let error = BindAccount::try_from(BindAccountRequest::default()).unwrap_err();
    assert_eq!(violations(error), ["name", "account"]);
}
