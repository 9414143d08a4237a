//! The newcomer's walk, over gRPC alone, on either database: from a contact to a
//! verified person with a grant, a transfer to another person, and both histories.
//! A stop and a kill lose nothing of it.

use gx_proto::gx::{
    identity::v1::{GetMeRequest, GetVerificationRequest, User, UserStatus, VerificationState},
    ledger::v1::GetLedgerRequest,
    operation::v1::{OperationState, operation, operation_result},
    wallet::v1::{Entry, EntryKind, QuoteTransferRequest, WalletStatus, WalletType},
};

use crate::harness::{Application, Client, Database, GX, Gx, Person, block_of};

/// What a person of phase 1 gets.
const GRANT: u64 = 500 * GX;
/// Above 100 GX, so 25 basis points across a border.
const AMOUNT: u64 = 120 * GX;
const FEE: u64 = 300_000;
/// Below 3 GX within a country: free.
const GIFT: u64 = 2 * GX;

#[tokio::test]
async fn newcomer_gets_a_grant_and_pays_another_person_on_sqlite() {
    walk(Database::Sqlite).await;
}

#[tokio::test]
async fn newcomer_gets_a_grant_and_pays_another_person_on_postgres() {
    walk(Database::Postgres).await;
}

#[tokio::test]
async fn newcomer_gets_a_grant_and_pays_another_person_on_six_processes() {
    walk(Database::PostgresApart).await;
}

async fn walk(database: Database) {
    let mut gx = Gx::start(database).await;
    let ann = become_a_person(&gx, "DE").await;
    let bee = become_a_person(&gx, "FR").await;
    let paid = pay(&gx, &ann, &bee).await;
    check(&gx, &ann, &bee, paid).await;

    assert!(gx.stop().await.success(), "a stop is no failure");
    gx.restart().await;
    let (ann, bee) = (again(&gx, &ann).await, again(&gx, &bee).await);
    check(&gx, &ann, &bee, paid).await;

    assert!(!gx.kill().await.success());
    gx.restart().await;
    let (ann, bee) = (again(&gx, &ann).await, again(&gx, &bee).await);
    check(&gx, &ann, &bee, paid).await;

    // What was accepted is kept, whatever the kill met.
    let cem = become_a_person(&gx, "DE").await;
    let given = ann.sent(ann.to(&cem.account, GIFT, 0)).await;
    gx.kill().await;
    gx.restart().await;
    let (ann, cem) = (again(&gx, &ann).await, again(&gx, &cem).await);
    let given = ann.client.settled(&given.name).await;
    assert_eq!(given.state(), OperationState::Succeeded);
    let received = cem.wallet(block_of(&given)).await;
    assert_eq!(received.balance_qirat, GRANT + GIFT);
    let sender = ann.wallet(block_of(&given)).await;
    assert_eq!(sender.available_qirat, GRANT - AMOUNT - FEE - GIFT);
    assert_eq!(sender.reserved_qirat, 0);
}

/// From a contact to ACTIVE, with what is seen at each step.
async fn become_a_person(gx: &Gx, country: &str) -> Person {
    let application = gx.application(country).await;
    let waiting = me(&application.client, 0).await;
    assert_eq!(waiting.status(), UserStatus::PendingApproval);
    assert_eq!(
        (waiting.account.as_str(), waiting.nationality.as_str()),
        ("", country)
    );
    assert_eq!(waiting.contact, application.contact);

    let operation = gx.approve(&application.verification).await;
    assert_eq!(operation.state(), OperationState::Succeeded);
    let Some(operation::Result::Response(response)) = &operation.result else {
        panic!("{operation:?}");
    };
    let Some(operation_result::Result::CreateAccount(made)) = &response.result else {
        panic!("{response:?}");
    };
    assert_eq!((made.grant_qirat, made.phase), (GRANT, 1));

    let active = me(&application.client, block_of(&operation)).await;
    assert_eq!(
        (active.status(), &active.account),
        (UserStatus::Active, &made.account)
    );
    let person = person(application, active.account, operation.name);
    sees_the_verification(&person).await;
    let wallet = person
        .wallet(operation.metadata.expect("metadata").block)
        .await;
    assert_eq!(
        (wallet.balance_qirat, wallet.available_qirat),
        (GRANT, GRANT)
    );
    assert_eq!(
        (wallet.r#type(), wallet.status()),
        (WalletType::Person, WalletStatus::Active)
    );
    assert_eq!(wallet.country, country);
    person
}

fn person(application: Application, account: String, operation: String) -> Person {
    Person {
        client: application.client,
        name: application.name,
        contact: application.contact,
        account,
        verification: application.verification,
        operation,
    }
}

async fn sees_the_verification(person: &Person) {
    let name = person.verification.clone();
    let mut identity = person.client.identity();
    let answer = identity
        .get_verification(GetVerificationRequest { name })
        .await;
    let seen = answer.unwrap().into_inner().verification.unwrap();
    assert_eq!(seen.state(), VerificationState::Approved);
    assert_eq!(
        (&seen.user, &seen.operation),
        (&person.name, &person.operation)
    );
    assert_eq!(seen.document_number, "", "only staff see the number");
}

/// The user, at this block or later.
async fn me(client: &Client, min_block: u64) -> User {
    let answer = client.identity().get_me(GetMeRequest { min_block }).await;
    answer.unwrap().into_inner().user.unwrap()
}

/// The same person after a new login.
async fn again(gx: &Gx, person: &Person) -> Person {
    Person {
        client: gx.sign_in(&person.contact).await,
        ..person.clone()
    }
}

/// A quote, and the transfer that it prices. Answers the transfer's block.
async fn pay(gx: &Gx, ann: &Person, bee: &Person) -> u64 {
    let quote = QuoteTransferRequest {
        account: ann.account.clone(),
        receiver: bee.account.clone(),
        amount_qirat: AMOUNT,
    };
    let quote = ann.client.wallet().quote_transfer(quote).await;
    let quote = quote.unwrap().into_inner();
    assert_eq!((quote.fee_qirat, quote.basis_points), (FEE, 25));
    assert_eq!(
        (quote.total_qirat, quote.receiver_gets_qirat),
        (AMOUNT + FEE, AMOUNT)
    );
    assert!(quote.cross_border);
    assert_eq!(quote.receiver.unwrap().masked_name, "Ä*** M***");

    let mut transfer = ann.to(&bee.account, AMOUNT, quote.fee_qirat);
    transfer.reference = "for the piano".to_owned();
    let paid = ann.pay(transfer).await;
    assert_eq!(paid.state(), OperationState::Succeeded);
    let Some(operation::Result::Response(response)) = &paid.result else {
        panic!("{paid:?}");
    };
    let Some(operation_result::Result::Transfer(done)) = &response.result else {
        panic!("{response:?}");
    };
    assert_eq!((done.amount_qirat, done.fee_qirat), (AMOUNT, FEE));
    assert_eq!((&done.sender, &done.receiver), (&ann.account, &bee.account));
    assert_eq!(
        gx.supply(block_of(&paid)).await.circulating_qirat,
        2 * GRANT - FEE
    );
    block_of(&paid)
}

/// What the walk has led to.
async fn check(gx: &Gx, ann: &Person, bee: &Person, block: u64) {
    let (sender, receiver) = (ann.wallet(block).await, bee.wallet(block).await);
    assert_eq!(sender.balance_qirat, GRANT - AMOUNT - FEE);
    assert_eq!(receiver.balance_qirat, GRANT + AMOUNT);
    assert_eq!((sender.reserved_qirat, receiver.reserved_qirat), (0, 0));
    check_history(
        ann,
        &[
            (EntryKind::Fee, -signed(FEE)),
            (EntryKind::Transfer, -signed(AMOUNT)),
        ],
    )
    .await;
    check_history(bee, &[(EntryKind::Transfer, signed(AMOUNT))]).await;
    check_supply(gx, block).await;
    let ledger = ann.client.ledger().get_ledger(GetLedgerRequest {}).await;
    let ledger = ledger.unwrap().into_inner();
    assert!(ledger.as_of_block >= block);
    assert!(ledger.height > ledger.as_of_block, "{ledger:?}");
    let lags = ledger.partitions.iter().map(|one| one.lag_blocks);
    assert!(lags.eq([0, 0]), "a quiet chain has no lag: {ledger:?}");
    let status = me(&ann.client, block).await.status();
    assert_eq!(status, UserStatus::Active);
}

/// The transfer's entries, above the grant.
async fn check_history(person: &Person, expected: &[(EntryKind, i64)]) {
    let entries = person.entries().await;
    let (grant, transfer) = entries.split_last().expect("a grant");
    assert_eq!(
        (grant.kind(), grant.delta_qirat),
        (EntryKind::Grant, signed(GRANT))
    );
    let mut seen: Vec<_> = transfer.iter().map(|e| (e.kind(), e.delta_qirat)).collect();
    seen.sort_by_key(|(_, delta)| std::cmp::Reverse(*delta));
    assert_eq!(seen, expected);
    let sum: i64 = entries.iter().map(|entry| entry.delta_qirat).sum();
    assert_eq!(
        person.wallet(0).await.balance_qirat,
        u64::try_from(sum).unwrap()
    );
    let told = |entry: &&Entry| entry.kind() == EntryKind::Transfer;
    let entry = transfer.iter().find(told).expect("a transfer");
    assert_eq!(entry.reference, "for the piano");
    assert_eq!(
        entry.operation.is_empty(),
        entry.delta_qirat > 0,
        "only its owner's"
    );
}

async fn check_supply(gx: &Gx, block: u64) {
    let supply = gx.supply(block).await;
    let parts = supply.pools_qirat + supply.treasuries_qirat + supply.circulating_qirat;
    assert_eq!(parts, supply.maximum_qirat);
    assert_eq!(supply.treasuries_qirat, 2 * 50 * GX);
    let pool = |name: &str| supply.pools.iter().find(|pool| pool.account == name);
    let balance = |name: &str| pool(name).expect("a pool").balance_qirat;
    assert_eq!(balance("SYSTEM_OPERATIONS_FUND"), 18_750_000_000 * GX + FEE);
    assert_eq!(
        balance("SYSTEM_USER_GENESIS_POOL"),
        577_500_000_000 * GX - 2 * GRANT
    );
    assert_eq!(
        balance("SYSTEM_GOVT_GENESIS_POOL"),
        152_000_000_000 * GX - 2 * 50 * GX
    );
}

fn signed(qirat: u64) -> i64 {
    i64::try_from(qirat).expect("a sum")
}
