//! Takes a transaction apart, changes something, and puts it together again.

use gx_fabric::{
    msp::SigningIdentity,
    proto::{
        common::{ChannelHeader, Envelope, Header, Payload, SignatureHeader},
        protos::{
            ChaincodeActionPayload, ChaincodeEndorsedAction, Endorsement, Transaction,
            TransactionAction,
        },
    },
};
use p256::ecdsa::Signature;
use prost::Message;

use super::harness::sign;

/// A transaction in its parts.
pub(crate) struct Parts {
    pub(crate) channel: ChannelHeader,
    pub(crate) creator: SignatureHeader,
    pub(crate) transaction: Transaction,
    pub(crate) call: ChaincodeActionPayload,
    /// What stands for the transaction instead, if anything.
    pub(crate) body: Option<Vec<u8>>,
}

impl Parts {
    fn open(envelope: &Envelope) -> Self {
        let payload = Payload::decode(envelope.payload.clone()).unwrap();
        let header = payload.header.unwrap();
        let transaction = Transaction::decode(payload.data).unwrap();
        let call = transaction.actions[0].payload.clone();
        Self {
            channel: ChannelHeader::decode(header.channel_header).unwrap(),
            creator: SignatureHeader::decode(header.signature_header).unwrap(),
            call: ChaincodeActionPayload::decode(call).unwrap(),
            transaction,
            body: None,
        }
    }

    fn close(mut self) -> Envelope {
        if let Some(action) = self.transaction.actions.first_mut() {
            action.payload = self.call.encode_to_vec().into();
        }
        let body = self
            .body
            .unwrap_or_else(|| self.transaction.encode_to_vec());
        let header = Header {
            channel_header: self.channel.encode_to_vec().into(),
            signature_header: self.creator.encode_to_vec().into(),
        };
        let payload = Payload {
            header: Some(header),
            data: body.into(),
        };
        Envelope {
            payload: payload.encode_to_vec().into(),
            ..Envelope::default()
        }
    }

    pub(crate) fn action(&mut self) -> &mut TransactionAction {
        &mut self.transaction.actions[0]
    }

    pub(crate) fn endorsed(&mut self) -> &mut ChaincodeEndorsedAction {
        self.call.action.as_mut().unwrap()
    }

    pub(crate) fn endorsements(&mut self) -> &mut Vec<Endorsement> {
        &mut self.endorsed().endorsements
    }
}

/// Changes a transaction and has it signed again.
pub(crate) fn edited(
    envelope: &Envelope,
    who: &SigningIdentity,
    change: impl FnOnce(&mut Parts),
) -> Envelope {
    let mut parts = Parts::open(envelope);
    change(&mut parts);
    sign(who, &parts.close())
}

/// The bytes with one bit turned.
pub(crate) fn turned(bytes: &[u8], bit: usize) -> bytes::Bytes {
    let mut turned = bytes.to_vec();
    turned[bit / 8] ^= 1 << (bit % 8);
    turned.into()
}

/// The same signature with `s` in the upper half.
pub(crate) fn high(signature: &[u8]) -> bytes::Bytes {
    let (r, s) = Signature::from_der(signature).unwrap().split_scalars();
    let high = Signature::from_scalars(r, -s).unwrap().to_der();
    bytes::Bytes::copy_from_slice(high.as_bytes())
}
