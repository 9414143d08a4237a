//! How many connections one address has, and how long one is kept that nobody uses.

use futures::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{life::open, *};

const PROBE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: gx\r\n\r\n";

/// A connection, if the server answers on it.
async fn connection(server: &Server) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let _ = stream.write_all(PROBE).await;
    match stream.read(&mut [0; 512]).await {
        Ok(read) if read > 0 => Some(stream),
        _ => None,
    }
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_gets_others_when_they_end() {
    let server = Server::with(|limits| limits.address_connections = 2).await;
    let kept = [connection(&server).await, connection(&server).await];
    assert!(kept.iter().all(Option::is_some));
    assert!(connection(&server).await.is_none(), "its share is taken");
    drop(kept);
    // The server hears of it in its own time.
    while connection(&server).await.is_none() {}
}

#[tokio::test]
async fn a_trusted_proxy_has_the_connections_of_all_its_clients() {
    let server = Server::with(|limits| {
        limits.address_connections = 1;
        limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let kept = [connection(&server).await, connection(&server).await];
    assert!(kept.iter().all(Option::is_some));
}

/// The types of the frames that an HTTP/2 server sends, up to GOAWAY.
async fn until_goaway(stream: &mut TcpStream) -> Vec<u8> {
    const GOAWAY: u8 = 7;
    let mut types = Vec::new();
    while types.last() != Some(&GOAWAY) {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.expect("a frame");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut rest = vec![0; length as usize];
        stream.read_exact(&mut rest).await.expect("a whole frame");
        types.push(head[3]);
    }
    types
}

#[tokio::test]
async fn who_makes_no_call_is_asked_to_leave_and_who_has_one_open_is_not() {
    let server = Server::with(|limits| limits.connection_idle_s = 1).await;
    let mut stream = open(&server).await;
    let mut unused = TcpStream::connect(server.address).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    unused.write_all(preface).await.unwrap();
    unused.write_all(&settings).await.unwrap();
    until_goaway(&mut unused).await;
    // It does not leave, and is left.
    let rest = unused.read_to_end(&mut Vec::new()).await;
    rest.expect("closed");

    let mut used = connection(&server).await.unwrap();
    let rest = used.read_to_end(&mut Vec::new()).await;
    rest.expect("closed once it was idle");
    let said = stream.message().now_or_never();
    assert!(said.is_none(), "the open call goes on: {said:?}");
}
