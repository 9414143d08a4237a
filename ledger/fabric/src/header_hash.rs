//! The hash by which blocks are linked.

use sha2::{Digest, Sha256};

use crate::proto::common::BlockHeader;

/// The hash of a block: SHA-256 of its header in ASN.1 DER, a sequence of number,
/// previous hash and data hash.
pub fn header_hash(header: &BlockHeader) -> [u8; 32] {
    let mut fields = der(0x02, &der_integer(header.number));
    fields.extend(der(0x04, &header.previous_hash));
    fields.extend(der(0x04, &header.data_hash));
    Sha256::digest(der(0x30, &fields)).into()
}

/// An unsigned number as the content of an ASN.1 integer: big-endian, as short as
/// can be, with a leading zero where the first bit would read as a sign.
fn der_integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let first = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len() - 1);
    let sign = (bytes[first] & 0x80 != 0).then_some(0);
    sign.into_iter()
        .chain(bytes[first..].iter().copied())
        .collect()
}

/// One ASN.1 value: tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[content.len().leading_zeros() as usize / 8..];
    let mut value = vec![tag];
    match length {
        [] => value.push(0),
        [short @ 0..0x80] => value.push(*short),
        long => {
            value.push(0x80 | long.len() as u8);
            value.extend_from_slice(long);
        }
    }
    value.extend_from_slice(content);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_short_and_never_negative() {
        assert_eq!(der_integer(0), [0]);
        assert_eq!(der_integer(127), [127]);
        assert_eq!(der_integer(128), [0, 128]);
        assert_eq!(der_integer(256), [1, 0]);
        assert_eq!(der_integer(u64::MAX).len(), 9);
    }

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        assert_eq!(der(4, &[]), [4, 0]);
        assert_eq!(der(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(der(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(der(4, &[7; 256])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn the_header_is_hashed_in_der() {
        let header = BlockHeader {
            number: 1,
            previous_hash: vec![1; 32].into(),
            data_hash: vec![2; 32].into(),
        };
        let mut encoded = vec![0x30, 71, 0x02, 1, 1, 0x04, 32];
        encoded.extend([1; 32]);
        encoded.extend([0x04, 32]);
        encoded.extend([2; 32]);
        assert_eq!(
            header_hash(&header),
            <[u8; 32]>::from(Sha256::digest(encoded))
        );
    }
}
