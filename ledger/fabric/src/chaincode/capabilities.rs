//! What a peer offers beyond single operations, told once a stream with READY.
//! What is not offered must never be sent: an older peer ends the stream over it.

use prost::Message;

use crate::proto::protos::ChaincodeAdditionalParams;

/// Most keys of one message where a peer offers batches and names no size, as in
/// Fabric's own shims.
const KEYS_MAX_DEFAULT: u32 = 100;

/// The batched operations of one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Capabilities {
    /// Most keys of one GET_STATE_MULTIPLE; none where it is not offered.
    pub(super) read_keys_max: Option<usize>,
    /// Most records of one WRITE_BATCH_STATE; none where it is not offered.
    pub(super) write_keys_max: Option<usize>,
}

impl Capabilities {
    /// Reads the payload of READY. One that cannot be read offers nothing, as one of
    /// a peer before 3.1, which is empty.
    pub(super) fn read(payload: &[u8]) -> Self {
        let offered = ChaincodeAdditionalParams::decode(payload).unwrap_or_default();
        let size = |offered: bool, size: u32| {
            let size = if size == 0 { KEYS_MAX_DEFAULT } else { size };
            offered.then(|| usize::try_from(size).unwrap_or(usize::MAX))
        };
        Self {
            read_keys_max: size(
                offered.use_get_multiple_keys,
                offered.max_size_get_multiple_keys,
            ),
            write_keys_max: size(offered.use_write_batch, offered.max_size_write_batch),
        }
    }

    /// Tells the log which operations the stream uses. Without batches every key is
    /// a round trip, and large batches take 25 times as long.
    pub(super) fn tell(&self, peer: &str, payload: &[u8]) {
        let (read, write) = (self.read_keys_max, self.write_keys_max);
        if read.is_some() || write.is_some() {
            tracing::info!(
                peer,
                read_keys_max = read,
                write_keys_max = write,
                "the peer offers batched operations"
            );
        } else if payload.is_empty() {
            tracing::info!(peer, "the peer is before 3.1: no batched operations");
        } else {
            tracing::warn!(
                peer,
                "peer is 3.1 but batched operations are off: its core.yaml has no \
                 chaincode.runtimeParams"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(offered: ChaincodeAdditionalParams) -> (Option<usize>, Option<usize>) {
        let read = Capabilities::read(&offered.encode_to_vec());
        (read.read_keys_max, read.write_keys_max)
    }

    #[test]
    fn only_what_is_offered_is_used() {
        let mut offered = ChaincodeAdditionalParams {
            use_write_batch: true,
            max_size_write_batch: 1_000,
            use_get_multiple_keys: false,
            max_size_get_multiple_keys: 1_000,
        };
        assert_eq!(read(offered), (None, Some(1_000)));
        offered.use_get_multiple_keys = true;
        assert_eq!(read(offered), (Some(1_000), Some(1_000)));
        offered.max_size_get_multiple_keys = 0;
        assert_eq!(read(offered), (Some(100), Some(1_000)));
    }

    #[test]
    fn silence_and_noise_offer_nothing() {
        for payload in [&b""[..], b"\xff\xff"] {
            assert_eq!(Capabilities::read(payload), Capabilities::default());
        }
    }
}
