//! TLS: whom peers meet, and whom the server takes.

use std::time::Duration;

use gx_fabric::{
    ca::{Authority, Holder, Unit},
    chaincode::Tls,
};
use rcgen::KeyPair;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::{
    harness::{Script, Server},
    peer::Peer,
};

/// Certificates are checked against the real clock here.
const VALID: Duration = Duration::from_secs(3_600);

fn now_ms() -> i64 {
    gx_fabric::devnet::system_clock()()
}

fn authority(name: &str) -> Authority {
    Authority::create(name, now_ms()).unwrap()
}

/// A certificate that a peer shows.
fn client(authority: &Authority) -> Identity {
    let holder = Holder {
        name: "peer0".into(),
        unit: Unit::Peer,
        attributes: Default::default(),
    };
    let key = KeyPair::generate().unwrap();
    let certificate = authority.issue(&holder, &key, now_ms(), VALID).unwrap();
    Identity::from_pem(certificate, key.serialize_pem())
}

async fn server(authority: &Authority, clients: Option<&Authority>) -> Server {
    let names = ["localhost".to_owned()];
    let (certificate, key) = authority.issue_server(&names, now_ms(), VALID).unwrap();
    let tls = Tls {
        certificate,
        key,
        client_authorities: clients.map(|clients| clients.certificate_pem().to_owned()),
    };
    Server::with(Script, |options| options.tls = Some(tls)).await
}

/// Dials as a peer that trusts an authority; whether it got a stream.
async fn reaches(server: &Server, trusted: &Authority, identity: Option<Identity>) -> bool {
    let mut tls = ClientTlsConfig::new()
        .domain_name("localhost")
        .ca_certificate(Certificate::from_pem(trusted.certificate_pem()));
    if let Some(identity) = identity {
        tls = tls.identity(identity);
    }
    let channel = async || -> Option<Channel> {
        let address = format!("https://{}", server.address);
        let endpoint = Endpoint::from_shared(address).ok()?.tls_config(tls).ok()?;
        endpoint.connect().await.ok()
    };
    let Some(channel) = channel().await else {
        return false;
    };
    match Peer::over(channel).await {
        Ok(mut peer) => matches!(peer.try_next().await, Ok(Some(_))),
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_peer_meets_the_server_that_its_package_names() {
    let own = authority("own");
    let server = server(&own, None).await;
    assert!(reaches(&server, &own, None).await);
    assert!(!reaches(&server, &authority("other"), None).await);
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let plain = match endpoint.connect().await {
        Ok(channel) => Peer::over(channel).await.is_ok(),
        Err(_) => false,
    };
    assert!(!plain, "plain text is not taken");
    server.stop().await;
}

#[tokio::test]
async fn with_client_authorities_only_their_peers_are_taken() {
    let (own, clients) = (authority("own"), authority("clients"));
    let server = server(&own, Some(&clients)).await;
    assert!(reaches(&server, &own, Some(client(&clients))).await);
    assert!(!reaches(&server, &own, Some(client(&authority("other")))).await);
    assert!(!reaches(&server, &own, None).await);
    server.stop().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_read_ends_the_start() {
    let tls = Tls {
        certificate: "no certificate".into(),
        key: "no key".into(),
        client_authorities: None,
    };
    let server = Server::with(Script, |options| options.tls = Some(tls)).await;
    assert!(server.ended().await.is_err());
}
