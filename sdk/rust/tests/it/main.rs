//! The SDK against a real `gx`: what a caller may rely on when connections break, tokens
//! end and streams are cut.

mod gateway;
mod harness;
mod readme;
mod retries;
mod sessions;
mod streams;
mod transfers;
