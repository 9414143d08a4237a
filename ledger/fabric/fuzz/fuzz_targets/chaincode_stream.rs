//! Any bytes as what a peer sends to the chaincode server.

#![no_main]

use std::sync::Arc;

use gx_fabric::{GxContract, chaincode};
use libfuzzer_sys::fuzz_target;

/// The time at which the corpus was recorded.
const NOW_MS: i64 = 1_795_000_000_000;

fuzz_target!(|bytes: &[u8]| {
    chaincode::replay(Arc::new(GxContract), NOW_MS, bytes);
});
