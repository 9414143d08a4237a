//! Fabric CA's REST from both sides: our client against our server over TLS, raw
//! requests, and Fabric's own client for Node.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod enrolling;
mod harness;
mod node;
mod refusals;
mod rest;
mod secrecy;
