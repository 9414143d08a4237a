//! The house as its builders said: arrows between rooms, what only one room may
//! do, the size of functions, and words on everything.

mod arrows;
mod metrics;
mod protos;
mod schema;
mod sources;

use sources::{Source, of_the_server, of_the_workspace};

/// Most lines of a function, signature and braces included.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = of_the_workspace()
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| &source.path)
        .collect();
    assert!(silent.is_empty(), "no //! at the top of {silent:#?}");
}

#[test]
fn no_function_is_longer_than_seventy_lines() {
    let mut functions = 0;
    let mut long = Vec::new();
    for source in of_the_workspace() {
        for (name, lines) in &source.functions {
            functions += 1;
            if *lines > FUNCTION_LINES_MAX {
                long.push(format!("{}: {name} has {lines} lines", source.path));
            }
        }
    }
    assert!(functions > 1_000, "only {functions} functions were found");
    assert!(long.is_empty(), "{long:#?}");
}

/// Files outside `rooms` whose code, tests aside, has one of the words.
fn elsewhere(rooms: &[&str], found: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    of_the_server()
        .filter(|source| !rooms.contains(&source.room()))
        .flat_map(|source| {
            let found = found(source).into_iter();
            found.map(|what| format!("{}: {what}", source.path))
        })
        .collect()
}

/// The paths that begin like one of these.
fn mentions(source: &Source, beginnings: &[&str]) -> Vec<String> {
    let paths = source.paths.iter();
    let begins = |path: &&String| {
        beginnings.iter().any(|beginning| {
            let rest = path.strip_prefix(beginning);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    paths.filter(begins).cloned().collect()
}

#[test]
fn time_comes_from_one_room() {
    let found = elsewhere(&["clock"], |source| {
        let clocks = [
            "std::time::SystemTime",
            "SystemTime",
            "time::OffsetDateTime::now_utc",
            "OffsetDateTime::now_utc",
        ];
        mentions(source, &clocks)
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn chance_comes_from_one_room() {
    let found = elsewhere(&["id"], |source| {
        let sources = [
            "rand",
            "ring::rand",
            "uuid::Uuid::new_v4",
            "uuid::Uuid::now_v7",
            "Uuid::new_v4",
            "Uuid::now_v7",
        ];
        mentions(source, &sources)
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn environment_is_read_in_one_room() {
    let found = elsewhere(&["config", "fault"], |source| {
        mentions(source, &["std::env", "env"])
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn one_room_knows_which_database_it_is() {
    let found = elsewhere(&["store"], |source| {
        mentions(
            source,
            &[
                "sea_orm::DbBackend",
                "DbBackend",
                "sea_orm::DatabaseBackend",
            ],
        )
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn statuses_are_built_in_one_room() {
    let found = elsewhere(&["error"], |source| {
        let paths = source.paths.iter();
        paths
            .filter(|path| builds_a_status(path))
            .cloned()
            .collect()
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// Reading a status, and turning our own error into one, is for everybody.
fn builds_a_status(path: &str) -> bool {
    let reads = ["from", "from_header_map", "GRPC_STATUS", "GRPC_MESSAGE"];
    let mut parts = path.rsplit("::");
    let (last, owner) = (parts.next(), parts.next());
    owner == Some("Status")
        && last.is_some_and(|last| !reads.contains(&last))
        && last.is_some_and(|last| last.starts_with(char::is_lowercase))
}
