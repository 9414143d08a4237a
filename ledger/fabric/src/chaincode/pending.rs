//! Who waits for an answer: the transactions of one stream by channel and id. A
//! transaction asks one thing at a time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::proto::protos::ChaincodeMessage;

/// A channel and a transaction's id in it.
type Key = (String, String);
type Waiting = Option<oneshot::Sender<ChaincodeMessage>>;

/// The transactions under way on one stream; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending(Arc<Mutex<BTreeMap<Key, Waiting>>>);

/// A transaction that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    key: Key,
    pending: Pending,
}

impl Pending {
    /// Takes up a transaction; none if it is under way already.
    pub(super) fn begin(&self, message: &ChaincodeMessage) -> Option<Ticket> {
        let key = key(message);
        let mut waiting = self.lock();
        if waiting.contains_key(&key) {
            return None;
        }
        waiting.insert(key.clone(), None);
        drop(waiting);
        Some(Ticket {
            key,
            pending: self.clone(),
        })
    }

    /// Hands an answer to the transaction that waits for it; whether one did.
    pub(super) fn deliver(&self, message: ChaincodeMessage) -> bool {
        let asked = self.lock().get_mut(&key(&message)).and_then(Option::take);
        asked.is_some_and(|asked| asked.send(message).is_ok())
    }

    /// How many transactions are under way.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// The next message for this transaction; to be called before its question is
    /// sent.
    pub(super) fn expect(&self) -> oneshot::Receiver<ChaincodeMessage> {
        let (sender, receiver) = oneshot::channel();
        self.pending.lock().insert(self.key.clone(), Some(sender));
        receiver
    }

    /// A message about this transaction.
    pub(super) fn message(&self) -> ChaincodeMessage {
        let (channel_id, txid) = self.key.clone();
        ChaincodeMessage {
            channel_id,
            txid,
            ..ChaincodeMessage::default()
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.key);
    }
}

fn key(message: &ChaincodeMessage) -> Key {
    (message.channel_id.clone(), message.txid.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str, tx_id: &str) -> ChaincodeMessage {
        ChaincodeMessage {
            channel_id: channel.into(),
            txid: tx_id.into(),
            ..ChaincodeMessage::default()
        }
    }

    #[test]
    fn an_answer_reaches_the_transaction_that_asked_and_no_other() {
        let pending = Pending::default();
        let one = pending.begin(&message("a", "bc")).unwrap();
        let other = pending.begin(&message("ab", "c")).unwrap();
        let (mut to_one, mut to_other) = (one.expect(), other.expect());
        assert!(pending.deliver(message("a", "bc")));
        assert_eq!(to_one.try_recv().unwrap(), message("a", "bc"));
        assert!(to_other.try_recv().is_err());
        assert!(!pending.deliver(message("a", "bc")), "it asked once");
    }

    #[test]
    fn a_transaction_is_under_way_once_and_until_its_end() {
        let pending = Pending::default();
        let ticket = pending.begin(&message("a", "b")).unwrap();
        assert!(pending.begin(&message("a", "b")).is_none());
        drop(ticket);
        assert!(!pending.deliver(message("a", "b")));
        assert_eq!(pending.len(), 0);
    }
}
