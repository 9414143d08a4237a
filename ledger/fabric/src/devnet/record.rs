//! The records of the block file: length and CRC-32 of the bytes, four bytes each,
//! little-endian, then the bytes.

use std::{fs::File, io, os::unix::fs::FileExt};

use bytes::Bytes;

/// Length and checksum.
const HEADER_LEN: u64 = 8;

/// What stands at a place in the file.
pub(super) enum Record {
    /// A record, and where the next one begins.
    Whole { bytes: Bytes, next: u64 },
    /// The end of the file.
    End,
    /// Bytes that are no record.
    Broken,
}

/// The bytes of a record; a block is never empty and never near 4 GiB.
pub(super) fn encode(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let mut record = Vec::with_capacity(bytes.len() + HEADER_LEN as usize);
    record.extend_from_slice(&length.to_le_bytes());
    record.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    record.extend_from_slice(bytes);
    Ok(record)
}

/// Reads the record at `offset` of a file that is `file_len` bytes long.
pub(super) fn read(file: &File, offset: u64, file_len: u64) -> io::Result<Record> {
    if offset >= file_len {
        return Ok(Record::End);
    }
    let rest = file_len - offset;
    if rest < HEADER_LEN {
        return Ok(Record::Broken);
    }
    let mut header = [0; HEADER_LEN as usize];
    file.read_exact_at(&mut header, offset)?;
    let (length, checksum) = split(header);
    // Zeros, as a crash may leave them, would be an empty record with a good checksum.
    if length == 0 || u64::from(length) > rest - HEADER_LEN {
        return Ok(Record::Broken);
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, offset + HEADER_LEN)?;
    if crc32fast::hash(&bytes) != checksum {
        return Ok(Record::Broken);
    }
    let next = offset + HEADER_LEN + u64::from(length);
    Ok(Record::Whole {
        bytes: bytes.into(),
        next,
    })
}

/// The bytes of the record with which `file` begins, if it is whole.
pub(super) fn first(file: &[u8]) -> Option<&[u8]> {
    let (header, rest) = file.split_first_chunk()?;
    let (length, checksum) = split(*header);
    let bytes = rest.get(..length as usize)?;
    // A block begins with the tag of its header: most places are ruled out by that.
    (bytes.first() == Some(&0x0a) && crc32fast::hash(bytes) == checksum).then_some(bytes)
}

fn split(header: [u8; HEADER_LEN as usize]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = header;
    (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    )
}
