//! People: how they register, sign in, and are verified.
//!
//! Promised: no answer, and no time that an answer takes, tells a stranger whether
//! a contact is registered; passwords, codes, tokens and document numbers stand
//! nowhere in the clear; one human has at most one verification that is pending or
//! approved, and so one account; a person's rows are read by that person and by
//! overseers. Whether an account opens is the ledger's decision, not this room's.

mod api;
mod approve_verification;
mod attempt_rows;
mod attempts;
mod bind_account;
mod change_password;
mod codes;
mod complete_registration;
mod conclude;
mod contact;
mod deny_verification;
mod document_number;
mod download_document;
pub mod entity;
mod first_start;
mod get_me;
mod get_verification;
#[cfg(test)]
mod harness;
mod list_public_keys;
mod list_sessions;
mod list_verifications;
mod login;
mod logout;
mod names;
mod person;
pub mod projection;
mod query;
mod refresh_session;
mod revoke_session;
mod start_registration;
mod submit_verification;
mod unlock;
mod upload_document;
mod verify_contact;

use gx_proto::gx::identity::v1::identity_service_server::IdentityServiceServer;

pub use api::Api;
pub use first_start::{PASSWORD_FILE, anybody, first_start, make_staff_in};
pub use unlock::{Unlocked, unlock};

use crate::{app::App, auth::policy::UPLOAD_BYTES};

/// The service, for a role to mount.
pub fn service(app: App) -> IdentityServiceServer<Api> {
    // The server's layers hold all other methods to less.
    IdentityServiceServer::new(Api { app }).max_decoding_message_size(UPLOAD_BYTES)
}
