#![doc = include_str!("../README.md")]
//!
//! # Rooms
//!
//! [`GxClient`] is where one begins. Each service has a module with its messages and
//! what makes them comfortable; every method of the interface is there under its own
//! name.

mod amount;
mod call;
mod client;
mod error;
pub mod identity;
pub mod ledger;
pub mod operation;
mod pages;
#[expect(clippy::all, reason = "it is generated; its style is the generator's")]
pub mod proto;
mod resume;
mod retry;
mod service;
mod session;
pub mod tokenomics;
pub mod wallet;

pub use amount::{AmountError, Qirat, QiratDelta};
pub use client::GxClient;
pub use error::{Error, FieldViolation};
pub use identity::Identity;
pub use ledger::Ledger;
pub use operation::{Operations, PendingOperation};
pub use pages::Results;
pub use proto::gx::common::v1::Reason;
pub use session::Session;
pub use tokenomics::Tokenomics;
pub use tonic::Code;
pub use uuid::Uuid;
pub use wallet::{Transfer, Wallets};
