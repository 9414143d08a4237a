//! Arrows between the server's rooms point one way.

use super::{Source, elsewhere, of_the_server};

/// What callers reach over the network. None knows another.
const SERVICES: &[&str] = &["identity", "wallet", "tokenomics", "operation", "explorer"];
/// What stands above the services: it puts them together, or fills what they read.
const ABOVE: &[&str] = &[
    "roles",
    "network",
    "start",
    "projector",
    "submitter",
    "ops",
    "cli",
    "main",
    "lib",
];
/// Who knows the ledger. No handler calls it.
const KNOW_THE_LEDGER: &[&str] = &[
    "projector",
    "submitter",
    "ops",
    "roles",
    "network",
    "start",
    "main",
];

/// The rooms of this crate that a file names.
fn rooms_named(source: &Source) -> Vec<String> {
    let paths = source.paths.iter();
    let inside = paths.filter_map(|path| {
        let path = path
            .strip_prefix("crate::")
            .or_else(|| path.strip_prefix("gx_server::"));
        path.map(str::to_owned)
    });
    inside.collect()
}

fn room_of(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

#[test]
fn services_never_import_each_other() {
    let mut seen = 0;
    let mut found = Vec::new();
    for source in of_the_server() {
        if !SERVICES.contains(&source.room()) {
            continue;
        }
        seen += 1;
        let named = rooms_named(source).into_iter();
        let other = |path: &String| {
            let room = room_of(path);
            SERVICES.contains(&room) && room != source.room()
        };
        found.extend(
            named
                .filter(other)
                .map(|path| format!("{}: {path}", source.path)),
        );
    }
    assert!(seen > 50, "only {seen} files of services");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_below_the_services_knows_them() {
    let upper = [SERVICES, ABOVE].concat();
    let found = elsewhere(&upper, |source| {
        let named = rooms_named(source).into_iter();
        named
            .filter(|path| upper.contains(&room_of(path)))
            .collect()
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn services_know_nothing_above_them() {
    let mut found = Vec::new();
    for source in of_the_server() {
        if SERVICES.contains(&source.room()) {
            let named = rooms_named(source).into_iter();
            let above = named.filter(|path| ABOVE.contains(&room_of(path)));
            found.extend(above.map(|path| format!("{}: {path}", source.path)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_handler_knows_the_ledger() {
    let found = elsewhere(KNOW_THE_LEDGER, |source| {
        let paths = source.paths.iter();
        let of_the_ledger = paths.filter(|path| room_of(path) == "gx_fabric");
        of_the_ledger.cloned().collect()
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// The only writer of chain columns and outcomes.
#[test]
fn only_the_projector_projects_and_settles() {
    let found = elsewhere(&["projector"], |source| {
        let room = source.room().to_owned();
        let named = rooms_named(source).into_iter();
        let projects = |path: &String| {
            let writes = path.split("::").nth(1) == Some("projection") && path.ends_with("_in");
            let settles = path.starts_with("outbox::settle");
            (writes || settles) && room_of(path) != room
        };
        named.filter(projects).collect()
    });
    assert!(found.is_empty(), "{found:#?}");
    let projects = of_the_server()
        .filter(|source| source.room() == "projector")
        .flat_map(|source| &source.paths)
        .filter(|path| path.contains("projection::") || path.starts_with("settle::"));
    assert!(projects.count() >= 3, "the projector's own calls are seen");
}
