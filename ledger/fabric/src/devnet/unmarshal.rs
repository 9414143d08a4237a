//! Decoding what came over the wire, with the words that Fabric has for what cannot
//! be decoded.

use bytes::Bytes;
use prost::Message;

/// Decodes a message.
///
/// # Errors
/// In Fabric's words, with the message's `name` as Fabric calls it.
pub(super) fn unmarshal<M: Message + Default>(name: &str, bytes: &Bytes) -> Result<M, String> {
    M::decode(bytes.clone()).map_err(|_| {
        format!("error unmarshalling {name}: proto: cannot parse invalid wire-format data")
    })
}
