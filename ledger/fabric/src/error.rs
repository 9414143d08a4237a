//! What may be concluded when the ledger does not do what was asked. A variant
//! says what is known about the transaction, never only what went wrong.

use gx_proto::gx::contract::v1::BatchRefused;

/// Why a call to the ledger failed.
///
/// A transaction that was endorsed and never submitted has no effect and never
/// will; so whatever fails while endorsing is known to have changed nothing. For
/// `submit`, "not ordered" speaks of this one call: an earlier call with the same
/// envelope whose answer was unclear may still have been ordered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// The rules refused the whole batch while it was endorsed, for the reason
    /// given. All endorsers agree. There is no transaction, nothing changed and
    /// no number was used.
    #[error("batch refused: {}", .0.reason().as_str_name())]
    BatchRefused(BatchRefused),

    /// The chaincode failed in another way: it answered an error that is none of
    /// the contract's own refusals, ended, or ran into the peer's time limit. There
    /// is no transaction. Whether the batch is at fault or the chaincode fails on
    /// everything cannot be told from this alone.
    #[error("chaincode failed: {message}")]
    Chaincode {
        /// The chaincode's or the peer's words.
        message: String,
    },

    /// The proposal or the envelope is larger than the network takes. It was not
    /// ordered; the same batch will never pass, a smaller one may.
    #[error("too large for the network: {message}")]
    TooLarge {
        /// The sizes, as far as they are known.
        message: String,
    },

    /// Nobody could be reached, or the connection broke. While endorsing: there is
    /// no transaction. While submitting: unknown, it may have been ordered; ask for
    /// its status or send the same envelope again. Else: nothing was learnt.
    #[error("unavailable: {message}")]
    Unavailable {
        /// Who could not be reached.
        message: String,
    },

    /// The gateway or a peer refused the call because too many are under way. It
    /// was not looked at: there is no transaction, and an envelope was not ordered.
    #[error("overloaded: {message}")]
    Overloaded {
        /// Who is overloaded.
        message: String,
    },

    /// The endorsers came to different results: one of them is a block behind or
    /// runs other rules. There is no transaction; a new proposal may pass.
    #[error("endorsers disagree: {message}")]
    Disagree {
        /// Who differs, as far as it is known.
        message: String,
    },

    /// The orderer or the gateway refuses this envelope for good, say because a
    /// certificate has expired or it cannot be decoded. It was not ordered and will
    /// never be; the same commands need a new proposal.
    #[error("envelope refused: {message}")]
    EnvelopeRefused {
        /// The orderer's words.
        message: String,
    },

    /// The deadline passed. While endorsing: there is no transaction. While
    /// submitting or waiting for a status: nothing is known, the transaction may be
    /// in the chain, may still come, or may never have been ordered.
    #[error("no answer in time")]
    Timeout,

    /// Something that should not happen: an answer that cannot be decoded, a damaged
    /// file. Nothing is known about the transaction unless it was being endorsed.
    #[error("internal: {message}")]
    Internal {
        /// What is broken.
        message: String,
    },
}

impl LedgerError {
    /// An [`LedgerError::Internal`] from anything that can be shown.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal {
            message: cause.to_string(),
        }
    }
}
