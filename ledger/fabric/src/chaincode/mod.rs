//! The contract as a chaincode server: peers dial in, and each gets a stream on
//! which it has transactions run (`protos.Chaincode/Connect`, the shim's side).
//!
//! A peer's stream begins with our registration (`session`). Its transactions come
//! interleaved; each is read and checked (`call`), run on a thread of its own
//! (`stream`), and reads and writes the ledger by messages to the peer and back
//! (`state`, `exchange`), with the batched operations that the peer offers
//! (`capabilities`). What a peer sends is trusted in nothing but its word that the
//! proposal's signature is good; [`replay`] plays any bytes to prove it.
//!
//! [`package`] makes what operators install on their peers.

mod call;
mod capabilities;
mod exchange;
mod observer;
pub mod package;
mod pending;
mod range;
mod replay;
mod runner;
mod server;
mod session;
mod state;
mod stream;

pub use observer::{Observer, Outcome};
pub use replay::replay;
pub use server::{MESSAGE_BYTES_MAX, Options, Tls, serve};
