//! The contract of GX: generated messages and, by feature, clients and servers.
//!
//! Features: `messages` (always), `client`, `server`. Nothing here is written by
//! hand but the module tree; the words and their meaning stand in the .proto
//! files beside this one.

/// The encoded `google.protobuf.FileDescriptorSet` of every package, with
/// imports, options and comments: for reflection, gateways and generators.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gx.binpb"));

/// Google's error model, as statuses carry it.
pub mod google {
    /// `google.rpc`.
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}

/// The packages of GX.
pub mod gx {
    /// `gx.common`: error reasons and shared types.
    pub mod common {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.common.v1.rs"));
        }
    }
    /// `gx.contract`: the chain's words; not served.
    pub mod contract {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.contract.v1.rs"));
        }
    }
    /// `gx.identity`: people, sessions, verification.
    pub mod identity {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.identity.v1.rs"));
        }
    }
    /// `gx.ledger`: the chain, to look at.
    pub mod ledger {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.ledger.v1.rs"));
        }
    }
    /// `gx.operation`: what became of a command.
    pub mod operation {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.operation.v1.rs"));
        }
    }
    /// `gx.tokenomics`: supply, countries, fees.
    pub mod tokenomics {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.tokenomics.v1.rs"));
        }
    }
    /// `gx.wallet`: balances and transfers.
    pub mod wallet {
        /// Version 1.
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/gx.wallet.v1.rs"));
        }
    }
}
