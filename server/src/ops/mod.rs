//! The tools of operators, each a subcommand of `gx`.
//!
//! A tool looks and tells; but for `migrate`, and for `partitions`, `rebuild`, `restored`
//! and `users`, which write a line in the audit log, none of them writes to the database
//! or to the ledger other than through the interface that everybody uses; `bench` has a
//! table of its own there while it compares with inserts. What a tool found
//! goes to stdout, as text or JSON, problems of its own to stderr. It exits with 0
//! where all is as it must be, and with 1 where it is not or could not be looked at.
//!
//! Tools run beside `gx`, in processes of their own: those that only look take no lock,
//! migrate nothing, and read database and ledger each at one moment.

pub mod audit;
pub mod bench;
pub mod bootstrap;
mod caller;
pub mod chaincode;
pub mod config;
pub mod demo;
pub mod descriptor;
pub mod devnet;
pub mod enroll;
pub mod gateway;
pub mod interface;
pub mod lanes;
pub mod migrate;
mod open;
pub mod openapi;
pub mod outbox;
pub mod partitions;
pub mod preflight;
pub mod projector;
pub mod proof;
pub mod rebuild;
pub mod reconcile;
pub mod report;
pub mod restored;
mod table;
pub mod users;
