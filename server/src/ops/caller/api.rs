//! The interface of a running system: connections, calls, and waiting for
//! operations.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use gx_proto::gx::{
    identity::v1::identity_service_client::IdentityServiceClient,
    operation::v1::{
        Operation, OperationState, WaitOperationRequest, operation,
        operation_service_client::OperationServiceClient,
    },
    tokenomics::v1::tokenomics_service_client::TokenomicsServiceClient,
    wallet::v1::wallet_service_client::WalletServiceClient,
};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use crate::{listen, roles::Role};

/// How long to connect, and how long one call may take.
const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(20);
/// How long to go on asking a server that asks to wait, and how long to wait for
/// an operation.
const PATIENCE: Duration = Duration::from_secs(30);
const OPERATION: Duration = Duration::from_secs(60);
/// How long to wait where the server does not say.
const PAUSE: Duration = Duration::from_millis(500);

/// Clients of all services.
#[derive(Debug)]
pub(in crate::ops) struct Api {
    /// Where they were found: identity, wallet, tokenomics.
    pub(in crate::ops) places: [String; 3],
    pub(in crate::ops) identity: IdentityServiceClient<Channel>,
    pub(in crate::ops) wallet: WalletServiceClient<Channel>,
    pub(in crate::ops) tokenomics: TokenomicsServiceClient<Channel>,
    pub(in crate::ops) operation: OperationServiceClient<Channel>,
}

impl Api {
    /// Connects to one endpoint for everything, or to the ports of a process.
    pub(in crate::ops) async fn connect(
        data_dir: &Path,
        endpoint: Option<&str>,
    ) -> anyhow::Result<Self> {
        let places = match endpoint {
            Some(endpoint) => [(); 3].map(|()| endpoint.to_owned()),
            None => ports(data_dir)?,
        };
        let identity = channel(&places[0]).await?;
        let wallet = channel(&places[1]).await?;
        let tokenomics = channel(&places[2]).await?;
        Ok(Self {
            places,
            operation: OperationServiceClient::new(identity.clone()),
            identity: IdentityServiceClient::new(identity),
            wallet: WalletServiceClient::new(wallet),
            tokenomics: TokenomicsServiceClient::new(tokenomics),
        })
    }

    /// Waits until an operation is decided, and answers one that succeeded.
    pub(in crate::ops) async fn settled(
        &self,
        token: &str,
        name: &str,
    ) -> anyhow::Result<Operation> {
        let begun = Instant::now();
        loop {
            let message = WaitOperationRequest {
                name: name.to_owned(),
                timeout_ms: 5_000,
            };
            let wait = async |mut api: OperationServiceClient<Channel>, message| {
                api.wait_operation(message).await
            };
            let answer = call(&self.operation, Some(token), message, wait).await?;
            let operation = answer.operation.context("no operation was answered")?;
            match operation.state() {
                OperationState::Succeeded => return Ok(operation),
                OperationState::Refused => bail!("{name} was refused: {}", why(&operation)),
                state if begun.elapsed() >= OPERATION => {
                    let state = state.as_str_name();
                    bail!("{name} is still {state} after {} s", OPERATION.as_secs());
                }
                _ => {}
            }
        }
    }
}

/// The ports that the processes on `data_dir` wrote: one for everything, or one a
/// service.
fn ports(data_dir: &Path) -> anyhow::Result<[String; 3]> {
    let mut ports = BTreeMap::new();
    for role in [Role::All, Role::Identity, Role::Wallet, Role::Tokenomics] {
        let path = data_dir.join(listen::ports_file(role.name()));
        let Ok(text) = std::fs::read(&path) else {
            continue;
        };
        let told: BTreeMap<String, u16> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        ports.extend(told);
    }
    let port = |name| {
        let port = ports.get(name).copied();
        port.with_context(|| {
            let data_dir = data_dir.display();
            format!(
                "no process on {data_dir} has told its port of {name}; start gx with this \
                 data_dir, or give --endpoint"
            )
        })
    };
    let places = [port("identity")?, port("wallet")?, port("tokenomics")?];
    Ok(places.map(|port| format!("http://127.0.0.1:{port}")))
}

async fn channel(place: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(place.to_owned())
        .with_context(|| format!("{place} is no URL"))?
        .connect_timeout(CONNECT)
        .timeout(CALL);
    let connected = endpoint.connect().await;
    connected.with_context(|| format!("nothing answers at {place}; is gx running?"))
}

/// Calls a method, and again where the server asks to come back later.
pub(in crate::ops) async fn call<C: Clone, M: Clone, A>(
    client: &C,
    token: Option<&str>,
    message: M,
    method: impl AsyncFn(C, Request<M>) -> Result<Response<A>, Status>,
) -> anyhow::Result<A> {
    let begun = Instant::now();
    loop {
        let mut request = Request::new(message.clone());
        if let Some(token) = token {
            let bearer = format!("Bearer {token}").parse()?;
            request.metadata_mut().insert("authorization", bearer);
        }
        let status = match method(client.clone(), request).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        match pause(&status) {
            Some(pause) if begun.elapsed() + pause < PATIENCE => tokio::time::sleep(pause).await,
            _ => return Err(refusal(&status)),
        }
    }
}

/// How long to wait before asking again; `None` where that cannot help.
fn pause(status: &Status) -> Option<Duration> {
    if !matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) {
        return None;
    }
    let told = status.get_error_details().retry_info().cloned();
    let told = told.and_then(|info| info.retry_delay);
    Some(told.unwrap_or(PAUSE).max(PAUSE))
}

fn refusal(status: &Status) -> anyhow::Error {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone());
    let reason = reason.unwrap_or_else(|| format!("{:?}", status.code()));
    anyhow!("{reason}: {}", status.message())
}

fn why(operation: &Operation) -> &str {
    match &operation.result {
        Some(operation::Result::Error(error)) => &error.message,
        _ => "without a reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_those_of_the_running_process() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", ports(folder.path()).unwrap_err());
        assert!(error.contains("start gx"), "{error}");
        let json = r#"{"identity": 1, "wallet": 2, "tokenomics": 3, "metrics": 4}"#;
        std::fs::write(folder.path().join("ports.json"), json).unwrap();
        let found = ports(folder.path()).unwrap();
        assert_eq!(found[1], "http://127.0.0.1:2");

        std::fs::remove_file(folder.path().join("ports.json")).unwrap();
        for (role, port) in [("identity", 5), ("wallet", 6), ("tokenomics", 7)] {
            let path = folder.path().join(format!("svc-{role}.ports.json"));
            std::fs::write(path, format!(r#"{{"{role}": {port}}}"#)).unwrap();
        }
        let found = ports(folder.path()).unwrap();
        assert_eq!(found[2], "http://127.0.0.1:7");
    }
}
