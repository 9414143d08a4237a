//! A server on a free port, a contract that does what its argument says, and
//! transactions as peers send them.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gx_contract::{Invocation, State};
use gx_fabric::{
    ChaincodeFailure, Contract,
    ca::{Authority, Holder, Unit},
    chaincode::{self, Observer, Options, Outcome},
    contract::FUNCTION_BATCH,
    proposal::Draft,
    proto::{
        msp::SerializedIdentity,
        protos::{ChaincodeInput, ChaincodeMessage, SignedProposal, chaincode_message::Type},
    },
};
use prost::Message;
use rcgen::KeyPair;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The time of everything in tests.
pub(crate) const NOW_MS: i64 = 1_795_000_000_000;
/// Longer than any test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The package that peers have installed.
pub(crate) const PACKAGE: &str = "gx_1.0:00";
/// The channel of all transactions.
pub(crate) const CHANNEL: &str = "gx";

/// Counts what it is told.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) opened: AtomicUsize,
    pub(crate) trips: AtomicUsize,
    outcomes: Mutex<Vec<Outcome>>,
    closed: watch::Sender<usize>,
}

impl Counts {
    /// Waits until so many streams have ended, with all that ran on them.
    pub(crate) async fn closed(&self, streams: usize) {
        let mut closed = self.closed.subscribe();
        let seen = closed.wait_for(|closed| *closed >= streams);
        tokio::time::timeout(PATIENCE, seen).await.unwrap().unwrap();
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.outcomes.lock().unwrap().clone()
    }
}

impl Observer for Counts {
    fn stream_opened(&self) {
        self.opened.fetch_add(1, Ordering::SeqCst);
    }

    fn stream_closed(&self) {
        self.closed.send_modify(|closed| *closed += 1);
    }

    fn round_trip(&self) {
        self.trips.fetch_add(1, Ordering::SeqCst);
    }

    fn transaction(&self, outcome: Outcome, _: Duration) {
        self.outcomes.lock().unwrap().push(outcome);
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    pub(crate) shutdown: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Server {
    pub(crate) async fn start(contract: impl Contract + 'static) -> Self {
        Self::with(contract, |_| {}).await
    }

    /// A server with other options.
    pub(crate) async fn with(
        contract: impl Contract + 'static,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let mut options = Options {
            package_id: PACKAGE.into(),
            contract: Arc::new(contract),
            clock: Arc::new(|| NOW_MS),
            threads: 8,
            answer_timeout: PATIENCE,
            drain: PATIENCE,
            message_bytes_max: chaincode::MESSAGE_BYTES_MAX,
            tls: None,
            observer: counts.clone(),
        };
        change(&mut options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(chaincode::serve(listener, options, shutdown.clone()));
        Self {
            address,
            counts,
            shutdown,
            serving,
        }
    }

    /// Stops it and waits until nothing of it is left.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.stopped().await;
    }

    /// Waits until nothing of it is left.
    pub(crate) async fn stopped(self) {
        self.ended().await.unwrap();
    }

    /// Waits until it ends; how.
    pub(crate) async fn ended(self) -> Result<(), tonic::transport::Error> {
        let served = tokio::time::timeout(PATIENCE, self.serving).await;
        served.unwrap().unwrap()
    }
}

/// Runs words: `get a`, `fetch a b`, `put a 1`, `delete a`, `range a z 10`, `grow a 9`,
/// `say 9`, `panic`, parted by `;`. What was read is the event, or the answer.
pub(crate) struct Script;

impl Contract for Script {
    fn invoke(
        &self,
        state: &mut dyn State,
        _: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        let mut seen = Vec::new();
        for step in std::str::from_utf8(argument).unwrap().split(';') {
            let words: Vec<_> = step.split_whitespace().collect();
            match words[..] {
                ["fetch", ref keys @ ..] => {
                    let keys: Vec<_> = keys.iter().map(|&key| key.to_owned()).collect();
                    state.prefetch(&keys)?;
                }
                ["get", key] => {
                    let value = state.get(key)?.unwrap_or_else(|| b"-".to_vec());
                    seen.push(format!("{key}={}", String::from_utf8(value).unwrap()));
                }
                ["put", key, value] => state.put(key.into(), value.into()),
                ["delete", key] => state.delete(key.into()),
                ["range", start, end, limit] => {
                    let found = state.range(start, end, limit.parse().unwrap())?;
                    seen.extend(found.into_iter().map(|(key, _)| key));
                }
                ["grow", key, bytes] => state.put(key.into(), vec![b'x'; bytes.parse().unwrap()]),
                ["say", bytes] => seen.push("x".repeat(bytes.parse().unwrap())),
                ["panic"] => panic!("as the script says"),
                [] => {}
                _ => return Err(ChaincodeFailure::new(format!("cannot {step}"))),
            }
        }
        Ok(seen.join(" ").into_bytes())
    }

    fn query(&self, state: &mut dyn State, argument: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        let nobody = Invocation {
            timestamp_ms: 0,
            msp_id: String::new(),
            role: None,
        };
        self.invoke(state, &nobody, argument)
    }
}

/// The creator of a proposal: a member of GxMSP whose certificate names a role.
pub(crate) fn creator(role: Option<&str>) -> Bytes {
    let authority = Authority::create("GxMSP", NOW_MS).unwrap();
    let holder = Holder {
        name: "member".into(),
        unit: Unit::Client,
        attributes: role
            .map(|role| ("gxc_role".to_owned(), role.to_owned()))
            .into_iter()
            .collect(),
    };
    let key = KeyPair::generate().unwrap();
    let certificate = authority.issue(&holder, &key, NOW_MS, PATIENCE).unwrap();
    let identity = SerializedIdentity {
        mspid: "GxMSP".into(),
        id_bytes: certificate.into_bytes().into(),
    };
    identity.encode_to_vec().into()
}

/// Transactions of one creator.
pub(crate) struct Member {
    creator: Bytes,
    nonces: AtomicU64,
}

impl Member {
    pub(crate) fn new(role: Option<&str>) -> Self {
        Self {
            creator: creator(role),
            nonces: AtomicU64::new(1),
        }
    }

    pub(crate) fn partner() -> Self {
        Self::new(Some("gx_partner_api"))
    }

    /// A TRANSACTION that calls Batch.
    pub(crate) fn batch(&self, argument: impl Into<Bytes>) -> ChaincodeMessage {
        self.call(FUNCTION_BATCH, argument, NOW_MS)
    }

    /// A TRANSACTION that calls a function.
    pub(crate) fn call(
        &self,
        function: &str,
        argument: impl Into<Bytes>,
        timestamp_ms: i64,
    ) -> ChaincodeMessage {
        let argument = argument.into();
        let mut nonce = [0; 24];
        let number = self.nonces.fetch_add(1, Ordering::SeqCst);
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        let draft = Draft {
            channel: CHANNEL,
            chaincode: "gx",
            function,
            argument: argument.clone(),
            creator: self.creator.clone(),
            nonce,
            timestamp_ms,
        };
        let (txid, proposal_bytes) = draft.encode();
        let input = ChaincodeInput {
            args: vec![Bytes::copy_from_slice(function.as_bytes()), argument],
            ..ChaincodeInput::default()
        };
        let mut message = ChaincodeMessage {
            txid,
            channel_id: CHANNEL.into(),
            payload: input.encode_to_vec().into(),
            proposal: Some(SignedProposal {
                proposal_bytes,
                signature: Bytes::new(),
            }),
            ..ChaincodeMessage::default()
        };
        message.set_type(Type::Transaction);
        message
    }
}
