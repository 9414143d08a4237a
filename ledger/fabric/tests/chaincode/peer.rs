//! A peer that says what a test tells it to say.

use std::collections::BTreeMap;

use futures::stream;
use gx_fabric::proto::protos::{
    ChaincodeAdditionalParams, ChaincodeEvent, ChaincodeId, ChaincodeMessage, Response,
    chaincode_client::ChaincodeClient, chaincode_message::Type,
};
use prost::Message;
use tokio::sync::mpsc;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::{
    harness::{PACKAGE, PATIENCE, Server},
    simulator::Simulator,
};

/// More than a server takes, so that it is the server that refuses.
const BYTES_MAX: usize = 1 << 30;

/// A stream to the server, from the peer's side.
pub(crate) struct Peer {
    outgoing: mpsc::Sender<ChaincodeMessage>,
    incoming: Streaming<ChaincodeMessage>,
}

/// What a transaction came to.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) kind: Type,
    pub(crate) response: Response,
    pub(crate) event: Option<ChaincodeEvent>,
}

/// What a peer of 3.1 offers, by most keys of a message.
pub(crate) fn offers(keys_max: u32) -> ChaincodeAdditionalParams {
    ChaincodeAdditionalParams {
        use_write_batch: true,
        max_size_write_batch: keys_max,
        use_get_multiple_keys: true,
        max_size_get_multiple_keys: keys_max,
    }
}

/// A message of a kind.
pub(crate) fn message(kind: Type) -> ChaincodeMessage {
    let mut message = ChaincodeMessage::default();
    message.set_type(kind);
    message
}

impl Peer {
    /// Opens a stream, and takes the registration.
    pub(crate) async fn dial(server: &Server) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let mut peer = Self::over(endpoint.connect().await.unwrap()).await.unwrap();
        let register = peer.next().await;
        assert_eq!(register.r#type(), Type::Register);
        let id = ChaincodeId::decode(register.payload).unwrap();
        assert_eq!(id.name, PACKAGE);
        peer
    }

    /// Opens a stream over a channel.
    pub(crate) async fn over(channel: Channel) -> Result<Self, Status> {
        let (outgoing, mut said) = mpsc::channel(1_024);
        let said = stream::poll_fn(move |context| said.poll_recv(context));
        let mut client = ChaincodeClient::new(channel)
            .max_decoding_message_size(BYTES_MAX)
            .max_encoding_message_size(BYTES_MAX);
        let incoming = client.connect(said).await?.into_inner();
        Ok(Self { outgoing, incoming })
    }

    /// A stream on which transactions may be sent, to a server that is offered
    /// something or nothing.
    pub(crate) async fn ready(server: &Server, offers: Option<ChaincodeAdditionalParams>) -> Self {
        let peer = Self::dial(server).await;
        peer.send(message(Type::Registered)).await;
        let mut ready = message(Type::Ready);
        ready.payload = offers.unwrap_or_default().encode_to_vec().into();
        peer.send(ready).await;
        peer
    }

    pub(crate) async fn send(&self, message: ChaincodeMessage) {
        self.outgoing.send(message).await.unwrap();
    }

    /// The next message; none at the stream's end.
    pub(crate) async fn try_next(&mut self) -> Result<Option<ChaincodeMessage>, Status> {
        let next = tokio::time::timeout(PATIENCE, self.incoming.message());
        next.await.expect("a message in time")
    }

    pub(crate) async fn next(&mut self) -> ChaincodeMessage {
        self.try_next().await.unwrap().expect("a message")
    }

    /// Has transactions run, all at once, and answers what they ask until all have
    /// ended; by transaction.
    pub(crate) async fn run(
        &mut self,
        simulator: &mut Simulator,
        transactions: Vec<ChaincodeMessage>,
    ) -> BTreeMap<String, Answer> {
        let expected = transactions.len();
        let mut answers = BTreeMap::new();
        for transaction in transactions {
            self.send(transaction).await;
        }
        while answers.len() < expected {
            let message = self.next().await;
            match message.r#type() {
                Type::Completed | Type::Error => {
                    answers.insert(message.txid.clone(), answer(message));
                }
                _ => self.send(simulator.answer(&message)).await,
            }
        }
        answers
    }

    /// Has one transaction run.
    pub(crate) async fn run_one(
        &mut self,
        simulator: &mut Simulator,
        transaction: ChaincodeMessage,
    ) -> Answer {
        let answers = self.run(simulator, vec![transaction]).await;
        answers.into_values().next().unwrap()
    }
}

/// Reads what ends a transaction.
pub(crate) fn answer(message: ChaincodeMessage) -> Answer {
    let kind = message.r#type();
    let response = match kind {
        Type::Completed => Response::decode(message.payload).unwrap(),
        _ => Response {
            message: String::from_utf8(message.payload.to_vec()).unwrap(),
            ..Response::default()
        },
    };
    Answer {
        kind,
        response,
        event: message.chaincode_event,
    }
}
