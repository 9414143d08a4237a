//! Whoever the database lost has the old account again, by staff's word and the
//! ledger's, and nobody else has it.

use gx_proto::gx::identity::v1::{
    BindAccountRequest, GetMeRequest, GetVerificationRequest, User, UserStatus, Verification,
    VerificationState,
};
use gx_server::identity::entity::verification;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::harness::{Client, Database, Forgotten, GX, Gx, Person, Refusal, block_of};

async fn bind(admin: &Client, name: &str, account: &str) -> Result<Verification, Status> {
    let request = BindAccountRequest {
        name: name.to_owned(),
        account: account.to_owned(),
    };
    let bound = admin.identity().bind_account(request).await?;
    Ok(bound.into_inner().verification.expect("a verification"))
}

async fn me(client: &Client) -> User {
    let me = client.identity().get_me(GetMeRequest::default()).await;
    me.unwrap().into_inner().user.expect("a user")
}

async fn shown(admin: &Client, name: &str) -> Verification {
    let name = name.to_owned();
    let read = GetVerificationRequest { name };
    let read = admin.identity().get_verification(read).await;
    read.unwrap().into_inner().verification.expect("one")
}

#[tokio::test]
async fn person_whom_the_database_lost_has_the_old_account_again_on_sqlite() {
    person_whom_the_database_lost_has_the_old_account_again(Database::Sqlite).await;
}

#[tokio::test]
async fn person_whom_the_database_lost_has_the_old_account_again_on_postgres() {
    person_whom_the_database_lost_has_the_old_account_again(Database::Postgres).await;
}

async fn person_whom_the_database_lost_has_the_old_account_again(database: Database) {
    let gx = Gx::start(database).await;
    let admin = gx.admin().await;
    let bee = gx.person("DE").await;
    let pays = async |ann: &Person| {
        let paid = ann.pay(ann.to(&bee.account, 100 * GX, 50_000)).await;
        gx.supply(block_of(&paid)).await;
    };
    let Forgotten { before, now } = gx.forgotten(pays).await;

    let waits = shown(admin, &now.verification).await;
    assert_eq!(waits.state(), VerificationState::Pending);
    assert_eq!(waits.reason, "KNOWN_COMMITMENT");
    assert_eq!(waits.known_account, before.account);
    let own = shown(&now.client, &now.verification).await;
    assert_eq!(own.known_account, "", "for staff alone");

    let bound = bind(admin, &now.verification, &waits.known_account)
        .await
        .unwrap();
    assert_eq!(bound.state(), VerificationState::Approved);
    let again = bind(admin, &now.verification, &waits.known_account).await;
    assert_eq!(again.unwrap(), bound);
    let user = me(&now.client).await;
    assert_eq!(
        (user.status(), &user.account),
        (UserStatus::Active, &before.account)
    );

    // The coins and the history are the old ones, and the person may pay again.
    let ann = Person {
        client: now.client,
        ..before
    };
    let wallet = ann.wallet(0).await;
    assert_eq!(wallet.balance_qirat, 400 * GX - 50_000, "no second grant");
    assert_eq!(ann.entries().await.len(), 3, "grant, transfer and fee");
    ann.pay(ann.to(&bee.account, GX, 0)).await;
    let seen = bee.entries().await;
    let payer = seen[0].counterparty.as_ref().expect("a payer");
    assert_eq!(
        (payer.account.as_str(), payer.masked_name.as_str()),
        (ann.account.as_str(), "Ä*** M***")
    );
}

/// The ledger names an account for one document; here the database says that it did
/// so for two.
#[tokio::test]
async fn of_two_people_bound_to_one_account_at_once_one_has_it() {
    let gx = Gx::start(Database::Postgres).await;
    let admin = gx.admin().await;
    let Forgotten { before, now } = gx.forgotten(async |_| ()).await;
    let other = gx.application("DE").await;
    let id = other.verification.trim_start_matches("verifications/");
    let doctored = verification::Entity::update_many()
        .col_expr(
            verification::Column::KnownAccount,
            Expr::value(&*before.account),
        )
        .filter(verification::Column::Id.eq(id.parse::<Uuid>().unwrap()));
    doctored.exec(gx.store().await.read()).await.unwrap();

    let (first, second) = tokio::join!(
        bind(admin, &now.verification, &before.account),
        bind(admin, &other.verification, &before.account),
    );
    let (refused, winner, loser) = match (first, second) {
        (Ok(_), Err(refused)) => (refused, now.client, other.client),
        (Err(refused), Ok(_)) => (refused, other.client, now.client),
        both => panic!("{both:?}"),
    };
    let refused = Refusal::of(&refused);
    assert_eq!(
        refused.told(),
        (Code::FailedPrecondition, "ACCOUNT_NOT_BINDABLE")
    );
    assert_eq!(refused.metadata["cause"], "OWNED");
    assert_eq!(me(&winner).await.account, before.account);
    assert_eq!(me(&loser).await.status(), UserStatus::PendingApproval);
}
