//! A devnet that serves, stepped by hand, and a client that can do everything wrong.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use bytes::Bytes;
use gx_fabric::{
    Contract,
    devnet::{Clock, Core, CoreOptions, Material, Server, ServerOptions, system_clock},
    header::transaction_id,
    msp::SigningIdentity,
    proposal::Draft,
    proto::{
        common::Envelope,
        gateway::{
            CommitStatusRequest, CommitStatusResponse, EndorseRequest, ErrorDetail,
            EvaluateRequest, SignedCommitStatusRequest, SubmitRequest,
            gateway_client::GatewayClient,
        },
        protos::{SignedProposal, deliver_client::DeliverClient},
    },
};
use prost::Message;
use rand::random;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use crate::check::Authorities;

/// A devnet that serves.
pub(crate) struct Net {
    pub(crate) core: Arc<Core>,
    pub(crate) material: Material,
    pub(crate) server: Server,
    /// What the network's clock is ahead of the system's, in milliseconds.
    pub(crate) ahead_ms: Arc<AtomicI64>,
    pub(crate) folder: TempDir,
}

impl Net {
    pub(crate) async fn start(contract: impl Contract + 'static) -> Self {
        Self::with(contract, |_| {}, |_| {}).await
    }

    pub(crate) async fn with(
        contract: impl Contract + 'static,
        adjust: impl FnOnce(&mut CoreOptions),
        serve: impl FnOnce(&mut ServerOptions),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let material = Material::open(folder.path(), &[], (system_clock())()).unwrap();
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let mut options = material.core_options(Arc::new(contract)).unwrap();
        options.clock = clock(ahead_ms.clone());
        adjust(&mut options);
        let core = Arc::new(Core::in_memory(options));
        let server = server(&core, &material, serve).await;
        Self {
            core,
            material,
            server,
            ahead_ms,
            folder,
        }
    }

    /// An identity of the first organization.
    pub(crate) fn identity(&self, name: &str) -> &SigningIdentity {
        &self.material.organizations[0].identities[name].identity
    }

    /// The organizations' authorities, for a check that trusts nothing else.
    pub(crate) fn authorities(&self) -> Authorities {
        let organizations = self.material.organizations.iter();
        organizations
            .map(|found| (found.msp_id.to_owned(), found.authority_pem.clone()))
            .collect()
    }

    /// The flags of a block.
    pub(crate) fn flags(&self, number: u64) -> Vec<u8> {
        let block = self.core.block(number).unwrap().unwrap();
        block.metadata.unwrap().metadata[2].to_vec()
    }

    pub(crate) async fn channel(&self) -> Channel {
        let authority = Certificate::from_pem(&self.material.tls.authority_pem);
        let address = format!("https://localhost:{}", self.server.address().port());
        let tls = ClientTlsConfig::new().ca_certificate(authority);
        let endpoint = Endpoint::from_shared(address).unwrap();
        endpoint.tls_config(tls).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        let channel = self.channel().await;
        Client {
            gateway: GatewayClient::new(channel.clone()),
            deliver: DeliverClient::new(channel),
        }
    }

    /// A proposal of an identity at the system's time.
    pub(crate) fn proposal(
        &self,
        who: &SigningIdentity,
        function: &str,
        argument: impl Into<Bytes>,
    ) -> Proposal {
        self.proposal_at(who, function, argument, (system_clock())())
    }

    pub(crate) fn proposal_at(
        &self,
        who: &SigningIdentity,
        function: &str,
        argument: impl Into<Bytes>,
        timestamp_ms: i64,
    ) -> Proposal {
        let options = self.core.options();
        let nonce: [u8; 24] = random();
        let draft = Draft {
            channel: &options.channel,
            chaincode: &options.chaincode,
            function,
            argument: argument.into(),
            creator: who.creator().clone(),
            nonce,
            timestamp_ms,
        };
        let (tx_id, bytes) = draft.encode();
        assert_eq!(tx_id, transaction_id(&nonce, who.creator()));
        Proposal { tx_id, bytes }
    }
}

fn clock(ahead_ms: Arc<AtomicI64>) -> Clock {
    let system = system_clock();
    Arc::new(move || system() + ahead_ms.load(Ordering::Relaxed))
}

pub(crate) async fn server(
    core: &Arc<Core>,
    material: &Material,
    adjust: impl FnOnce(&mut ServerOptions),
) -> Server {
    let tls = &material.tls;
    let address = "127.0.0.1:0".parse().unwrap();
    let mut options = ServerOptions::new(address, tls.certificate.clone(), tls.key.clone());
    adjust(&mut options);
    Server::start(core.clone(), options, &CancellationToken::new())
        .await
        .unwrap()
}

/// What is proposed; not signed yet.
#[derive(Clone)]
pub(crate) struct Proposal {
    pub(crate) tx_id: String,
    pub(crate) bytes: Bytes,
}

impl Proposal {
    pub(crate) fn signed(&self, who: &SigningIdentity) -> SignedProposal {
        SignedProposal {
            proposal_bytes: self.bytes.clone(),
            signature: who.sign(&self.bytes),
        }
    }
}

/// Signs a transaction as it came from the gateway.
pub(crate) fn sign(who: &SigningIdentity, envelope: &Envelope) -> Envelope {
    Envelope {
        payload: envelope.payload.clone(),
        signature: who.sign(&envelope.payload),
    }
}

/// A client of the devnet's services.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: GatewayClient<Channel>,
    pub(crate) deliver: DeliverClient<Channel>,
}

impl Client {
    pub(crate) async fn endorse(&mut self, signed: SignedProposal) -> Result<Envelope, Status> {
        self.endorse_by(signed, &[]).await
    }

    pub(crate) async fn endorse_by(
        &mut self,
        signed: SignedProposal,
        msp_ids: &[&str],
    ) -> Result<Envelope, Status> {
        let request = EndorseRequest {
            proposed_transaction: Some(signed),
            endorsing_organizations: msp_ids.iter().map(|id| (*id).to_owned()).collect(),
            ..EndorseRequest::default()
        };
        let answer = self.gateway.endorse(request).await?.into_inner();
        Ok(answer.prepared_transaction.unwrap())
    }

    pub(crate) async fn submit(&mut self, envelope: Envelope) -> Result<(), Status> {
        let request = SubmitRequest {
            channel_id: "gx".into(),
            prepared_transaction: Some(envelope),
            ..SubmitRequest::default()
        };
        self.gateway.submit(request).await.map(drop)
    }

    pub(crate) async fn evaluate(&mut self, signed: SignedProposal) -> Result<Bytes, Status> {
        let request = EvaluateRequest {
            proposed_transaction: Some(signed),
            ..EvaluateRequest::default()
        };
        let answer = self.gateway.evaluate(request).await?.into_inner();
        Ok(answer.result.unwrap().payload)
    }

    pub(crate) async fn status(
        &mut self,
        who: &SigningIdentity,
        tx_id: &str,
    ) -> Result<CommitStatusResponse, Status> {
        let request = CommitStatusRequest {
            transaction_id: tx_id.into(),
            channel_id: "gx".into(),
            identity: who.creator().clone(),
        };
        let request = Bytes::from(request.encode_to_vec());
        let signed = SignedCommitStatusRequest {
            signature: who.sign(&request),
            request,
        };
        Ok(self.gateway.commit_status(signed).await?.into_inner())
    }
}

/// What the peers had to say.
pub(crate) fn details(status: &Status) -> Vec<ErrorDetail> {
    let status = tonic_types::Status::decode(status.details()).unwrap();
    let details = status.details.into_iter();
    details
        .map(|any| {
            assert_eq!(any.type_url, "type.googleapis.com/gateway.ErrorDetail");
            ErrorDetail::decode(any.value.as_slice()).unwrap()
        })
        .collect()
}
