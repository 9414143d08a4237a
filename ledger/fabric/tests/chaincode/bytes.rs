//! Whatever bytes a peer sends, the server neither breaks nor hangs nor grows: the
//! committed corpus of the fuzzer, and mutations of it.

use std::{path::Path, sync::Arc};

use gx_fabric::{GxContract, chaincode};
use proptest::{
    collection::vec,
    prelude::any,
    sample::Index,
    test_runner::{Config, TestRunner},
};

use crate::harness::NOW_MS;

/// What the server says is bounded by what it was told, in messages of three bytes
/// and more: at most a first question and an end for a transaction, and a further
/// question for an answer.
fn play(bytes: &[u8]) -> usize {
    let said = chaincode::replay(Arc::new(GxContract), NOW_MS, bytes);
    let messages_max = bytes.len() / 3;
    assert!(
        said.len() <= 1 + 2 * messages_max,
        "{} of {}",
        said.len(),
        bytes.len()
    );
    said.len()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/chaincode_stream")
}

fn corpus() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut corpus: Vec<_> = files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    corpus.sort();
    corpus
}

#[test]
fn every_stream_of_the_corpus_is_survived() {
    let corpus = corpus();
    assert!(corpus.len() >= 5, "{} files", corpus.len());
    let longest = corpus.iter().map(|bytes| play(bytes)).max();
    assert!(longest > Some(5), "the corpus gets far into a stream");
}

#[test]
fn changed_streams_are_survived() {
    let corpus = corpus();
    let change = (any::<Index>(), any::<Index>(), any::<u8>(), 0..4_u8);
    let changes = (any::<Index>(), vec(change, 1..12));
    let mut runner = TestRunner::new(Config::with_cases(4_000));
    runner
        .run(&changes, |(which, changes)| {
            let mut bytes = which.get(&corpus).clone();
            for (at, other, byte, kind) in changes {
                mutate(&mut bytes, &at, &other, byte, kind);
            }
            play(&bytes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn noise_is_survived() {
    let mut runner = TestRunner::new(Config::with_cases(2_000));
    let noise = vec(any::<u8>(), 0..300);
    runner
        .run(&noise, |bytes| {
            play(&bytes);
            Ok(())
        })
        .unwrap();
}

fn mutate(bytes: &mut Vec<u8>, at: &Index, other: &Index, byte: u8, kind: u8) {
    if bytes.is_empty() {
        return;
    }
    let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
    match kind {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        2 => drop(bytes.drain(at.min(other)..at.max(other))),
        _ => {
            let part = bytes[at.min(other)..at.max(other)].to_vec();
            bytes.splice(at..at, part);
        }
    }
}
