//! Generated clients of every service over one connection.

use std::time::Duration;

use gx_proto::gx::{
    identity::v1::identity_service_client::IdentityServiceClient,
    ledger::v1::ledger_service_client::LedgerServiceClient,
    operation::v1::operation_service_client::OperationServiceClient,
    tokenomics::v1::tokenomics_service_client::TokenomicsServiceClient,
    wallet::v1::wallet_service_client::WalletServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

/// After which a call is broken.
const LONGEST_CALL: Duration = Duration::from_secs(75);

/// Bytes of one answer that a slow connection takes before they are read.
const SLOW_WINDOW: u32 = 1_000;

/// A connection with the token that its calls carry.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) channel: Channel,
    authorization: Authorization,
}

/// Adds the token to a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorization(Option<MetadataValue<Ascii>>);

impl Interceptor for Authorization {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            let value = value.clone();
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

type Channelled = InterceptedService<Channel, Authorization>;

impl Client {
    /// A new connection to a port.
    pub(crate) fn to(port: u16) -> Self {
        let address = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
        let endpoint = address.expect("an address").timeout(LONGEST_CALL);
        Self::new(endpoint.connect_lazy())
    }

    /// A new connection that takes little ahead of its reader.
    pub(crate) fn slow_to(port: u16) -> Self {
        let address = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
        let endpoint = address.expect("an address").timeout(LONGEST_CALL);
        Self::new(
            endpoint
                .initial_stream_window_size(SLOW_WINDOW)
                .connect_lazy(),
        )
    }

    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            authorization: Authorization::default(),
        }
    }

    /// The same connection with an access token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with_authorization(&format!("Bearer {token}"))
    }

    /// The same connection with any `authorization`.
    pub(crate) fn with_authorization(&self, value: &str) -> Self {
        Self {
            channel: self.channel.clone(),
            authorization: Authorization(Some(value.parse().expect("a header's value"))),
        }
    }

    /// The same token on another connection.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self {
            channel: other.channel.clone(),
            authorization: self.authorization.clone(),
        }
    }

    fn channelled(&self) -> Channelled {
        InterceptedService::new(self.channel.clone(), self.authorization.clone())
    }

    pub(crate) fn identity(&self) -> IdentityServiceClient<Channelled> {
        IdentityServiceClient::new(self.channelled())
    }

    pub(crate) fn wallet(&self) -> WalletServiceClient<Channelled> {
        WalletServiceClient::new(self.channelled())
    }

    pub(crate) fn tokenomics(&self) -> TokenomicsServiceClient<Channelled> {
        TokenomicsServiceClient::new(self.channelled())
    }

    pub(crate) fn operation(&self) -> OperationServiceClient<Channelled> {
        OperationServiceClient::new(self.channelled())
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Channelled> {
        LedgerServiceClient::new(self.channelled())
    }
}
