//! The orderer's queue: envelopes in the order of their arrival, and how many of
//! them make a block.

use std::collections::VecDeque;

use bytes::Bytes;

use super::options::Limits;

/// Pending envelopes.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequencer {
    pending: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

impl Sequencer {
    /// Takes an envelope in.
    pub(super) fn push(&mut self, envelope: Bytes) {
        self.bytes += envelope.len();
        self.pending.push_back(envelope);
    }

    /// Takes no more envelopes in from now on; asked before [`Self::push`].
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether envelopes are taken in no more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many envelopes wait.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether a block need not wait for its time: another envelope would not go in.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.pending.len() >= limits.max_message_count || self.bytes > limits.preferred_max_bytes
    }

    /// Takes the envelopes of the next block out; one that alone is larger than a
    /// block should be gets a block of its own.
    pub(super) fn take(&mut self, limits: &Limits) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.pending.front() {
            let fits = bytes + next.len() <= limits.preferred_max_bytes;
            if !taken.is_empty() && (!fits || taken.len() >= limits.max_message_count) {
                break;
            }
            bytes += next.len();
            taken.extend(self.pending.pop_front());
        }
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_message_count: usize, preferred_max_bytes: usize) -> Limits {
        Limits {
            max_message_count,
            preferred_max_bytes,
            ..Limits::default()
        }
    }

    fn blocks(limits: &Limits, sizes: &[usize]) -> Vec<usize> {
        let mut sequencer = Sequencer::default();
        sizes
            .iter()
            .for_each(|size| sequencer.push(vec![0; *size].into()));
        let mut blocks = Vec::new();
        while sequencer.len() > 0 {
            blocks.push(sequencer.take(limits).len());
        }
        assert_eq!(sequencer.bytes, 0);
        blocks
    }

    #[test]
    fn a_block_ends_at_the_count_or_at_the_bytes() {
        assert_eq!(blocks(&limits(2, 100), &[1, 1, 1]), [2, 1]);
        assert_eq!(blocks(&limits(9, 10), &[4, 6, 1, 10, 1]), [2, 1, 1, 1]);
    }

    #[test]
    fn a_large_envelope_gets_a_block_of_its_own() {
        assert_eq!(blocks(&limits(9, 10), &[1, 50, 1]), [1, 1, 1]);
    }

    #[test]
    fn a_full_block_need_not_wait() {
        let mut sequencer = Sequencer::default();
        sequencer.push(vec![0; 10].into());
        assert!(!sequencer.is_full(&limits(2, 10)));
        sequencer.push(vec![0; 1].into());
        assert!(sequencer.is_full(&limits(2, 100)));
        assert!(sequencer.is_full(&limits(9, 10)));
    }
}
