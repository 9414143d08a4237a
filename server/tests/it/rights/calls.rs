//! One good call of every method.

use gx_proto::gx::{
    identity::v1::{
        ApproveVerificationRequest, BindAccountRequest, ChangePasswordRequest,
        CompleteRegistrationRequest, DenyVerificationRequest, DocumentType,
        DownloadDocumentRequest, GetMeRequest, GetVerificationRequest, ListPublicKeysRequest,
        ListSessionsRequest, ListVerificationsRequest, LoginRequest, LogoutRequest,
        RefreshSessionRequest, RevokeSessionRequest, StartRegistrationRequest,
        SubmitVerificationRequest, UploadDocumentRequest, VerifyContactRequest,
    },
    ledger::v1::{
        GetBlockRequest, GetLedgerRequest, GetTransactionRequest, ListBlocksRequest,
        StreamBlocksRequest,
    },
    operation::v1::{
        GetOperationRequest, ListOperationsRequest, WaitOperationRequest, WatchOperationRequest,
    },
    tokenomics::v1::{
        GetCountryRequest, GetFeeScheduleRequest, GetGenesisProgressRequest,
        GetGenesisScheduleRequest, GetSupplyRequest, ListCountriesRequest, ListPoolsRequest,
    },
    wallet::v1::{
        BatchTransferRequest, GetEntryRequest, GetWalletRequest, ListEntriesRequest,
        QuoteTransferRequest, ResolveAccountRequest, TransferRequest, WatchWalletRequest,
    },
};
use gx_server::id::random_uuid;
use tonic::Status;

use super::world::Rows;
use crate::harness::{Client, PASSWORD, PNG, batched, unused_contact};

/// Calls a method with what is its caller's, or another's.
pub(super) async fn call(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    match method {
        "StartRegistration"
        | "VerifyContact"
        | "CompleteRegistration"
        | "Login"
        | "ListPublicKeys"
        | "ChangePassword"
        | "GetMe" => person(client, method, rows).await,
        "RefreshSession" | "Logout" | "ListSessions" | "RevokeSession" => {
            session(client, method, rows).await
        }
        "UploadDocument"
        | "DownloadDocument"
        | "SubmitVerification"
        | "GetVerification"
        | "ListVerifications"
        | "ApproveVerification"
        | "DenyVerification"
        | "BindAccount" => verification(client, method, rows).await,
        "GetWallet" | "ListEntries" | "QuoteTransfer" | "Transfer" | "BatchTransfer" => {
            wallet(client, method, rows).await
        }
        "GetEntry" | "WatchWallet" | "ResolveAccount" => entries(client, method, rows).await,
        "GetLedger" | "GetBlock" | "ListBlocks" | "GetTransaction" | "StreamBlocks" => {
            ledger(client, method, rows).await
        }
        _ => others(client, method, rows).await,
    }
}

async fn person(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut identity = client.identity();
    let registration_token = rows.registration.clone();
    match method {
        "StartRegistration" => {
            let contact = unused_contact();
            let request = StartRegistrationRequest { contact };
            identity.start_registration(request).await.map(drop)
        }
        "VerifyContact" => {
            let request = VerifyContactRequest {
                registration_token,
                code: rows.code.clone(),
            };
            identity.verify_contact(request).await.map(drop)
        }
        "CompleteRegistration" => {
            let request = CompleteRegistrationRequest {
                registration_token,
                given_names: "Ann".to_owned(),
                family_name: "Bee".to_owned(),
                birth_date: "1990-05-17".to_owned(),
                nationality: "DE".to_owned(),
                password: PASSWORD.to_owned(),
            };
            identity.complete_registration(request).await.map(drop)
        }
        "Login" => {
            let request = LoginRequest {
                contact: rows.contact.clone(),
                password: PASSWORD.to_owned(),
                label: String::new(),
            };
            identity.login(request).await.map(drop)
        }
        "ListPublicKeys" => identity
            .list_public_keys(ListPublicKeysRequest {})
            .await
            .map(drop),
        "ChangePassword" => {
            let request = ChangePasswordRequest {
                current_password: PASSWORD.to_owned(),
                new_password: "another passphrase".to_owned(),
            };
            identity.change_password(request).await.map(drop)
        }
        _ => identity.get_me(GetMeRequest::default()).await.map(drop),
    }
}

async fn session(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut identity = client.identity();
    match method {
        "RefreshSession" => {
            let request = RefreshSessionRequest {
                refresh_token: rows.refresh_token.clone(),
                request_id: random_uuid().to_string(),
            };
            identity.refresh_session(request).await.map(drop)
        }
        "Logout" => identity.logout(LogoutRequest {}).await.map(drop),
        "ListSessions" => {
            let request = ListSessionsRequest::default();
            identity.list_sessions(request).await.map(drop)
        }
        _ => {
            let name = rows.session.clone();
            let request = RevokeSessionRequest { name };
            identity.revoke_session(request).await.map(drop)
        }
    }
}

async fn verification(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut identity = client.identity();
    let name = rows.verification.clone();
    match method {
        "UploadDocument" => {
            let request = UploadDocumentRequest {
                content: PNG.to_vec(),
                content_type: "image/png".to_owned(),
            };
            identity.upload_document(request).await.map(drop)
        }
        "DownloadDocument" => {
            let name = rows.document.clone();
            let request = DownloadDocumentRequest { name };
            let mut parts = identity.download_document(request).await?.into_inner();
            while parts.message().await?.is_some() {}
            Ok(())
        }
        "SubmitVerification" => {
            let request = SubmitVerificationRequest {
                document_type: DocumentType::Passport.into(),
                document_country: "DE".to_owned(),
                document_number: random_uuid().simple().to_string(),
                documents: vec![rows.document.clone()],
            };
            identity.submit_verification(request).await.map(drop)
        }
        "GetVerification" => {
            let request = GetVerificationRequest { name };
            identity.get_verification(request).await.map(drop)
        }
        "ListVerifications" => {
            let request = ListVerificationsRequest::default();
            identity.list_verifications(request).await.map(drop)
        }
        "ApproveVerification" => {
            let request_id = random_uuid().to_string();
            let request = ApproveVerificationRequest { name, request_id };
            identity.approve_verification(request).await.map(drop)
        }
        "BindAccount" => {
            let account = rows.account.clone();
            let request = BindAccountRequest { name, account };
            identity.bind_account(request).await.map(drop)
        }
        _ => {
            let reason = "the picture cannot be read".to_owned();
            let request = DenyVerificationRequest { name, reason };
            identity.deny_verification(request).await.map(drop)
        }
    }
}

async fn wallet(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut wallet = client.wallet();
    let (account, receiver) = (rows.account.clone(), rows.receiver.clone());
    match method {
        "GetWallet" => {
            let request = GetWalletRequest {
                account,
                min_block: 0,
            };
            wallet.get_wallet(request).await.map(drop)
        }
        "ListEntries" => {
            let request = ListEntriesRequest {
                account,
                ..ListEntriesRequest::default()
            };
            wallet.list_entries(request).await.map(drop)
        }
        "QuoteTransfer" => {
            let request = QuoteTransferRequest {
                account,
                receiver,
                amount_qirat: 1,
            };
            wallet.quote_transfer(request).await.map(drop)
        }
        "BatchTransfer" => {
            let request = BatchTransferRequest {
                account,
                transfers: vec![batched(&receiver, 1, 0)],
            };
            wallet.batch_transfer(request).await.map(drop)
        }
        _ => {
            let request = TransferRequest {
                account,
                request_id: random_uuid().to_string(),
                receiver,
                amount_qirat: 1,
                max_fee_qirat: 0,
                reference: String::new(),
            };
            wallet.transfer(request).await.map(drop)
        }
    }
}

async fn entries(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut wallet = client.wallet();
    let account = rows.account.clone();
    match method {
        "GetEntry" => {
            let request = GetEntryRequest {
                account,
                name: rows.entry.clone(),
                min_block: 0,
            };
            wallet.get_entry(request).await.map(drop)
        }
        "WatchWallet" => {
            let position = String::new();
            let request = WatchWalletRequest { account, position };
            let stream = wallet.watch_wallet(request).await?;
            let first = stream.into_inner().message().await?;
            assert!(first.is_some_and(|sent| sent.wallet.is_some()));
            Ok(())
        }
        _ => {
            let request = ResolveAccountRequest { account };
            wallet.resolve_account(request).await.map(drop)
        }
    }
}

async fn ledger(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let mut ledger = client.ledger();
    let min_block = 0;
    match method {
        "GetLedger" => ledger.get_ledger(GetLedgerRequest {}).await.map(drop),
        "GetBlock" => {
            let name = "blocks/0".to_owned();
            let request = GetBlockRequest { name, min_block };
            ledger.get_block(request).await.map(drop)
        }
        "ListBlocks" => {
            let request = ListBlocksRequest::default();
            ledger.list_blocks(request).await.map(drop)
        }
        "GetTransaction" => {
            let name = rows.transaction.clone();
            let request = GetTransactionRequest { name, min_block };
            ledger.get_transaction(request).await.map(drop)
        }
        _ => {
            let request = StreamBlocksRequest::default();
            let stream = ledger.stream_blocks(request).await?;
            let first = stream.into_inner().message().await?;
            assert!(first.is_some(), "the first block");
            Ok(())
        }
    }
}

async fn others(client: Client, method: &str, rows: &Rows) -> Result<(), Status> {
    let (mut operation, mut tokenomics) = (client.operation(), client.tokenomics());
    let name = rows.operation.clone();
    match method {
        "GetOperation" => {
            let request = GetOperationRequest { name };
            operation.get_operation(request).await.map(drop)
        }
        "ListOperations" => {
            let request = ListOperationsRequest::default();
            operation.list_operations(request).await.map(drop)
        }
        "WaitOperation" => {
            let timeout_ms = 0;
            let request = WaitOperationRequest { name, timeout_ms };
            operation.wait_operation(request).await.map(drop)
        }
        "WatchOperation" => {
            let request = WatchOperationRequest { name };
            let mut stream = operation.watch_operation(request).await?.into_inner();
            let first = stream.message().await?;
            assert!(first.is_some(), "the operation");
            assert!(stream.message().await?.is_none(), "its outcome is the end");
            Ok(())
        }
        "GetSupply" => {
            let request = GetSupplyRequest::default();
            tokenomics.get_supply(request).await.map(drop)
        }
        "ListCountries" => {
            let request = ListCountriesRequest::default();
            tokenomics.list_countries(request).await.map(drop)
        }
        "GetCountry" => {
            let code = "KE".to_owned();
            let request = GetCountryRequest { code, min_block: 0 };
            tokenomics.get_country(request).await.map(drop)
        }
        "ListPools" => {
            let request = ListPoolsRequest::default();
            tokenomics.list_pools(request).await.map(drop)
        }
        "GetGenesisProgress" => {
            let request = GetGenesisProgressRequest::default();
            tokenomics.get_genesis_progress(request).await.map(drop)
        }
        "GetFeeSchedule" => {
            let request = GetFeeScheduleRequest {};
            tokenomics.get_fee_schedule(request).await.map(drop)
        }
        "GetGenesisSchedule" => {
            let request = GetGenesisScheduleRequest {};
            tokenomics.get_genesis_schedule(request).await.map(drop)
        }
        other => panic!("no call of {other}"),
    }
}
