//! Ways in: one cheap read, a wallet, called by gRPC and by REST.

use gx_proto::gx::wallet::v1::{GetWalletRequest, wallet_service_client::WalletServiceClient};
use http_body_util::BodyExt as _;
use tonic::{
    Request,
    body::Body,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use tower::{Service as _, ServiceExt as _};

use super::load::{Caller, Failure};

/// Somebody who reads a wallet by gRPC.
#[derive(Debug)]
pub(super) struct Grpc {
    /// The connection.
    pub(super) channel: Channel,
    /// Who reads.
    pub(super) bearer: MetadataValue<Ascii>,
    /// The wallet.
    pub(super) account: String,
}

/// Somebody who reads it by REST, over HTTP/2 as well.
#[derive(Debug)]
pub(super) struct Rest(pub(super) Grpc);

impl Caller for Grpc {
    async fn call(&mut self) -> Result<u64, Failure> {
        let mut request = Request::new(GetWalletRequest {
            account: self.account.clone(),
            min_block: 0,
        });
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.bearer.clone());
        let mut client = WalletServiceClient::new(self.channel.clone());
        client.get_wallet(request).await?;
        Ok(1)
    }
}

impl Caller for Rest {
    async fn call(&mut self) -> Result<u64, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure(error.to_string());
        let request = http::Request::get(format!("/v1/wallets/{}", self.0.account))
            .header("authorization", self.0.bearer.as_encoded_bytes())
            .body(Body::empty())
            .map_err(|error| failed(&error))?;
        let channel = self.0.channel.ready().await;
        let answer = channel.map_err(|error| failed(&error))?.call(request).await;
        let answer = answer.map_err(|error| failed(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        body.map_err(|error| failed(&error))?;
        match status {
            http::StatusCode::OK => Ok(1),
            status => Err(failed(&status)),
        }
    }
}
