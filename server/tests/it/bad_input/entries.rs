//! Requests for an entry, a watched wallet, and an account to recognize.

use gx_proto::gx::wallet::v1::{GetEntryRequest, ResolveAccountRequest, WatchWalletRequest};
use tonic::Code;

use super::{Case, World};
use crate::harness::unopened_account;

const UNKNOWN: (Code, &str) = (Code::NotFound, "NOT_FOUND");

pub(super) fn cases(world: &World) -> Vec<Case> {
    let mut cases = entries(world);
    cases.extend(watches(world));
    cases.extend(accounts(world));
    cases
}

fn entries(world: &World) -> Vec<Case> {
    let get = |account: &str, name: &str, min_block| {
        let mut wallet = world.ann.client.wallet();
        let request = GetEntryRequest {
            account: account.to_owned(),
            name: name.to_owned(),
            min_block,
        };
        async move { wallet.get_entry(request).await }
    };
    let (ann, bee) = (&world.ann.account, &world.bee.account);
    let missing = "entries/1000000-0-0-0";
    let named = |name| Case::fields("an entry's bad name", &["name"], get(ann, name, 0));
    let mut cases: Vec<_> = [
        "",
        "1-0-0-0",
        "entries/1",
        "entries/01-0-0-0",
        "entries/1-0-0--1",
    ]
    .map(named)
    .into();
    cases.extend([
        Case::fields("an entry of nobody", &["account", "name"], get("", "", 0)),
        Case::new("no entry", UNKNOWN, get(ann, missing, 0)),
        Case::new("another's entry", UNKNOWN, get(bee, missing, 0)),
        Case::new(
            "an entry that is awaited in vain",
            (Code::FailedPrecondition, "STALE_READ"),
            get(ann, missing, 1_000_000),
        ),
    ]);
    cases
}

fn watches(world: &World) -> Vec<Case> {
    let watch = |account: &str, position: &str| {
        let mut wallet = world.ann.client.wallet();
        let request = WatchWalletRequest {
            account: account.to_owned(),
            position: position.to_owned(),
        };
        async move { wallet.watch_wallet(request).await }
    };
    vec![
        Case::fields(
            "a watch on nobody from nowhere",
            &["account", "position"],
            watch("GX-nobody", "-1"),
        ),
        Case::new(
            "a watch on another's wallet",
            UNKNOWN,
            watch(&world.bee.account, ""),
        ),
        Case::new(
            "a watch on no wallet",
            UNKNOWN,
            watch(&unopened_account(1), "7"),
        ),
    ]
}

fn accounts(world: &World) -> Vec<Case> {
    let resolve = |account: &str| {
        let mut wallet = world.ann.client.wallet();
        let account = account.to_owned();
        async move {
            wallet
                .resolve_account(ResolveAccountRequest { account })
                .await
        }
    };
    vec![
        Case::fields("an account by no name", &["account"], resolve("")),
        Case::new(
            "an account that nobody has",
            UNKNOWN,
            resolve(&unopened_account(1)),
        ),
        Case::new("no treasury", UNKNOWN, resolve("TREASURY_ZZ")),
    ]
}
