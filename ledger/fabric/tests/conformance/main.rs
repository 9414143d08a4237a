//! What GX relies on of a Fabric network, asked over the wire. The same scenarios run
//! against the devnet, in each test run, and against any network that runs the
//! contract: where they differ, the devnet is wrong.
//!
//! `GX_FABRIC_CONNECTION` names a connection file, as `gx devnet connection` prints it:
//! the channel, the chaincode, and by organization the gateway, its TLS authority and
//! the files of the identities partner, admin and super_admin. The suite bootstraps a
//! contract that is not, and leaves commands without effect in the lane `partner/0`.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod net;
mod refusals;
mod transactions;

use net::{Connection, Devnet, Net};

#[tokio::test]
async fn the_devnet_is_what_gx_relies_on() {
    let devnet = Devnet::start().await;
    conforms(&devnet.net().await).await;
    devnet.stop().await;
}

#[tokio::test]
async fn the_network_of_the_connection_file_is_what_gx_relies_on() {
    let Some(path) = std::env::var_os("GX_FABRIC_CONNECTION") else {
        eprintln!("SKIPPED: GX_FABRIC_CONNECTION names no network, only the devnet was asked");
        return;
    };
    let connection = Connection::read(path.as_ref());
    conforms(&Net::connect(&connection).await).await;
}

/// All scenarios, in turn: each leaves the lane where the next one finds it.
async fn conforms(net: &Net) {
    net.bootstrapped().await;
    transactions::a_batch_is_endorsed_ordered_and_found_in_its_block(net).await;
    transactions::an_envelope_sent_again_is_a_duplicate_and_changes_nothing(net).await;
    transactions::of_two_batches_on_one_cursor_one_conflicts(net).await;
    transactions::a_batch_on_an_old_cursor_is_refused_and_told_the_cursor(net).await;
    transactions::a_transaction_that_never_was_has_no_status(net).await;
    transactions::blocks_are_linked_from_the_first_to_the_last(net).await;
    refusals::a_lane_is_moved_by_its_role_alone(net).await;
    refusals::a_turned_bit_and_a_high_s_are_no_signature(net).await;
    refusals::a_batch_from_the_future_is_refused(net).await;
    refusals::an_error_of_the_chaincode_is_told_by_each_call_in_its_way(net).await;
    refusals::blocks_that_cannot_be_given_end_with_a_status(net).await;
}
