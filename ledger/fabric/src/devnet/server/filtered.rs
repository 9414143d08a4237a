//! Filtered blocks: which transactions, with which flags and events, without what
//! they carry.

use prost::Message;

use crate::{
    ValidationFlag, block,
    header::Headers,
    proto::{
        common::Block,
        protos::{
            ChaincodeAction, ChaincodeActionPayload, ChaincodeEvent, FilteredBlock,
            FilteredChaincodeAction, FilteredTransaction, FilteredTransactionActions,
            ProposalResponsePayload, Transaction, filtered_transaction::Data,
        },
    },
};

/// Filters a block. `None` if a transaction in it cannot be decoded, which Fabric
/// answers with a bad request.
pub(super) fn filter(block: &Block) -> Option<FilteredBlock> {
    let mut filtered = FilteredBlock {
        number: block.header.as_ref()?.number,
        ..FilteredBlock::default()
    };
    for (envelope, flag) in block::flagged(block).ok()? {
        let (headers, body) = Headers::open(envelope).ok()?;
        filtered.channel_id.clone_from(&headers.channel.channel_id);
        let data = match headers.is_transaction() {
            true => Some(Data::TransactionActions(actions(body)?)),
            false => None,
        };
        filtered
            .filtered_transactions
            .push(transaction(headers, flag, data));
    }
    Some(filtered)
}

fn transaction(headers: Headers, flag: ValidationFlag, data: Option<Data>) -> FilteredTransaction {
    FilteredTransaction {
        txid: headers.channel.tx_id,
        r#type: headers.channel.r#type,
        tx_validation_code: flag.0.into(),
        data,
    }
}

fn actions(body: bytes::Bytes) -> Option<FilteredTransactionActions> {
    let mut chaincode_actions = Vec::new();
    for action in Transaction::decode(body).ok()?.actions {
        let payload = ChaincodeActionPayload::decode(action.payload).ok()?;
        let Some(endorsed) = payload.action else {
            continue;
        };
        let response = ProposalResponsePayload::decode(endorsed.proposal_response_payload).ok()?;
        let action = ChaincodeAction::decode(response.extension).ok()?;
        let event = ChaincodeEvent::decode(action.events).ok()?;
        if !event.chaincode_id.is_empty() {
            let chaincode_event = Some(ChaincodeEvent {
                payload: bytes::Bytes::new(),
                ..event
            });
            chaincode_actions.push(FilteredChaincodeAction { chaincode_event });
        }
    }
    Some(FilteredTransactionActions { chaincode_actions })
}
