//! The documentation keeps its word: the walk of README.md is run as it stands
//! there, what it says one sees is seen, and what server/README.md names exists.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::harness::{Database, Gateway, Gx};

const README: &str = include_str!("../../../README.md");
const ARCHITECTURE: &str = include_str!("../../README.md");
const GATEWAY: &str = include_str!("../../../envoy/README.md");
const CONSOLE: &str = include_str!("../../../sdk/typescript/examples/console/README.md");
const MODULES: &str = include_str!("../../src/lib.rs");

/// What the walk must end with, whatever else README.md shows.
const FIGURES: &[(&str, u64)] = &[
    ("feeQirat", 50_000),
    ("balanceQirat", 399_950_000),
    ("balanceQirat", 600_000_000),
    ("maximumQirat", 1_250_000_000_000_000_000),
    ("poolsQirat", 1_249_999_998_900_050_000),
    ("treasuriesQirat", 100_000_000),
    ("circulatingQirat", 999_950_000),
];

/// What the walk over REST adds to it.
const REST_FIGURES: &[(&str, u64)] = &[("feeQirat", 25_000), ("balanceQirat", 349_925_000)];

/// Lines that a first transfer takes in a shell, functions included.
const LINES_MAX: usize = 20;

/// The fenced blocks behind a marker, in order.
fn blocks<'a>(marker: &str, fence: &str) -> Vec<&'a str> {
    let begin = format!("<!-- {marker} -->\n```{fence}\n");
    let rest = README.split(begin.as_str()).skip(1);
    rest.map(|rest| rest.split("\n```\n").next().unwrap_or_default())
        .collect()
}

/// Runs the walk against a running system and answers what one sees.
fn walk(gx: &Gx, gateway: &Gateway) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &blocks("walk", "bash").join("\n")])
        .env("GX", format!("127.0.0.1:{}", gx.port()))
        .env("REST", format!("http://127.0.0.1:{}", gateway.port))
        .env("GX_DATA_DIR", gx.data_dir())
        .env_remove("TOKEN")
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{seen}\n{told}");
    seen
}

fn require_grpcurl() {
    let found = Command::new("grpcurl").arg("-version").output();
    if let Err(error) = found {
        assert_eq!(error.kind(), ErrorKind::NotFound, "grpcurl: {error}");
        panic!("grpcurl is not on PATH: `make tools` installs it into .venv/bin");
    }
}

/// Whether a line that was seen is one that README.md shows; `…` stands for
/// anything.
fn fits(shown: &str, seen: &str) -> bool {
    match shown.split_once('…') {
        Some((begin, end)) => seen.starts_with(begin) && seen.ends_with(end),
        None => seen == shown,
    }
}

fn figure(line: &str) -> Option<(&str, u64)> {
    let (name, value) = line.trim().trim_end_matches(',').split_once(": ")?;
    Some((
        name.trim_matches('"'),
        value.trim_matches('"').parse().ok()?,
    ))
}

#[tokio::test]
async fn the_walk_does_what_the_readme_says() {
    require_grpcurl();
    let gx = Gx::start(Database::Sqlite).await;
    let gateway = Gateway::start(&gx).await;
    let seen = walk(&gx, &gateway);
    let mut lines = seen.lines().map(str::trim);
    for shown in blocks("seen", "json")
        .iter()
        .flat_map(|block| block.lines())
    {
        let shown = shown.trim();
        if shown != "…" {
            let found = lines.any(|line| fits(shown, line));
            assert!(found, "not seen in its place: {shown}\nof\n{seen}");
        }
    }
    let mut figures = seen.lines().filter_map(figure);
    for wanted in FIGURES.iter().chain(REST_FIGURES) {
        assert!(figures.any(|one| one == *wanted), "{wanted:?} of\n{seen}");
    }
    let [
        ..,
        (_, maximum),
        (_, pools),
        (_, treasuries),
        (_, circulating),
    ] = FIGURES
    else {
        panic!("figures of the supply");
    };
    assert_eq!(pools + treasuries + circulating, *maximum);
}

#[test]
fn a_first_transfer_in_a_shell_is_short() {
    let walk = blocks("walk", "bash");
    let lines = |word: &str| {
        let block = walk.iter().find(|block| block.contains(word));
        let lines = block.expect("a block").lines();
        lines.filter(|line| !line.is_empty()).count()
    };
    let grpcurl = lines("call() {") + lines("WalletService/Transfer");
    assert!(grpcurl < LINES_MAX, "{grpcurl} lines by grpcurl");
    let rest = lines("REST=");
    assert!(rest < LINES_MAX, "{rest} lines by curl");
}

#[test]
fn every_line_to_paste_is_walked() {
    assert_eq!(
        README.matches("```bash\n").count(),
        blocks("walk", "bash").len()
    );
    assert_eq!(
        README.matches("```json\n").count(),
        blocks("seen", "json").len()
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn links_lead_somewhere() {
    for (text, folder) in [
        (README, root()),
        (ARCHITECTURE, root().join("server")),
        (GATEWAY, root().join("envoy")),
        (CONSOLE, root().join("sdk/typescript/examples/console")),
    ] {
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            let path = folder.join(link);
            assert!(link.is_empty() || path.exists(), "{}", path.display());
        }
    }
}

/// The first words of the lines of the house.
fn house() -> Vec<&'static str> {
    let block = ARCHITECTURE.split("```house\n").nth(1).expect("the house");
    let lines = block.split("\n```").next().unwrap_or_default().lines();
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

#[test]
fn the_house_has_every_module_and_no_other() {
    let source = root().join("server/src");
    for room in house() {
        assert!(source.join(room).exists(), "there is no {room}");
    }
    for line in MODULES
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
    {
        let module = line.trim_end_matches(';');
        let rooms = [format!("{module}/"), format!("{module}.rs")];
        assert!(
            house()
                .iter()
                .any(|room| rooms.iter().any(|name| name == room)),
            "server/README.md does not say what {module} is for"
        );
    }
}

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&std::fs::read_to_string(path).expect("a source"));
        }
    }
}

#[test]
fn every_test_that_the_architecture_names_exists() {
    let mut code = String::new();
    for folder in ["server/src", "server/tests", "ledger"] {
        sources(&root().join(folder), &mut code);
    }
    let quoted = ARCHITECTURE.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| {
        word.matches('_').count() > 2 && word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
    };
    let named: Vec<_> = quoted.filter(is_test).collect();
    assert!(named.len() > 8, "{named:?}");
    for test in named {
        assert!(code.contains(&format!("fn {test}(")), "there is no {test}");
    }
}
