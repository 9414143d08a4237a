//! Three processes a service, two submitters and two projectors on one database: whoever
//! is asked answers alike, a command that all of them are sent is one, what was written is
//! read wherever one reads, and a process that leaves takes no call with it.

use futures::future::join_all;
use gx_proto::gx::{
    identity::v1::GetMeRequest, ledger::v1::GetLedgerRequest, operation::v1::OperationState,
};

use crate::harness::{Beside, Client, Database, GX, Gx, Now, Payer, Person, block_of};

/// The processes beside those of the system, by the names that they go by.
const NAMES: [&str; 2] = ["second", "third"];
/// Payments over all processes in turn.
const PAYMENTS: usize = 12;

/// What runs beside, and a client of each wallet service that there is.
struct Replicas {
    others: Vec<Beside>,
    /// The last one, which ends first.
    last: Beside,
    identities: Vec<Client>,
    wallets: Vec<Client>,
    ledgers: Vec<Client>,
}

impl Replicas {
    async fn start(gx: &Gx) -> Self {
        let mut others = Vec::new();
        for role in ["submitter", "projector"] {
            others.push(gx.beside_as(role, NAMES[0]).await);
        }
        for (role, name) in [
            ("identity", NAMES[0]),
            ("identity", NAMES[1]),
            ("tokenomics", NAMES[0]),
            ("tokenomics", NAMES[1]),
            ("wallet", NAMES[0]),
        ] {
            others.push(gx.beside_as(role, name).await);
        }
        let last = gx.beside_as("wallet", NAMES[1]).await;
        let of = |service: &str| {
            let beside = NAMES.map(|name| gx.client_beside(name, service));
            [vec![gx.client()], beside.to_vec()].concat()
        };
        Self {
            others,
            last,
            identities: of("svc-identity"),
            wallets: of("svc-wallet"),
            ledgers: of("svc-tokenomics"),
        }
    }
}

/// The person over another process.
fn over(person: &Person, client: &Client) -> Person {
    Person {
        client: person.client.over(client),
        ..person.clone()
    }
}

#[tokio::test]
async fn whichever_of_three_processes_is_asked_a_command_is_one_and_its_effect_is_read() {
    let gx = Gx::start(Database::PostgresApart).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    let before = bee.wallet(0).await.balance_qirat;
    let replicas = Replicas::start(&gx).await;
    for number in 0..PAYMENTS {
        let transfer = ann.to(&bee.account, GX, GX);
        // All three at once.
        let sent = replicas.wallets.iter().map(|client| {
            let (ann, transfer) = (over(&ann, client), transfer.clone());
            async move { ann.sent(transfer).await.name }
        });
        let names = join_all(sent).await;
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        let client = &replicas.wallets[number % 3];
        let settled = over(&ann, client).client.settled(&names[0]).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
        let block = block_of(&settled);
        for client in &replicas.wallets {
            let wallet = over(&bee, client).wallet(block).await;
            assert_eq!(wallet.balance_qirat, before + (number as u64 + 1) * GX);
        }
    }
    for client in &replicas.identities {
        let client = ann.client.over(client);
        let me = client.identity().get_me(GetMeRequest::default()).await;
        me.expect("a session that all of them know");
    }
    for client in &replicas.ledgers {
        let client = ann.client.over(client);
        let ledger = client
            .ledger()
            .get_ledger(GetLedgerRequest::default())
            .await;
        assert!(ledger.expect("a ledger").into_inner().height > 0);
    }

    // One leaves in the middle of calls, and whoever it did not answer asks another.
    let now = Now::new(replicas.wallets[2].clone());
    let payer = Payer::new(&ann, &now);
    let transfers: Vec<_> = (0..PAYMENTS)
        .map(|_| ann.to(&bee.account, GX, GX))
        .collect();
    let (sent, ended) = futures::join!(
        join_all(transfers.iter().map(|transfer| payer.sent(transfer))),
        async {
            let ended = replicas.last.stop().await;
            now.set(gx.client());
            ended
        }
    );
    assert!(ended.success(), "{ended}");
    let mut last = 0;
    for operation in sent {
        let settled = ann.client.settled(&operation.name).await;
        assert_eq!(settled.state(), OperationState::Succeeded);
        last = last.max(block_of(&settled));
    }
    let wallet = bee.wallet(last).await;
    assert_eq!(wallet.balance_qirat, before + 2 * PAYMENTS as u64 * GX);
    drop(replicas.others);
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}
