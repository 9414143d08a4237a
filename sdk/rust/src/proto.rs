//! The messages and clients that are generated from the contract; its comments say what
//! they mean and promise.

/// Google's error model, as statuses carry it.
#[expect(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "its comments are not written for rustdoc"
)]
pub mod google {
    /// `google.rpc`.
    pub mod rpc {
        include!("gen/google.rpc.rs");
    }
}

/// The packages of GX.
pub mod gx {
    /// `gx.common`: error reasons.
    pub mod common {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.common.v1.rs");
        }
    }
    /// `gx.identity`: people, sessions, verification.
    pub mod identity {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.identity.v1.rs");
        }
    }
    /// `gx.ledger`: the chain, to look at.
    pub mod ledger {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.ledger.v1.rs");
        }
    }
    /// `gx.operation`: what became of a command.
    pub mod operation {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.operation.v1.rs");
        }
    }
    /// `gx.tokenomics`: supply, countries, fees.
    pub mod tokenomics {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.tokenomics.v1.rs");
        }
    }
    /// `gx.wallet`: balances and transfers.
    pub mod wallet {
        /// Version 1.
        pub mod v1 {
            include!("gen/gx.wallet.v1.rs");
        }
    }
}
