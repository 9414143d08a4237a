//! The hash that binds a line to all lines before it.

use sha2::{Digest, Sha256};

use super::entity::line::Model;

/// The hash of a line at its place: of the hash before it and of every column.
pub(super) fn hash(previous: &[u8], sequence: i64, line: &Model) -> Vec<u8> {
    let mut hasher = Sha256::new_with_prefix(b"gx audit line\0");
    let mut put = |field: Option<&[u8]>| match field {
        // Lengths in front, and a mark for absence: no two lines are written alike.
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        None => hasher.update([0]),
    };
    put(Some(previous));
    for number in [sequence, line.id, line.at_ms] {
        put(Some(&number.to_be_bytes()));
    }
    put(line.actor.as_ref().map(|actor| actor.as_bytes().as_slice()));
    for text in [&line.action, &line.subject, &line.outcome, &line.request_id] {
        put(Some(text.as_bytes()));
    }
    put(line.traceparent.as_deref().map(str::as_bytes));
    put(Some(line.client.as_bytes()));
    put(line.fabric_tx_id.as_deref().map(str::as_bytes));
    hasher.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_changes_the_hash() {
        let line = Model {
            id: 1,
            at_ms: 2,
            actor: None,
            action: "a".to_owned(),
            subject: "b".to_owned(),
            outcome: "OK".to_owned(),
            request_id: "r".to_owned(),
            traceparent: None,
            client: "::1".to_owned(),
            fabric_tx_id: None,
            sequence: None,
            previous_hash: None,
            hash: None,
        };
        let changes: [fn(&mut Model); 11] = [
            |_| {},
            |line| line.id = 2,
            |line| line.at_ms = 3,
            |line| line.actor = Some(uuid::Uuid::nil()),
            |line| (line.action, line.subject) = ("ab".to_owned(), String::new()),
            |line| line.subject = "c".to_owned(),
            |line| line.outcome = "INTERNAL".to_owned(),
            |line| line.request_id = "s".to_owned(),
            |line| line.traceparent = Some(String::new()),
            |line| line.client = "::2".to_owned(),
            |line| line.fabric_tx_id = Some("f".to_owned()),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for change in changes {
            let mut line = line.clone();
            change(&mut line);
            assert!(seen.insert(hash(&[0; 32], 1, &line)));
        }
        assert!(seen.insert(hash(&[0; 32], 2, &line)));
        assert!(seen.insert(hash(&[1; 32], 1, &line)));
    }
}
