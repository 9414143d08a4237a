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

use super::ports::Ports;

/// After which a call is broken.
const LONGEST_CALL: Duration = Duration::from_secs(75);

/// Bytes of one answer that a slow connection takes before they are read.
const SLOW_WINDOW: u32 = 1_000;

/// Connections with the token that their calls carry.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    identity: Channel,
    /// Where wallets are served, and where one process serves all, everything.
    pub(crate) wallet: Channel,
    tokenomics: Channel,
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
    /// A new connection to a port that serves everything.
    pub(crate) fn to(port: u16) -> Self {
        Self::new(channel(port))
    }

    /// New connections to the ports of a system.
    pub(super) fn of(ports: &Ports) -> Self {
        if ports.identity == ports.wallet || ports.metrics.len() == 1 {
            return Self::to(ports.identity);
        }
        Self {
            identity: channel(ports.identity),
            wallet: channel(ports.wallet),
            tokenomics: channel(ports.tokenomics),
            authorization: Authorization::default(),
        }
    }

    /// A new connection that takes little ahead of its reader.
    pub(crate) fn slow_to(port: u16) -> Self {
        let endpoint = endpoint(port).initial_stream_window_size(SLOW_WINDOW);
        Self::new(endpoint.connect_lazy())
    }

    pub(super) fn new(channel: Channel) -> Self {
        Self {
            identity: channel.clone(),
            wallet: channel.clone(),
            tokenomics: channel,
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
            authorization: Authorization(Some(value.parse().expect("a header's value"))),
            ..self.clone()
        }
    }

    /// The same token on another connection.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self {
            authorization: self.authorization.clone(),
            ..other.clone()
        }
    }

    /// The access token that its calls carry; empty if they carry none.
    pub(crate) fn token(&self) -> String {
        let value = self.authorization.0.as_ref();
        let value = value.map(|value| value.to_str().expect("text"));
        value
            .map_or("", |value| value.trim_start_matches("Bearer "))
            .to_owned()
    }

    fn over_channel(&self, channel: &Channel) -> Channelled {
        InterceptedService::new(channel.clone(), self.authorization.clone())
    }

    pub(crate) fn identity(&self) -> IdentityServiceClient<Channelled> {
        IdentityServiceClient::new(self.over_channel(&self.identity))
    }

    pub(crate) fn wallet(&self) -> WalletServiceClient<Channelled> {
        WalletServiceClient::new(self.over_channel(&self.wallet))
    }

    pub(crate) fn tokenomics(&self) -> TokenomicsServiceClient<Channelled> {
        TokenomicsServiceClient::new(self.over_channel(&self.tokenomics))
    }

    /// Every role serves it; the one that commands of money go to is asked.
    pub(crate) fn operation(&self) -> OperationServiceClient<Channelled> {
        OperationServiceClient::new(self.over_channel(&self.wallet))
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Channelled> {
        LedgerServiceClient::new(self.over_channel(&self.tokenomics))
    }
}

fn channel(port: u16) -> Channel {
    endpoint(port).connect_lazy()
}

fn endpoint(port: u16) -> Endpoint {
    let address = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
    address.expect("an address").timeout(LONGEST_CALL)
}
