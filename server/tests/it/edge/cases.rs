//! One good message of every method.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gx_server::id::random_uuid;
use serde_json::{Value, json};

use crate::{
    harness::{PASSWORD, PNG, unused_contact},
    rights::world::{Rows, Who},
};

/// Who calls it.
pub(super) fn who(method: &str) -> Who {
    match method {
        "ApproveVerification" | "DenyVerification" | "BindAccount" => Who::Admin,
        _ => Who::Owner,
    }
}

/// How many messages of a stream that has no end are looked at; all of others.
pub(super) fn most(method: &str) -> usize {
    match method {
        "StreamBlocks" | "WatchWallet" => 1,
        _ => usize::MAX,
    }
}

/// Whether the same message again is answered with the same. Others answer of the same
/// form: tokens, times and names differ.
pub(super) fn answers_the_same(method: &str) -> bool {
    let again = [
        "QuoteTransfer",
        "ResolveAccount",
        "RevokeSession",
        "DenyVerification",
        "BindAccount",
    ];
    let reads = ["Get", "List", "Wait", "Watch", "Stream", "Download"];
    again.contains(&method) || reads.iter().any(|word| method.starts_with(word))
}

/// A message of a method, with what the caller has.
pub(super) fn message(method: &str, rows: &Rows) -> Value {
    match method {
        "GetLedger" | "GetFeeSchedule" | "GetGenesisSchedule" | "GetGenesisProgress"
        | "ListPools" | "ListPublicKeys" | "Logout" | "ListSessions" | "ListVerifications"
        | "ListOperations" | "ListCountries" | "GetMe" | "GetSupply" => json!({}),
        "ListBlocks" => json!({"pageSize": 2}),
        "StreamBlocks" => json!({"fromBlock": "1", "types": ["OPERATION_TYPE_CREATE_ACCOUNT"]}),
        "GetCountry" => json!({"code": "KE"}),
        "GetBlock" => json!({"name": "blocks/1"}),
        "GetTransaction" => json!({"name": rows.transaction}),
        "GetOperation" | "WatchOperation" => json!({"name": rows.operation}),
        "WaitOperation" => json!({"name": rows.operation, "timeoutMs": 5_000}),
        "GetVerification" => json!({"name": rows.verification}),
        "DownloadDocument" => json!({"name": rows.document}),
        "RevokeSession" => json!({"name": rows.session}),
        "DenyVerification" => json!({"name": rows.verification, "reason": "it cannot be read"}),
        "BindAccount" => json!({"name": rows.verification, "account": rows.account}),
        "ApproveVerification" => {
            json!({"name": rows.verification, "requestId": random_uuid().to_string()})
        }
        _ => of_people(method, rows).unwrap_or_else(|| of_wallets(method, rows)),
    }
}

fn of_people(method: &str, rows: &Rows) -> Option<Value> {
    Some(match method {
        "StartRegistration" => json!({"contact": unused_contact()}),
        "VerifyContact" => json!({"registrationToken": rows.registration, "code": rows.code}),
        "CompleteRegistration" => json!({
            "registrationToken": rows.registration, "givenNames": "Ann", "familyName": "Bee",
            "birthDate": "1990-05-17", "nationality": "DE", "password": PASSWORD,
        }),
        "Login" => json!({"contact": rows.contact, "password": PASSWORD, "label": "phone"}),
        "RefreshSession" => {
            json!({"refreshToken": rows.refresh_token, "requestId": random_uuid().to_string()})
        }
        "ChangePassword" => {
            json!({"currentPassword": PASSWORD, "newPassword": "another passphrase"})
        }
        "UploadDocument" => {
            json!({"content": STANDARD.encode(PNG), "contentType": "image/png"})
        }
        "SubmitVerification" => json!({
            "documentType": "DOCUMENT_TYPE_PASSPORT", "documentCountry": "DE",
            "documentNumber": random_uuid().simple().to_string(), "documents": [rows.document],
        }),
        _ => return None,
    })
}

fn of_wallets(method: &str, rows: &Rows) -> Value {
    let (account, receiver) = (&rows.account, &rows.receiver);
    let transfer = json!({
        "requestId": random_uuid().to_string(), "receiver": receiver,
        "amountQirat": "1", "maxFeeQirat": "0", "reference": "für Ämilie & co",
    });
    match method {
        "GetWallet" | "ResolveAccount" => json!({"account": account}),
        "ListEntries" => json!({"account": account, "pageSize": 1}),
        "GetEntry" => json!({"account": account, "name": rows.entry}),
        "WatchWallet" => json!({"account": account, "position": "0"}),
        "QuoteTransfer" => {
            json!({"account": account, "receiver": receiver, "amountQirat": "100000000"})
        }
        "BatchTransfer" => json!({"account": account, "transfers": [transfer]}),
        "Transfer" => {
            let mut one = transfer;
            one["account"] = json!(account);
            one
        }
        other => panic!("no case of {other}"),
    }
}
