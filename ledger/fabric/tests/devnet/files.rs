//! The folder after crashes, damage and mistakes.

use std::{fs, path::Path};

use gx_fabric::{
    LedgerError, block,
    devnet::{BLOCKS_FILE, BlockReader, Core, STATE_FILE, StateReader, StoreError},
    header_hash::header_hash,
};
use tempfile::TempDir;

use crate::harness::{Chain, Script, options};

const SCRIPTS: [&str; 4] = [
    "put a 1;put gone 1",
    "get a;put b 2",
    "delete gone;put a 3",
    "get a;put c 4",
];

/// A chain of block 0 and one block a script, and where each block begins and the
/// file ends.
fn written(scripts: &[&str]) -> (TempDir, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    let len = || fs::metadata(folder.path().join(BLOCKS_FILE)).unwrap().len();
    let mut offsets = vec![0, len()];
    for script in scripts {
        chain.run(script);
        offsets.push(len());
    }
    (folder, offsets)
}

/// A folder with the blocks of one folder, changed, and the state of another, as a
/// kill would leave them.
fn assembled(blocks: &[u8], state: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(BLOCKS_FILE), blocks).unwrap();
    fs::copy(state.join(STATE_FILE), folder.path().join(STATE_FILE)).unwrap();
    folder
}

fn bytes(folder: &TempDir) -> Vec<u8> {
    fs::read(folder.path().join(BLOCKS_FILE)).unwrap()
}

/// The whole state as the file has it.
fn state(folder: &Path) -> String {
    let state = StateReader::open(folder).unwrap();
    let keys = state.range("", "~", 100).unwrap().into_iter();
    let keys = keys.map(|(key, value)| {
        let text = String::from_utf8(value.value.to_vec()).unwrap();
        format!("{key}={text}@{} ", value.version.block)
    });
    format!("{}: {}", state.height(), keys.collect::<String>())
}

/// What the first `blocks` scripts lead to.
fn expected(scripts: usize) -> &'static str {
    match scripts {
        0 => "1: ",
        1 => "2: a=1@1 gone=1@1 ",
        2 => "3: a=1@1 b=2@2 gone=1@1 ",
        3 => "4: a=3@3 b=2@2 ",
        _ => "5: a=3@3 b=2@2 c=4@4 ",
    }
}

#[test]
fn a_file_cut_anywhere_opens_at_its_last_whole_block_and_the_state_follows() {
    let (full, offsets) = written(&SCRIPTS);
    let (early, _) = written(&SCRIPTS[..1]);
    let blocks = bytes(&full);
    for cut in offsets[3]..=offsets[5] {
        let whole = offsets[1..].iter().filter(|end| **end <= cut).count();
        // The state is ahead of a cut file, or behind it: either way it follows.
        let older = if cut % 2 == 0 { &full } else { &early };
        let folder = assembled(&blocks[..cut as usize], older.path());
        let chain = Chain::open(folder.path());
        assert_eq!(chain.core.height(), whole as u64, "cut at {cut}");
        assert_eq!(bytes(&folder).len() as u64, offsets[whole], "cut at {cut}");
        assert_eq!(state(folder.path()), expected(whole - 1), "cut at {cut}");
    }
}

#[test]
fn a_cut_chain_goes_on_where_it_was_cut() {
    let (full, offsets) = written(&SCRIPTS);
    let folder = assembled(&bytes(&full)[..offsets[4] as usize + 5], full.path());
    let chain = Chain::open(folder.path());
    chain.run("get a;put c 5");
    drop(chain);
    let chain = Chain::open(folder.path());
    assert_eq!((chain.core.height(), chain.ask("get c")), (5, "c=5".into()));
}

/// A record that is no block behind a byte that is no record: what a transaction
/// may carry, and a cut may uncover.
fn record_within() -> Vec<u8> {
    let bytes = [0x0a, 2, 8, 9];
    let checksum = crc32fast::hash(&bytes).to_le_bytes();
    [&[7, 4, 0, 0, 0][..], &checksum, &bytes].concat()
}

#[test]
fn garbage_at_the_end_is_cut_off() {
    let (full, offsets) = written(&SCRIPTS);
    let garbage = |index: usize| (index * 7919 % 251) as u8;
    let tails: [Vec<u8>; 5] = [
        vec![0; 4096],
        vec![0xff; 100],
        (0..500).map(garbage).collect(),
        vec![10, 0, 0, 0, 1, 2, 3, 4, 0x0a, 0x0a],
        record_within(),
    ];
    for tail in tails {
        let folder = assembled(&[bytes(&full), tail].concat(), full.path());
        assert_eq!(Chain::open(folder.path()).core.height(), 5);
        assert_eq!(bytes(&folder).len() as u64, offsets[5]);
    }
}

#[test]
fn a_bad_record_in_the_middle_is_an_error_that_names_its_place() {
    let (full, offsets) = written(&SCRIPTS);
    let sound = bytes(&full);
    for place in offsets[2]..offsets[3] {
        let mut blocks = sound.clone();
        blocks[place as usize] ^= 0x40;
        let folder = assembled(&blocks, full.path());
        let opened = Core::open(options(Script, 1), folder.path()).err().unwrap();
        let StoreError::Damaged { offset, .. } = opened else {
            panic!("{place}: {opened}")
        };
        assert_eq!(offset, offsets[2], "damaged at {place}");
        assert_eq!(bytes(&folder), blocks, "nothing is cut off");
    }
}

#[test]
fn a_block_that_does_not_follow_is_an_error() {
    let (full, offsets) = written(&SCRIPTS);
    let sound = bytes(&full);
    let record = |index: usize| &sound[offsets[index] as usize..offsets[index + 1] as usize];
    for order in [vec![0, 2], vec![0, 1, 1], vec![1]] {
        let blocks: Vec<u8> = order
            .iter()
            .flat_map(|index| record(*index).to_vec())
            .collect();
        let folder = assembled(&blocks, full.path());
        let opened = Core::open(options(Script, 1), folder.path());
        assert!(
            matches!(opened.err(), Some(StoreError::Damaged { .. })),
            "{order:?}"
        );
    }
}

#[test]
fn a_state_of_another_chain_is_made_again() {
    let (full, _) = written(&SCRIPTS);
    let (other, _) = written(&["put x 1", "put y 2"]);
    let folder = assembled(&bytes(&full), other.path());
    drop(Chain::open(folder.path()));
    assert_eq!(state(folder.path()), expected(4));
}

#[test]
fn a_state_that_is_missing_or_no_database_is_made_again() {
    let (full, _) = written(&SCRIPTS);
    for broken in [None, Some(vec![7; 5000])] {
        let folder = assembled(&bytes(&full), full.path());
        let path = folder.path().join(STATE_FILE);
        match broken {
            None => fs::remove_file(path).unwrap(),
            Some(bytes) => fs::write(path, bytes).unwrap(),
        }
        drop(Chain::open(folder.path()));
        assert_eq!(state(folder.path()), expected(4));
    }
}

#[test]
fn a_kill_leaves_files_that_open() {
    let (full, _) = written(&SCRIPTS[..2]);
    let chain = Chain::open(full.path());
    chain.run(SCRIPTS[2]);
    let killed = tempfile::tempdir().unwrap();
    for file in fs::read_dir(full.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), killed.path().join(file.file_name())).unwrap();
    }
    drop(Chain::open(killed.path()));
    assert_eq!(state(killed.path()), expected(3));
}

#[test]
fn what_a_chain_remembers_is_what_it_knew() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    let one = chain.prepare("get a;put a 1");
    let two = chain.prepare("get a;put a 2");
    chain.commit(&[&one, &two, &one]);
    let statuses = |chain: &Chain| [&one, &two].map(|prepared| chain.status(prepared));
    let known = statuses(&chain);
    drop(chain);
    assert_eq!(statuses(&Chain::open(folder.path())), known);
    fs::remove_file(folder.path().join(STATE_FILE)).unwrap();
    let again = Chain::open(folder.path());
    assert_eq!(statuses(&again), known);
    assert_eq!(again.commit(&[&one]), [9]);
}

#[test]
fn the_hashes_of_a_file_can_be_recomputed() {
    let (full, _) = written(&SCRIPTS);
    let mut previous = Vec::new();
    for (number, block) in BlockReader::open(full.path()).unwrap().enumerate() {
        let block = block.unwrap();
        let header = block.header.unwrap();
        assert_eq!(header.number, number as u64);
        assert_eq!(header.previous_hash, previous);
        assert_eq!(header.data_hash, block::data_hash(&block.data.unwrap()));
        previous = header_hash(&header).to_vec();
    }
    assert!(!previous.is_empty());
}

#[test]
fn a_chain_that_cannot_write_closes_and_can_be_opened_again() {
    let (full, _) = written(&SCRIPTS[..3]);
    let chain = Chain::open(full.path());
    let tool = rusqlite::Connection::open(full.path().join(STATE_FILE)).unwrap();
    tool.execute("drop table position", []).unwrap();
    let last = chain.prepare(SCRIPTS[3]);
    chain.core.submit(&last.envelope).unwrap();
    assert!(matches!(
        chain.core.cut_block(),
        Err(LedgerError::Internal { .. })
    ));
    let refused = chain.core.submit(&last.envelope);
    assert!(matches!(refused, Err(LedgerError::Unavailable { .. })));
    assert_eq!(
        chain.status(&last),
        None,
        "unknown until the folder is opened again"
    );
    drop((chain, tool));
    assert!(Chain::open(full.path()).status(&last).is_some());
    assert_eq!(state(full.path()), expected(4));
}

#[test]
fn there_is_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = Chain::open(folder.path());
    let second = Core::open(options(Script, 1), folder.path());
    assert!(matches!(second.err(), Some(StoreError::Locked { .. })));
    drop(first);
    assert!(Core::open(options(Script, 1), folder.path()).is_ok());
}

#[test]
fn the_blocks_of_another_channel_are_left_alone() {
    let (full, _) = written(&SCRIPTS);
    let mut other = options(Script, 1);
    other.channel = "other".into();
    let opened = Core::open(other, full.path());
    assert!(matches!(
        opened.err(),
        Some(StoreError::OtherChannel { .. })
    ));
    assert_eq!(Chain::open(full.path()).core.height(), 5);
}

#[test]
fn a_fork_of_a_folder_lives_in_memory() {
    let (full, _) = written(&SCRIPTS);
    let chain = Chain::open(full.path());
    let fork = Chain::with(chain.core.fork().unwrap());
    fork.run("put a 9");
    assert_eq!((fork.core.height(), chain.core.height()), (6, 5));
    assert_eq!(fork.core.block(3).unwrap(), chain.core.block(3).unwrap());
    assert!(!fork.core.is_durable());
}
