//! The README's listing is the example, and the example works.

use std::process::Command;

use crate::harness::{PASSWORD, two_people};

const README: &str = include_str!("../../README.md");
const EXAMPLE: &str = include_str!("../../examples/first_transfer.rs");

#[tokio::test]
async fn the_first_transfer_of_the_readme_transfers() {
    let listing = README.split("```rust\n").nth(1).expect("a listing");
    let (listing, _) = listing.split_once("```").expect("its end");
    let (_, example) = EXAMPLE.split_once("\n\n").expect("a header");
    assert_eq!(listing, example);
    assert!(listing.lines().count() < 20);

    let (server, ann, bee) = two_people().await;
    let test = std::env::current_exe().expect("a path");
    let built = test.ancestors().nth(2).expect("a folder");
    let arguments = [&server.url(), &ann.contact, PASSWORD, &bee.account];
    let ran = Command::new(built.join("examples/first_transfer"))
        .args(arguments)
        .output()
        .expect("cargo builds examples with tests");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(said.starts_with("paid, fee 0.00625 GX, block "), "{said}");
}
