//! What the contract promises, each as a test.

mod admission;
mod balances;
mod bytes;
mod credits;
mod genesis;
mod lanes;
mod properties;
mod refusals;
mod script;
mod tax;
mod transfer_order;
