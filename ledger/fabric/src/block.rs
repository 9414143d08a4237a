//! Fabric's blocks: their hashes, their flags, and what read models take from them.

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    LedgerError, ValidationFlag,
    header::{Headers, to_timestamp, transaction_id},
    header_hash::header_hash,
    ledger,
    proto::common::{
        Block, BlockData, BlockHeader, BlockMetadata, BlockMetadataIndex, ChannelHeader,
        ConfigEnvelope, Envelope, Header, HeaderType, Payload, SignatureHeader,
    },
    transaction::Effect,
};

/// How many places a block's metadata has.
const METADATA_LEN: usize = 5;
/// How long a nonce is.
const NONCE_LEN: usize = 24;

/// The hash of a block, which its header has.
pub fn hash(block: &Block) -> [u8; 32] {
    header_hash(block.header.as_ref().unwrap_or(&BlockHeader::default()))
}

/// The hash of a block's envelopes: SHA-256 of all of them, one after the other.
pub fn data_hash(data: &BlockData) -> Bytes {
    let mut digest = Sha256::new();
    for envelope in &data.data {
        digest.update(envelope);
    }
    Bytes::copy_from_slice(&digest.finalize())
}

/// Puts a block together; one flag an envelope.
pub fn assemble(
    number: u64,
    previous_hash: Bytes,
    envelopes: Vec<Bytes>,
    flags: &[ValidationFlag],
) -> Block {
    let data = BlockData { data: envelopes };
    let mut metadata = vec![Bytes::new(); METADATA_LEN];
    metadata[BlockMetadataIndex::TransactionsFilter as usize] =
        flags.iter().map(|flag| flag.0).collect::<Vec<_>>().into();
    Block {
        header: Some(BlockHeader {
            number,
            previous_hash,
            data_hash: data_hash(&data),
        }),
        data: Some(data),
        metadata: Some(BlockMetadata { metadata }),
    }
}

/// The first block of a channel whose configuration nobody asks for: it names the
/// channel and nothing else.
pub fn genesis(channel: &str, time_ms: i64) -> Block {
    configured(channel, time_ms, &ConfigEnvelope::default())
}

/// The first block of a channel: one configuration envelope, which nobody signs.
pub fn configured(channel: &str, time_ms: i64, config: &ConfigEnvelope) -> Block {
    let data = config.encode_to_vec();
    let nonce = Sha256::new()
        .chain_update(channel)
        .chain_update(time_ms.to_be_bytes())
        .chain_update(&data)
        .finalize();
    let signature = SignatureHeader {
        nonce: Bytes::copy_from_slice(&nonce[..NONCE_LEN]),
        ..SignatureHeader::default()
    };
    let header = ChannelHeader {
        r#type: HeaderType::Config as i32,
        version: 1,
        timestamp: Some(to_timestamp(time_ms)),
        channel_id: channel.into(),
        tx_id: transaction_id(&signature.nonce, &[]),
        ..Default::default()
    };
    let payload = Payload {
        header: Some(Header {
            channel_header: header.encode_to_vec().into(),
            signature_header: signature.encode_to_vec().into(),
        }),
        data: data.into(),
    };
    let envelope = Envelope {
        payload: payload.encode_to_vec().into(),
        signature: Bytes::new(),
    };
    assemble(
        0,
        Bytes::new(),
        vec![envelope.encode_to_vec().into()],
        &[ValidationFlag::VALID],
    )
}

/// The header of a block.
///
/// # Errors
/// If it has none.
pub fn header(block: &Block) -> Result<&BlockHeader, LedgerError> {
    block
        .header
        .as_ref()
        .ok_or_else(|| LedgerError::internal("block without a header"))
}

/// The envelopes of a block, each with its flag.
///
/// # Errors
/// If there are fewer flags than envelopes: only peers send flags, and without them
/// nothing can be told about a transaction.
pub fn flagged(block: &Block) -> Result<Vec<(&Bytes, ValidationFlag)>, LedgerError> {
    let metadata = block
        .metadata
        .as_ref()
        .map_or(&[][..], |metadata| &metadata.metadata);
    let flags = metadata
        .get(BlockMetadataIndex::TransactionsFilter as usize)
        .cloned()
        .unwrap_or_default();
    let envelopes = block.data.as_ref().map_or(&[][..], |data| &data.data);
    if flags.len() < envelopes.len() {
        return Err(LedgerError::internal(
            "block with fewer flags than transactions",
        ));
    }
    Ok(envelopes
        .iter()
        .zip(flags.into_iter().map(ValidationFlag))
        .collect())
}

/// What read models take from a block: the events of `chaincode`.
///
/// # Errors
/// If the block, or a transaction in it that is flagged valid, cannot be decoded.
pub fn read(block: &Block, chaincode: &str) -> Result<ledger::Block, LedgerError> {
    let header = header(block)?;
    let mut read = ledger::Block {
        number: header.number,
        hash: header_hash(header),
        previous_hash: previous_hash(header)?,
        data_hash: header.data_hash.clone(),
        time_ms: 0,
        transactions: Vec::new(),
    };
    for (index, (envelope, flag)) in (0..).zip(flagged(block)?) {
        match Headers::open(envelope) {
            Ok((headers, body)) => {
                read.time_ms = headers.time_ms();
                if headers.is_transaction() {
                    let event = flag
                        .is_valid()
                        .then(|| event(body, chaincode))
                        .transpose()?;
                    let tx_id = headers.channel.tx_id;
                    let event = event.flatten();
                    read.transactions.push(ledger::Transaction {
                        tx_id,
                        index,
                        flag,
                        event,
                    });
                }
            }
            Err(_) if !flag.is_valid() => {
                let tx_id = String::new();
                read.transactions.push(ledger::Transaction {
                    tx_id,
                    index,
                    flag,
                    event: None,
                });
            }
            Err(_) => return Err(unreadable()),
        }
    }
    Ok(read)
}

fn event(body: Bytes, chaincode: &str) -> Result<Option<Bytes>, LedgerError> {
    let effect = Effect::decode(body).map_err(|_| unreadable())?;
    let own = effect.chaincode == chaincode && effect.event.event_name == ledger::BATCH_EVENT;
    Ok(own.then_some(effect.event.payload))
}

fn unreadable() -> LedgerError {
    LedgerError::internal("valid transaction that cannot be decoded")
}

fn previous_hash(header: &BlockHeader) -> Result<[u8; 32], LedgerError> {
    if header.number == 0 {
        return Ok([0; 32]);
    }
    header
        .previous_hash
        .as_ref()
        .try_into()
        .map_err(LedgerError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_names_the_channel_and_has_no_transaction() {
        let block = read(&genesis("gx", 1_234), "gx").unwrap();
        assert_eq!((block.number, block.time_ms), (0, 1_234));
        assert_eq!(block.previous_hash, [0; 32]);
        let data = genesis("gx", 1_234).data.unwrap();
        assert_eq!(block.data_hash, data_hash(&data));
        assert!(block.transactions.is_empty());
    }

    #[test]
    fn a_block_without_flags_is_not_read() {
        let mut block = genesis("gx", 0);
        block.metadata = None;
        assert!(read(&block, "gx").is_err());
    }
}
