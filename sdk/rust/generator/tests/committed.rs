//! The SDK keeps up with the contract: what is committed of the generated code is what
//! the contract makes of itself now, and every method can be called.

use std::{collections::BTreeMap, fs, path::Path};

use prost::Message as _;
use prost_types::FileDescriptorSet;

/// The files of a folder, without those in folders of it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file());
    paths
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (
                name.into_owned(),
                fs::read_to_string(&path).expect("a file"),
            )
        })
        .collect()
}

#[test]
fn the_committed_code_is_the_generated_code() {
    let folder = tempfile::tempdir().expect("a folder");
    gx_sdk_generator::generate(folder.path()).expect("generated");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/gen");
    let (committed, generated) = (files(&committed), files(folder.path()));
    assert!(
        committed == generated,
        "`make sdk-gen` writes sdk/rust/src/gen anew; {:?} are committed, {:?} are made",
        committed.keys(),
        generated.keys()
    );
}

/// `GetMe` as `get_me`.
fn in_snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn the_sdk_has_every_method_of_the_contract() {
    let sources = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"));
    let sources: String = sources.into_values().collect();
    let set = FileDescriptorSet::decode(gx_proto::FILE_DESCRIPTOR_SET).expect("a set");
    let methods = set.file.iter().flat_map(|file| &file.service);
    let methods: Vec<_> = methods.flat_map(|service| &service.method).collect();
    assert!(methods.len() > 40, "{}", methods.len());
    for method in methods {
        let call = format!("{}(", in_snake_case(method.name()));
        let is_there = [" ", "."].map(|before| sources.contains(&format!("{before}{call}")));
        assert!(is_there.contains(&true), "no {call}…) in sdk/rust/src");
    }
}
