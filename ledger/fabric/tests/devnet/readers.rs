//! Tools that read the files while the devnet writes them.

use gx_fabric::{
    ValidationFlag,
    devnet::{BLOCKS_FILE, BlockReader, StateReader, StoreError},
};
use prost::Message as _;

use crate::harness::Chain;

#[test]
fn a_reader_of_blocks_goes_on_when_there_are_more() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    let mut blocks = BlockReader::open(folder.path()).unwrap();
    assert!(blocks.next().is_some(), "block 0");
    for number in 1..20 {
        assert!(blocks.next().is_none());
        chain.run("get a;put a 1");
        let block = blocks.next().unwrap().unwrap();
        assert_eq!(Some(block), chain.core.block(number).unwrap());
    }
}

#[test]
fn readers_see_only_whole_blocks_of_one_chain_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut blocks = BlockReader::open(folder.path()).unwrap();
            let mut seen = 0;
            while seen < 51 {
                match blocks.next() {
                    Some(block) => seen += u64::from(block.is_ok()),
                    None => std::thread::yield_now(),
                }
                let state = StateReader::open(folder.path()).unwrap();
                let written = state
                    .get("a")
                    .unwrap()
                    .map_or(0, |value| value.version.block);
                assert_eq!(written + 1, state.height(), "one transaction a block");
            }
            seen
        });
        (0..50).for_each(|_| chain.run("get a;put a 1"));
        assert_eq!(reading.join().unwrap(), 51);
    });
}

#[test]
fn a_reader_of_state_sees_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    let one = chain.prepare("put a 1;put b 1");
    chain.commit(&[&one]);
    let state = StateReader::open(folder.path()).unwrap();
    chain.run("put a 2;delete b");
    let seen: Vec<_> = state
        .range("a", "z", 10)
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!((seen, state.height()), (vec!["a".into(), "b".into()], 2));
    assert_eq!(state.get("a").unwrap().unwrap().value, "1");
    assert_eq!(
        state.status(&one.tx_id).unwrap().unwrap().flag,
        ValidationFlag::VALID
    );

    let state = StateReader::open(folder.path()).unwrap();
    assert_eq!((state.height(), state.get("b").unwrap()), (3, None));
    let last = chain.core.block(2).unwrap().unwrap();
    assert_eq!(state.hash(), gx_fabric::block::hash(&last));
    assert_eq!(state.keys().unwrap(), 1);
}

#[test]
fn there_is_nothing_to_read_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    assert!(BlockReader::open(folder.path()).is_err());
    assert!(StateReader::open(folder.path()).is_err());
}

#[test]
fn a_block_whose_envelopes_are_not_those_of_its_header_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::open(folder.path());
    let path = folder.path().join(BLOCKS_FILE);
    let first = std::fs::read(&path).unwrap();
    chain.run("put a 1");
    drop(chain);
    let last = BlockReader::open(folder.path()).unwrap().last();
    let mut forged = last.unwrap().unwrap();
    forged.data.as_mut().unwrap().data[0] = "put a 1000000".into();
    let forged = forged.encode_to_vec();
    let length = u32::try_from(forged.len()).unwrap().to_le_bytes();
    let checksum = crc32fast::hash(&forged).to_le_bytes();
    let record = [&first[..], &length, &checksum, &forged].concat();
    std::fs::write(&path, record).unwrap();

    let read: Vec<_> = BlockReader::open(folder.path()).unwrap().take(2).collect();
    let [Ok(_), Err(StoreError::Damaged { offset, what, .. })] = &read[..] else {
        panic!("{read:?}");
    };
    assert_eq!(*offset, first.len() as u64);
    assert_eq!(*what, "a block with other envelopes");
}
