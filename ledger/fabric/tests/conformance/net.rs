//! A network, reached as its connection file says, and a devnet to be one.

use std::{collections::BTreeMap, path::Path, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use gx_contract::lane::{LaneDomain, LaneName, SYSTEM_LANE};
use gx_fabric::{
    CommitStatus, Endorsed, GxContract, Ledger, LedgerError, ValidationFlag,
    client::{ClientOptions, FabricLedger, Identities, PeerOptions, TlsOptions},
    devnet::{Core, Driver, Limits, Material, Server, ServerOptions, system_clock, system_nonces},
    msp::{IdentityFiles, SigningIdentity},
    proposal::Draft,
    proto::{gateway::gateway_client::GatewayClient, protos::SignedProposal},
};
use gx_proto::gx::contract::v1::{
    Batch, Bootstrap, Command, LaneCursor, Query, QueryLane, Void, command::Body, query,
    query_result,
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

/// The lane that the scenarios move.
pub(crate) const LANE: LaneName = LaneName::new(LaneDomain::Partner, 0);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach a network.
#[derive(Deserialize)]
pub(crate) struct Connection {
    channel: String,
    chaincode: String,
    orgs: BTreeMap<String, Organization>,
}

#[derive(Deserialize)]
struct Organization {
    msp_id: String,
    gateway: String,
    tls_ca: PathBuf,
    tls_server_name: String,
    identities: BTreeMap<String, Files>,
}

#[derive(Deserialize)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Connection {
    pub(crate) fn read(path: &Path) -> Self {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }
}

/// A network as its first organization's clients see it.
pub(crate) struct Net {
    pub(crate) ledger: FabricLedger,
    pub(crate) channel: Channel,
    pub(crate) partner: Arc<SigningIdentity>,
    pub(crate) channel_id: String,
}

impl Net {
    pub(crate) async fn connect(connection: &Connection) -> Self {
        let own = connection.orgs.values().next().unwrap();
        let authorities = std::fs::read_to_string(&own.tls_ca).unwrap();
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&authorities))
            .domain_name(&own.tls_server_name);
        let endpoint = Endpoint::from_shared(format!("https://{}", own.gateway)).unwrap();
        let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();

        let identity = |name: &str| {
            let files = &own.identities[name];
            let files = IdentityFiles::new(&own.msp_id, &files.cert, &files.key);
            Some(Arc::new(files.unwrap()))
        };
        let identities = Identities {
            partner: identity("partner"),
            admin: identity("admin"),
            super_admin: identity("super_admin"),
        };
        let partner = identities.partner.as_ref().unwrap().current();
        let peer = PeerOptions {
            address: own.gateway.clone(),
            server_name: Some(own.tls_server_name.clone()),
        };
        let tls = TlsOptions {
            authorities,
            client: None,
        };
        let options = ClientOptions::new(
            &connection.channel,
            &connection.chaincode,
            &own.msp_id,
            vec![peer],
            tls,
        );
        Self {
            ledger: FabricLedger::new(options, identities).unwrap(),
            channel,
            partner,
            channel_id: connection.channel.clone(),
        }
    }

    /// The gateway, for calls that the client would not make.
    pub(crate) fn gateway(&self) -> GatewayClient<Channel> {
        GatewayClient::new(self.channel.clone())
    }

    /// Bootstraps the contract unless it is.
    pub(crate) async fn bootstrapped(&self) {
        let cursor = self.cursor(SYSTEM_LANE).await;
        if cursor.number > 0 {
            return;
        }
        let bootstrap = Body::Bootstrap(Bootstrap { partner_lanes: 16 });
        let endorsed = self.endorse(&batch(SYSTEM_LANE, &cursor, bootstrap)).await;
        self.ledger.submit(&endorsed.envelope).await.unwrap();
        assert_eq!(self.status(&endorsed).await.flag, ValidationFlag::VALID);
    }

    /// Where a lane stands, as a peer sees it.
    pub(crate) async fn cursor(&self, lane: LaneName) -> LaneCursor {
        let question = QueryLane {
            lane: Some(lane.into()),
            msp_id: self.ledger.msp_id().to_owned(),
        };
        let query = Query {
            query: Some(query::Query::Lane(question)),
        };
        match self.ledger.query(&query).await.unwrap().result {
            Some(query_result::Result::Lane(cursor)) => cursor,
            other => panic!("{other:?}"),
        }
    }

    /// Has a batch endorsed. Right after a commit one peer may be a block behind the
    /// other, or behind the cursor that was read: then again.
    pub(crate) async fn endorse(&self, batch: &Batch) -> Endorsed {
        let endorsed = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.ledger.endorse(batch).await {
                    Err(LedgerError::Disagree { .. } | LedgerError::BatchRefused(_)) => {
                        tokio::task::yield_now().await;
                    }
                    other => return other,
                }
            }
        });
        endorsed.await.unwrap().unwrap()
    }

    /// Has the next command of the lane committed: one without effect.
    pub(crate) async fn moved(&self) -> (Endorsed, CommitStatus) {
        let batch = void(&self.cursor(LANE).await);
        let endorsed = self.endorse(&batch).await;
        self.ledger.submit(&endorsed.envelope).await.unwrap();
        let status = self.status(&endorsed).await;
        assert_eq!(status.flag, ValidationFlag::VALID);
        self.follows(batch.first_sequence).await;
        (endorsed, status)
    }

    /// Waits until the asked peer has the lane at a number: its status may be told by
    /// another that is ahead.
    pub(crate) async fn follows(&self, number: u64) {
        let followed = tokio::time::timeout(PATIENCE, async {
            while self.cursor(LANE).await.number < number {
                tokio::task::yield_now().await;
            }
        });
        followed.await.unwrap();
    }

    pub(crate) async fn status(&self, endorsed: &Endorsed) -> CommitStatus {
        let status = self.ledger.commit_status(&endorsed.tx_id, PATIENCE);
        status.await.unwrap()
    }

    /// A proposal of the partner, not signed yet.
    pub(crate) fn proposal(&self, function: &str, argument: Vec<u8>, ahead_ms: i64) -> Bytes {
        let draft = Draft {
            channel: &self.channel_id,
            chaincode: self.ledger.chaincode(),
            function,
            argument: argument.into(),
            creator: self.partner.creator().clone(),
            nonce: (system_nonces())(),
            timestamp_ms: (system_clock())() + ahead_ms,
        };
        draft.encode().1
    }

    /// The same, signed.
    pub(crate) fn signed(&self, proposal_bytes: Bytes) -> SignedProposal {
        SignedProposal {
            signature: self.partner.sign(&proposal_bytes),
            proposal_bytes,
        }
    }
}

/// A batch of one command at a place in a lane.
pub(crate) fn batch(lane: LaneName, cursor: &LaneCursor, body: Body) -> Batch {
    let id: [u8; 16] = rand::random();
    Batch {
        lane: Some(lane.into()),
        first_sequence: cursor.number + 1,
        previous_digest: cursor.digest.clone(),
        rules_version: 1,
        commands: vec![Command {
            id: id.to_vec().into(),
            request_digest: vec![0; 32].into(),
            body: Some(body),
        }],
        credits: Vec::new(),
    }
}

/// A batch that takes a number and does nothing.
pub(crate) fn void(cursor: &LaneCursor) -> Batch {
    batch(LANE, cursor, Body::Void(Void {}))
}

/// A devnet on a free port.
pub(crate) struct Devnet {
    connection: PathBuf,
    driver: Driver,
    server: Server,
    _folder: TempDir,
}

impl Devnet {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let material = Material::open(folder.path(), &[], (system_clock())()).unwrap();
        let mut options = material.core_options(Arc::new(GxContract)).unwrap();
        options.limits = Limits {
            batch_timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let core = Arc::new(Core::open(options, folder.path()).unwrap());
        let tls = &material.tls;
        let address = "127.0.0.1:0".parse().unwrap();
        let options = ServerOptions::new(address, tls.certificate.clone(), tls.key.clone());
        let never = CancellationToken::new();
        let server = Server::start(core.clone(), options, &never).await.unwrap();
        let gateway = format!("localhost:{}", server.address().port());
        let told = material.connection(core.options(), &[gateway]);
        let connection = folder.path().join("connection.json");
        std::fs::write(&connection, serde_json::to_vec(&told).unwrap()).unwrap();
        Self {
            connection,
            driver: Driver::start(core),
            server,
            _folder: folder,
        }
    }

    pub(crate) async fn net(&self) -> Net {
        Net::connect(&Connection::read(&self.connection)).await
    }

    pub(crate) async fn stop(self) {
        self.driver.shutdown().await.unwrap();
        self.server.shutdown().await.unwrap();
    }
}
