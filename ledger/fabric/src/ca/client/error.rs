//! Why there is no certificate, and so what may help.

/// Why no certificate was got. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// What the client was made of cannot be used; trying again is no use.
    #[error("{0}")]
    Setting(String),
    /// The authority could not be reached, or is not the one that is trusted for the
    /// connection. Another attempt may help.
    #[error("{url} cannot be reached: {message}")]
    Unreachable {
        /// The authority.
        url: String,
        /// What is in the way.
        message: String,
    },
    /// The authority says no. Another attempt with the same secret does not help,
    /// and many lock the identity.
    #[error("refused with status {status}, code {code}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Fabric CA's code.
        code: u32,
        /// Its words.
        message: String,
    },
    /// What came back is not what was asked for; nothing of it was kept.
    #[error("the authority's answer cannot be trusted: {0}")]
    Untrusted(String),
}

/// An authority's words are cut after so many characters.
const WORDS: usize = 300;

impl EnrolError {
    /// Takes a secret out of what others said.
    pub(super) fn without(self, secret: &str) -> Self {
        match self {
            Self::Refused {
                status,
                code,
                message,
            } if !secret.is_empty() => Self::Refused {
                status,
                code,
                message: message.replace(secret, "(hidden)"),
            },
            other => other,
        }
    }
}

/// Somebody else's words, fit for a line of a log.
pub(super) fn words(text: &str) -> String {
    let text = text.chars().take(WORDS);
    text.map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
