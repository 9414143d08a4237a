//! How long the devnet takes from nothing to its first answer over TLS: in an empty
//! folder, in one that has certificates, and on a long chain, 100,000 blocks unless
//! told otherwise. Prints figures and asserts none.
//!
//! `cargo bench --package gx-fabric --bench devnet -- 100000`; `--profile dev` measures
//! the build that `cargo run` makes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that panics has failed, and figures are its answer"
)]

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use gx_contract::{
    Invocation, State,
    lane::{LaneDomain, LaneName},
};
use gx_fabric::{
    ChaincodeFailure, Contract, GxContract, Identity, Ledger,
    client::{ClientOptions, FabricLedger, Identities, PeerOptions, TlsOptions},
    contract::FUNCTION_BATCH,
    devnet::{
        BLOCKS_FILE, CHAINCODE, CHANNEL, Connection, Core, CoreOptions, MSP_ID, Material,
        STATE_FILE, Server, ServerOptions, Trust, system_clock, system_nonces,
    },
    msp::IdentityFiles,
    proposal::Draft,
};
use gx_proto::gx::contract::v1::{Domain, Query, QueryLane, query};
use tokio_util::sync::CancellationToken;

/// Blocks of the long chain.
const BLOCKS: u64 = 100_000;
/// Starts of each kind, of which the slowest counts.
const STARTS: usize = 5;
/// What certificates and signatures take of a block: nobody signs here, since nobody
/// checks it at a start.
const SIGNATURES_BYTES: usize = 3_000;

#[tokio::main]
async fn main() {
    // Cargo gives flags of its own beside what was asked for.
    let told = std::env::args().find_map(|word| word.parse().ok());
    let blocks = told.unwrap_or(BLOCKS);
    let folder = tempfile::tempdir().unwrap();
    println!("first start       {}", shown(start(folder.path()).await));
    println!("start             {}", shown(slowest(folder.path()).await));

    let began = Instant::now();
    grow(folder.path(), blocks);
    let bytes = fs::metadata(folder.path().join(BLOCKS_FILE)).unwrap().len();
    println!(
        "chain             {blocks} blocks of a transaction each, {} MB, made in {}",
        bytes / 1_000_000,
        shown(began.elapsed())
    );
    println!("start on it       {}", shown(slowest(folder.path()).await));
    fs::remove_file(folder.path().join(STATE_FILE)).unwrap();
    println!("state made anew   {}", shown(start(folder.path()).await));
}

fn shown(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

async fn slowest(folder: &Path) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..STARTS {
        slowest = slowest.max(start(folder).await);
    }
    slowest
}

/// From the folder to an answer that a client got over TLS.
async fn start(folder: &Path) -> Duration {
    let began = Instant::now();
    let material = Material::open(folder, &[], (system_clock())()).unwrap();
    let options = material.core_options(Arc::new(GxContract)).unwrap();
    let core = Arc::new(Core::open(options, folder).unwrap());
    let tls = &material.tls;
    let address = "127.0.0.1:0".parse().unwrap();
    let options = ServerOptions::new(address, tls.certificate.clone(), tls.key.clone());
    let never = CancellationToken::new();
    let server = Server::start(core.clone(), options, &never).await.unwrap();
    let gateway = format!("localhost:{}", server.address().port());
    let ledger = client(&material.connection(core.options(), &[gateway]));
    let question = QueryLane {
        lane: Some(LaneName::new(LaneDomain::Partner, 0).into()),
        msp_id: MSP_ID.to_owned(),
    };
    let query = Query {
        query: Some(query::Query::Lane(question)),
    };
    ledger.query(&query).await.unwrap();
    let took = began.elapsed();
    server.shutdown().await.unwrap();
    took
}

fn client(connection: &Connection) -> FabricLedger {
    let own = &connection.orgs["org1"];
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
    let peer = PeerOptions {
        address: own.gateway.clone(),
        server_name: Some(own.tls_server_name.clone()),
    };
    let tls = TlsOptions {
        authorities: own.tls_ca_pem.clone(),
        client: None,
    };
    let Connection {
        channel, chaincode, ..
    } = connection;
    let options = ClientOptions::new(channel, chaincode, &own.msp_id, vec![peer], tls);
    FabricLedger::new(options, identities).unwrap()
}

/// Writes a key of its own a transaction, as long as an account's, and answers so
/// much that blocks are as long as signed ones.
struct Put;

impl Contract for Put {
    fn invoke(
        &self,
        state: &mut dyn State,
        _: &Invocation,
        argument: &[u8],
    ) -> Result<Vec<u8>, ChaincodeFailure> {
        state.put(String::from_utf8_lossy(argument).into_owned(), vec![7; 64]);
        Ok(vec![7; SIGNATURES_BYTES])
    }

    fn query(&self, _: &mut dyn State, _: &[u8]) -> Result<Vec<u8>, ChaincodeFailure> {
        Ok(Vec::new())
    }
}

/// Makes the chain longer, with transactions of those who are believed.
fn grow(folder: &Path, blocks: u64) {
    let material = Material::open(folder, &[], (system_clock())()).unwrap();
    let options = CoreOptions {
        trust: Trust::Word,
        ..material.core_options(Arc::new(Put)).unwrap()
    };
    let core = Core::open(options, folder).unwrap();
    let (clock, nonces) = (system_clock(), system_nonces());
    let creator = Identity::of_domain(MSP_ID, Domain::Partner).unwrap();
    for number in 0..blocks {
        let draft = Draft {
            channel: CHANNEL,
            chaincode: CHAINCODE,
            function: FUNCTION_BATCH,
            argument: format!("account/{number:010}").into(),
            creator: creator.to_creator(),
            nonce: nonces(),
            timestamp_ms: clock(),
        };
        let (_, proposal) = draft.encode();
        core.submit(&core.endorse(&proposal).unwrap()).unwrap();
        core.cut_block().unwrap().unwrap();
    }
}
