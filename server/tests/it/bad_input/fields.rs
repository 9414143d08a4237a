//! Fields out of their bounds, and names of nothing.

use gx_proto::gx::{
    ledger::v1::{GetBlockRequest, GetTransactionRequest, ListBlocksRequest, StreamBlocksRequest},
    operation::v1::{
        GetOperationRequest, ListOperationsRequest, WaitOperationRequest, WatchOperationRequest,
    },
    tokenomics::v1::ListCountriesRequest,
    wallet::v1::{GetWalletRequest, ListEntriesRequest, QuoteTransferRequest, TransferRequest},
};
use tonic::Code;

use super::{Case, World};
use crate::harness::{Client, unopened_account};

const SUPPLY: u64 = 1_250_000_000_000_000_000;

/// The account with its check symbol changed.
fn miswritten(account: &str) -> String {
    let (most, check) = account.split_at(account.len() - 1);
    format!("{most}{}", if check == "0" { "1" } else { "0" })
}

/// The account with two neighbours swapped that differ.
fn swapped(account: &str) -> String {
    let mut symbols: Vec<char> = account.chars().collect();
    let place = (3..symbols.len() - 1)
        .find(|place| {
            let pair = [symbols[*place], symbols[place + 1]];
            pair[0] != pair[1] && !pair.contains(&'-')
        })
        .expect("neighbours that differ");
    symbols.swap(place, place + 1);
    symbols.into_iter().collect()
}

pub(super) fn transfers(world: &World) -> Vec<Case> {
    let good = world.ann.to(&world.bee.account, 1, 0);
    let case = |what, fields, change: &dyn Fn(&mut TransferRequest)| {
        let mut request = good.clone();
        change(&mut request);
        let mut wallet = world.ann.client.wallet();
        Case::fields(what, fields, async move { wallet.transfer(request).await })
    };
    vec![
        case("no amount", &["amount_qirat"], &|t| t.amount_qirat = 0),
        case("more than there is", &["amount_qirat"], &|t| {
            t.amount_qirat = SUPPLY + 1;
        }),
        case(
            "amount and fee beyond the supply",
            &["max_fee_qirat"],
            &|t| {
                t.amount_qirat = SUPPLY;
                t.max_fee_qirat = 1;
            },
        ),
        case("amount and fee beyond 64 bits", &["max_fee_qirat"], &|t| {
            t.max_fee_qirat = u64::MAX;
        }),
        case("both beyond", &["amount_qirat", "max_fee_qirat"], &|t| {
            t.amount_qirat = u64::MAX;
            t.max_fee_qirat = u64::MAX;
        }),
        case("check symbol of the sender", &["account"], &|t| {
            t.account = miswritten(&t.account);
        }),
        case("check symbol of the receiver", &["receiver"], &|t| {
            t.receiver = miswritten(&t.receiver);
        }),
        case("two swapped", &["receiver"], &|t| {
            t.receiver = swapped(&t.receiver)
        }),
        case("a pool as sender", &["account"], &|t| {
            t.account = "SYSTEM_LOAN_POOL".to_owned();
        }),
        case("no request_id", &["request_id"], &|t| t.request_id.clear()),
        case("a request_id that is no UUID", &["request_id"], &|t| {
            t.request_id = "1".to_owned();
        }),
        case("a long reference", &["reference"], &|t| {
            t.reference = "ä".repeat(141)
        }),
        case("a reference of two lines", &["reference"], &|t| {
            t.reference = "two\nlines".to_owned();
        }),
        case(
            "everything",
            &["account", "request_id", "receiver", "amount_qirat"],
            &|t| *t = TransferRequest::default(),
        ),
    ]
}

pub(super) async fn reads(world: &World) -> Vec<Case> {
    let mut cases = wallets(world);
    cases.extend(pages(world).await);
    cases.extend(operations(&world.ann.client));
    cases.extend(blocks(&world.ann.client));
    cases.extend(streams(&world.ann.client));
    cases
}

fn wallets(world: &World) -> Vec<Case> {
    let unknown = (Code::NotFound, "NOT_FOUND");
    let client = world.ann.client.clone();
    let get = |account: String| {
        let mut wallet = client.wallet();
        let min_block = 0;
        async move {
            wallet
                .get_wallet(GetWalletRequest { account, min_block })
                .await
        }
    };
    let quote = |account: &str, receiver: &str| {
        let mut wallet = client.wallet();
        let request = QuoteTransferRequest {
            account: account.to_owned(),
            receiver: receiver.to_owned(),
            amount_qirat: 1,
        };
        async move { wallet.quote_transfer(request).await }
    };
    let (ann, bee) = (&world.ann.account, &world.bee.account);
    let missing = unopened_account(1);
    let mut wallet = client.wallet();
    let transfer = TransferRequest {
        account: missing.clone(),
        ..world.ann.to(bee, 1, 0)
    };
    vec![
        Case::fields("a wallet by no name", &["account"], get(String::new())),
        Case::fields(
            "a wallet by a wrong name",
            &["account"],
            get(miswritten(ann)),
        ),
        Case::new("an unknown wallet", unknown, get(missing.clone())),
        Case::new("another's wallet", unknown, get(bee.clone())),
        Case::new(
            "a pool's wallet",
            unknown,
            get("SYSTEM_LOAN_POOL".to_owned()),
        ),
        Case::new(
            "a quote for an unknown receiver",
            unknown,
            quote(ann, &missing),
        ),
        Case::new(
            "a quote from an unknown sender",
            unknown,
            quote(&missing, bee),
        ),
        Case::fields("a quote to nobody", &["receiver"], quote(ann, "")),
        Case::new("a transfer from an unknown sender", unknown, async move {
            wallet.transfer(transfer).await
        }),
    ]
}

async fn pages(world: &World) -> Vec<Case> {
    let request = ListCountriesRequest {
        page_size: 1,
        ..ListCountriesRequest::default()
    };
    let countries = world.gx.client().tokenomics().list_countries(request).await;
    let foreign = countries.expect("countries").into_inner().next_page_token;
    assert!(!foreign.is_empty());
    let entries = |page_size, page_token: &str| {
        let mut wallet = world.ann.client.wallet();
        let request = ListEntriesRequest {
            account: world.ann.account.clone(),
            page_size,
            page_token: page_token.to_owned(),
            min_block: 0,
        };
        async move { wallet.list_entries(request).await }
    };
    vec![
        Case::fields("a page too large", &["page_size"], entries(201, "")),
        Case::fields(
            "a page token of no page",
            &["page_token"],
            entries(0, "e30"),
        ),
        Case::fields(
            "a page token of another list",
            &["page_token"],
            entries(0, &foreign),
        ),
        Case::fields("both", &["page_size", "page_token"], entries(u32::MAX, "*")),
    ]
}

fn operations(client: &Client) -> Vec<Case> {
    let upper = format!("operations/{}", "A".repeat(32));
    let mut cases: Vec<_> = [
        "".to_owned(),
        "operations/".to_owned(),
        "operations/1".to_owned(),
        format!("operation/{}", "0".repeat(32)),
        format!("operations/{}", "0".repeat(33)),
        format!("operations/{}-", "0".repeat(31)),
        upper,
    ]
    .into_iter()
    .map(|name| {
        let mut operation = client.operation();
        Case::fields("an operation's bad name", &["name"], async move {
            operation.get_operation(GetOperationRequest { name }).await
        })
    })
    .collect();
    let wait = |name: &str, timeout_ms| {
        let mut operation = client.operation();
        let name = name.to_owned();
        async move {
            let request = WaitOperationRequest { name, timeout_ms };
            operation.wait_operation(request).await
        }
    };
    let mut listed = client.operation();
    let list = ListOperationsRequest {
        states: vec![0],
        types: vec![99],
        page_size: 201,
        page_token: "e30".to_owned(),
    };
    let fields = &["states", "types", "page_size", "page_token"];
    cases.push(Case::fields(
        "a bad list of operations",
        fields,
        async move { listed.list_operations(list).await },
    ));
    cases.push(Case::fields(
        "a wait too long for no operation",
        &["name", "timeout_ms"],
        wait("x", 60_001),
    ));
    cases.push(Case::new(
        "an operation that is not there",
        (Code::NotFound, "NOT_FOUND"),
        wait(&format!("operations/{}", "0".repeat(32)), 60_000),
    ));
    cases
}

fn blocks(client: &Client) -> Vec<Case> {
    let block = |name: &str, min_block| {
        let (mut ledger, name) = (client.ledger(), name.to_owned());
        async move { ledger.get_block(GetBlockRequest { name, min_block }).await }
    };
    let transaction = |name: String| {
        let mut ledger = client.ledger();
        let min_block = 0;
        async move {
            let request = GetTransactionRequest { name, min_block };
            ledger.get_transaction(request).await
        }
    };
    let unknown = (Code::NotFound, "NOT_FOUND");
    let named = |name| Case::fields("a block's bad name", &["name"], block(name, 0));
    let names = ["", "0", "blocks/", "blocks/00", "blocks/-1", "blocks/x"];
    let mut cases: Vec<_> = names.map(named).into();
    let (short, upper) = ("0".repeat(63), "A".repeat(64));
    for name in ["", "transactions/", &short, &upper] {
        let name = format!("transactions/{name}");
        let case = Case::fields("a transaction's bad name", &["name"], transaction(name));
        cases.push(case);
    }
    let missing = format!("transactions/{}", "0".repeat(64));
    let mut ledger = client.ledger();
    let request = ListBlocksRequest {
        page_size: 201,
        page_token: "e30".to_owned(),
        min_block: 0,
    };
    cases.extend([
        Case::new("a block to come", unknown, block("blocks/1000000", 0)),
        Case::new(
            "no block ever",
            unknown,
            block("blocks/18446744073709551615", 0),
        ),
        Case::new(
            "a block that is awaited in vain",
            (Code::FailedPrecondition, "STALE_READ"),
            block("blocks/0", 1_000_000),
        ),
        Case::new("no transaction", unknown, transaction(missing)),
        Case::fields(
            "a bad page of blocks",
            &["page_size", "page_token"],
            async move { ledger.list_blocks(request).await },
        ),
    ]);
    cases
}

fn streams(client: &Client) -> Vec<Case> {
    let stream = |from_block, account: &str, types: Vec<i32>| {
        let mut ledger = client.ledger();
        let request = StreamBlocksRequest {
            from_block,
            account: account.to_owned(),
            types,
        };
        async move { ledger.stream_blocks(request).await }
    };
    let watch = |name: &str| {
        let (mut operation, name) = (client.operation(), name.to_owned());
        async move {
            operation
                .watch_operation(WatchOperationRequest { name })
                .await
        }
    };
    let nobody_s = format!("operations/{}", "0".repeat(32));
    vec![
        Case::fields(
            "a stream of nothing that there is",
            &["from_block", "account", "types"],
            stream(u64::MAX, "GX-nobody", vec![1_000]),
        ),
        Case::fields("too many kinds", &["types"], stream(0, "", vec![1; 33])),
        Case::fields("a watch on no name", &["name"], watch("operations/1")),
        Case::new(
            "a watch on no operation",
            (Code::NotFound, "NOT_FOUND"),
            watch(&nobody_s),
        ),
    ]
}
