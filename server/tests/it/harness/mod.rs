//! The real `gx`, started by tests as an operator starts it: a child process on
//! free ports and an own data directory, on SQLite or on a PostgreSQL that the
//! tests start themselves.
//!
//! A test has a [`Gx`] of its own, or shares the process of a [`Shared`] with the
//! tests of its file. Connections belong to the test, because they live on its
//! runtime. Whatever a test leaves running ends with the test process
//! ([`reaper`]).

mod account;
mod backup;
mod client;
mod forgotten;
mod gateway;
mod gx;
mod image;
mod metrics;
mod money;
mod paths;
mod payer;
mod people;
mod ports;
mod postgres;
mod process;
mod reaper;
mod redis;
mod refusal;
pub(crate) mod rest;
mod server;
mod standby;
mod staying;

pub(crate) use account::unopened_account;
pub(crate) use client::Client;
pub(crate) use forgotten::Forgotten;
pub(crate) use gateway::{Gateway, envoy};
pub(crate) use gx::{Beside, Gx, Shared};
pub(crate) use image::columns_of;
pub(crate) use money::{GX, batched, block_of, operation_of, transaction_of};
pub(crate) use payer::{Now, Payer};
pub(crate) use people::{Application, Caller, PASSWORD, PNG, Person, unused_contact};
pub(crate) use postgres::database as postgres_database;
pub(crate) use redis::{Redis, Sentinel, free_port};
pub(crate) use refusal::{Refusal, reason_in, reason_of};
pub(crate) use server::Database;
pub(crate) use standby::{Pair, Replication};
pub(crate) use staying::{Staying, tool, tool_killed};

use std::time::Duration;

/// How long anything may take before a test calls it broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
