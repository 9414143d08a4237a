//! The two headers that proposals and transactions share, and the transaction id
//! that follows from them.

use bytes::Bytes;
use prost::Message;
use prost_types::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    ValidationFlag,
    proto::common::{ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader},
};

/// The id of a transaction: the digest of its nonce and creator in lower-case
/// hexadecimal, so nobody can take an id that another will use.
pub fn transaction_id(nonce: &[u8], creator: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(nonce)
        .chain_update(creator)
        .finalize();
    hex::encode(digest)
}

/// Milliseconds since the Unix epoch as Fabric writes them.
pub fn to_timestamp(time_ms: i64) -> Timestamp {
    Timestamp {
        seconds: time_ms.div_euclid(1000),
        nanos: i32::try_from(time_ms.rem_euclid(1000) * 1_000_000).unwrap_or_default(),
    }
}

/// Milliseconds since the Unix epoch; 0 if there is no time.
pub fn from_timestamp(timestamp: Option<&Timestamp>) -> i64 {
    timestamp.map_or(0, |timestamp| {
        timestamp
            .seconds
            .saturating_mul(1000)
            .saturating_add(i64::from(timestamp.nanos) / 1_000_000)
    })
}

/// Both headers, decoded, and the bytes that they came from: digests and
/// signatures are over bytes, so nothing is ever encoded again.
#[derive(Debug, Clone)]
pub struct Headers {
    /// The bytes of both.
    pub raw: Header,
    /// Type, channel, time, transaction id.
    pub channel: ChannelHeader,
    /// Creator and nonce.
    pub signature: SignatureHeader,
}

impl Headers {
    /// Decodes both headers.
    ///
    /// # Errors
    /// With the flag of a transaction whose headers are so.
    pub fn read(raw: Header) -> Result<Self, ValidationFlag> {
        let bad = |_| ValidationFlag::BAD_COMMON_HEADER;
        let channel = ChannelHeader::decode(raw.channel_header.clone()).map_err(bad)?;
        let signature = SignatureHeader::decode(raw.signature_header.clone()).map_err(bad)?;
        Ok(Self {
            raw,
            channel,
            signature,
        })
    }

    /// Opens an envelope: its headers, and the bytes of what it carries.
    ///
    /// # Errors
    /// With the flag of a transaction that is so.
    pub fn open(envelope: &Bytes) -> Result<(Self, Bytes), ValidationFlag> {
        let bad = |_| ValidationFlag::BAD_PAYLOAD;
        let envelope = Envelope::decode(envelope.clone()).map_err(bad)?;
        let payload = Payload::decode(envelope.payload).map_err(bad)?;
        let header = payload.header.ok_or(ValidationFlag::BAD_COMMON_HEADER)?;
        Ok((Self::read(header)?, payload.data))
    }

    /// Whether this is of an endorsed transaction and not, say, of a configuration.
    pub fn is_transaction(&self) -> bool {
        self.channel.r#type == HeaderType::EndorserTransaction as i32
    }

    /// Whether the transaction's id is the digest of its nonce and creator.
    pub fn id_is_own(&self) -> bool {
        self.channel.tx_id == transaction_id(&self.signature.nonce, &self.signature.creator)
    }

    /// The time that the submitter gave, in milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> i64 {
        from_timestamp(self.channel.timestamp.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_before_and_after_the_epoch() {
        for time_ms in [-1_500, -1, 0, 1, 999, 1_795_000_000_123] {
            assert_eq!(from_timestamp(Some(&to_timestamp(time_ms))), time_ms);
        }
    }
}
