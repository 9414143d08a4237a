//! The ledger over Fabric's wire: the gateway of a peer for endorsing, submitting
//! and asking, and its Deliver service for blocks.
//!
//! One peer is asked until it fails; the next call then goes to another one. Nothing
//! is tried again here: what may be repeated is the caller's knowledge. Every call
//! has a deadline and waits for its turn in a window below the gateway's own limit.

mod blocks;
mod call;
mod failure;
mod identities;
mod options;
mod peer;
mod seek;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, future::join_all};
use gx_proto::gx::contract::v1::{Batch, Query, QueryResult};
use prost::Message;

use self::{
    call::Call,
    peer::{Peer, Peers},
};
use crate::{
    BlockStream, CommitStatus, Endorsed, Ledger, LedgerError, ValidationFlag, block,
    contract::{FUNCTION_BATCH, FUNCTION_QUERY},
    header::Headers,
    msp::SigningIdentity,
    proposal::Draft,
    proto::{
        common::{Block, Envelope, Header, Payload},
        gateway::{
            CommitStatusRequest, EndorseRequest, EvaluateRequest, SignedCommitStatusRequest,
            SubmitRequest,
        },
        orderer::SeekInfo,
        protos::{Proposal, SignedProposal},
    },
};

pub use self::{
    identities::Identities,
    options::{ClientOptions, Deadlines, IN_FLIGHT, PeerOptions, TlsOptions},
};

/// A client of a Fabric network. Cheap to clone.
#[derive(Clone)]
pub struct FabricLedger {
    options: Arc<ClientOptions>,
    identities: Identities,
    peers: Arc<Peers>,
}

/// What a look at one peer found.
#[derive(Debug)]
pub struct PeerLook {
    /// Host and port.
    pub address: String,
    /// Whether a connection can be made: the port answers, and its certificate is
    /// trusted and of the expected name.
    pub connected: Result<(), LedgerError>,
    /// The number of blocks of the channel, if the peer gives them to us.
    pub height: Result<u64, LedgerError>,
}

/// A proposal as it is sent.
struct Proposed {
    tx_id: String,
    signed: SignedProposal,
}

impl FabricLedger {
    /// A client that dials when it is first used.
    ///
    /// # Errors
    /// If no peer is named, or an address or a certificate cannot be read.
    pub fn new(options: ClientOptions, identities: Identities) -> Result<Self, LedgerError> {
        Ok(Self {
            peers: Arc::new(Peers::new(&options)?),
            options: Arc::new(options),
            identities,
        })
    }

    /// The chaincode's name.
    pub fn chaincode(&self) -> &str {
        &self.options.chaincode
    }

    /// Who speaks.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// The addresses of the peers.
    pub fn peers(&self) -> impl Iterator<Item = &str> {
        let peers = self.peers.all().iter();
        peers.map(|peer| peer.address.as_str())
    }

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        self.options.deadlines.connect
    }

    /// Looks at every peer.
    pub async fn look(&self) -> Vec<PeerLook> {
        let looks = self.peers.all().iter().map(async |peer| PeerLook {
            address: peer.address.clone(),
            connected: peer.stream().await.map(drop),
            height: self.height_of(peer).await,
        });
        join_all(looks).await
    }

    /// Streams whole blocks as the peer sends them, like [`Ledger::blocks`].
    ///
    /// # Errors
    /// If the peer cannot be reached or refuses.
    pub async fn raw_blocks(
        &self,
        from: u64,
    ) -> Result<impl Stream<Item = Result<Block, LedgerError>> + Send + use<>, LedgerError> {
        let (place, peer) = self.peers.preferred();
        let opened = self.open(peer, from).await;
        if opened.is_err() {
            self.peers.turn_from(place);
        }
        let peers = self.peers.clone();
        Ok(opened?.inspect(move |block| {
            if block.is_err() {
                peers.turn_from(place);
            }
        }))
    }

    async fn open(
        &self,
        peer: &Peer,
        from: u64,
    ) -> Result<impl Stream<Item = Result<Block, LedgerError>> + Send + use<>, LedgerError> {
        let envelope = self.seek(&seek::from(from))?;
        let opening = async {
            let mut client = peer.stream().await?;
            let (requests, asking) = blocks::requests(envelope);
            let opened = client.deliver(requests).await;
            let opened = opened.map_err(|status| failure::asking(&status));
            opened.map(|answers| (answers.into_inner(), asking))
        };
        let opened = tokio::time::timeout(self.options.deadlines.connect, opening).await;
        let (answers, asking) = opened.map_err(|_| LedgerError::Timeout)??;
        Ok(blocks::answers(answers, asking, from))
    }

    fn seek(&self, seek: &SeekInfo) -> Result<Envelope, LedgerError> {
        let ClientOptions {
            channel,
            clock,
            nonces,
            ..
        } = &*self.options;
        let identity = self.identities.any()?;
        Ok(seek::envelope(channel, &identity, nonces(), clock(), seek))
    }

    fn propose(&self, identity: &SigningIdentity, function: &str, argument: Vec<u8>) -> Proposed {
        let draft = Draft {
            channel: &self.options.channel,
            chaincode: &self.options.chaincode,
            function,
            argument: argument.into(),
            creator: identity.creator().clone(),
            nonce: (self.options.nonces)(),
            timestamp_ms: (self.options.clock)(),
        };
        let (tx_id, proposal_bytes) = draft.encode();
        let signature = identity.sign(&proposal_bytes);
        let signed = SignedProposal {
            proposal_bytes,
            signature,
        };
        Proposed { tx_id, signed }
    }

    async fn height_of(&self, peer: &Peer) -> Result<u64, LedgerError> {
        let envelope = self.seek(&seek::newest())?;
        let asked = async {
            let mut client = peer.deliver();
            let (requests, _asking) = blocks::requests(envelope);
            let answers = client.deliver_filtered(requests).await;
            let answers = answers.map_err(|status| failure::asking(&status))?;
            blocks::height(answers.into_inner()).await
        };
        let answered = tokio::time::timeout(self.options.deadlines.evaluate, asked).await;
        answered.map_err(|_| LedgerError::Timeout)?
    }
}

#[async_trait]
impl Ledger for FabricLedger {
    fn msp_id(&self) -> &str {
        &self.options.msp_id
    }

    async fn endorse(&self, batch: &Batch) -> Result<Endorsed, LedgerError> {
        let lane = batch.lane.as_ref();
        let domain = lane.map(|lane| lane.domain()).unwrap_or_default();
        let identity = self.identities.of_domain(domain)?;
        let Proposed { tx_id, signed } =
            self.propose(&identity, FUNCTION_BATCH, batch.encode_to_vec());
        let call = Call {
            deadline: self.options.deadlines.endorse,
            failure: failure::endorsing,
        };
        let asked = call.request(EndorseRequest {
            transaction_id: tx_id.clone(),
            channel_id: self.options.channel.clone(),
            proposed_transaction: Some(signed.clone()),
            endorsing_organizations: Vec::new(),
        });
        let endorsed = call
            .ask(&self.peers, async |peer| {
                peer.gateway().endorse(asked).await
            })
            .await?;
        let prepared = endorsed.into_inner().prepared_transaction;
        let payload = prepared.unwrap_or_default().payload;
        check_prepared(&payload, &signed.proposal_bytes)?;
        let envelope = Envelope {
            signature: identity.sign(&payload),
            payload,
        };
        Ok(Endorsed {
            tx_id,
            envelope: envelope.encode_to_vec().into(),
        })
    }

    async fn submit(&self, envelope: &Bytes) -> Result<(), LedgerError> {
        let unreadable = |what: &dyn std::fmt::Display| LedgerError::EnvelopeRefused {
            message: format!("the envelope cannot be read: {what}"),
        };
        let (headers, _) = Headers::open(envelope).map_err(|flag| unreadable(&flag))?;
        let prepared = Envelope::decode(envelope.clone()).map_err(|error| unreadable(&error))?;
        let call = Call {
            deadline: self.options.deadlines.submit,
            failure: failure::submitting,
        };
        let asked = call.request(SubmitRequest {
            transaction_id: headers.channel.tx_id,
            channel_id: headers.channel.channel_id,
            prepared_transaction: Some(prepared),
        });
        call.ask(&self.peers, async |peer| peer.gateway().submit(asked).await)
            .await?;
        Ok(())
    }

    async fn commit_status(
        &self,
        tx_id: &str,
        timeout: Duration,
    ) -> Result<CommitStatus, LedgerError> {
        let identity = self.identities.any()?;
        let asked = CommitStatusRequest {
            transaction_id: tx_id.to_owned(),
            channel_id: self.options.channel.clone(),
            identity: identity.creator().clone(),
        };
        let asked = asked.encode_to_vec();
        let signed = SignedCommitStatusRequest {
            signature: identity.sign(&asked),
            request: asked.into(),
        };
        let call = Call {
            deadline: timeout.max(STATUS_DEADLINE_MIN),
            failure: failure::asking,
        };
        let asked = call.request(signed);
        let found = call
            .ask(&self.peers, async |peer| {
                peer.gateway().commit_status(asked).await
            })
            .await?
            .into_inner();
        let flag = u8::try_from(found.result).map_err(LedgerError::internal)?;
        Ok(CommitStatus {
            flag: ValidationFlag(flag),
            block: found.block_number,
        })
    }

    async fn query(&self, query: &Query) -> Result<QueryResult, LedgerError> {
        let identity = self.identities.any()?;
        let Proposed { tx_id, signed } =
            self.propose(&identity, FUNCTION_QUERY, query.encode_to_vec());
        let call = Call {
            deadline: self.options.deadlines.evaluate,
            failure: failure::asking,
        };
        let asked = call.request(EvaluateRequest {
            transaction_id: tx_id,
            channel_id: self.options.channel.clone(),
            proposed_transaction: Some(signed),
            target_organizations: Vec::new(),
        });
        let answer = call
            .ask(&self.peers, async |peer| {
                peer.gateway().evaluate(asked).await
            })
            .await?;
        let result = answer.into_inner().result.unwrap_or_default();
        QueryResult::decode(result.payload).map_err(LedgerError::internal)
    }

    async fn height(&self) -> Result<u64, LedgerError> {
        let asked = self.peers.all().iter().map(|peer| self.height_of(peer));
        let answers = join_all(asked).await;
        let highest = answers.iter().flatten().max().copied();
        let failure = || answers.into_iter().find_map(Result::err);
        highest.ok_or_else(|| failure().unwrap_or(LedgerError::Timeout))
    }

    async fn blocks(&self, from: u64) -> Result<BlockStream, LedgerError> {
        let chaincode = self.options.chaincode.clone();
        let blocks = self.raw_blocks(from).await?;
        Ok(blocks
            .map(move |block| block::read(&block?, &chaincode))
            .boxed())
    }
}

/// A question for a status is given at least so long to come back: a deadline that
/// has passed when it arrives is answered by nobody.
const STATUS_DEADLINE_MIN: Duration = Duration::from_millis(100);

/// Whether a gateway gave back the transaction that was proposed and no other: what
/// is signed next is its payload as it stands.
fn check_prepared(payload: &Bytes, proposal: &Bytes) -> Result<(), LedgerError> {
    let foreign = || LedgerError::internal("the gateway prepared another transaction");
    let payload = Payload::decode(payload.clone()).map_err(|_| foreign())?;
    let proposal = Proposal::decode(proposal.clone()).map_err(|_| foreign())?;
    let proposed = Header::decode(proposal.header).map_err(|_| foreign())?;
    match payload.header == Some(proposed) {
        true => Ok(()),
        false => Err(foreign()),
    }
}
