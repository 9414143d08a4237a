//! `gx bench` beside a running system: it measures both sides of each figure, tells what
//! made them comparable, and leaves a system that is whole.

use serde_json::Value;

use crate::harness::{Database, Gx};

/// Limits are what is not measured.
const SETTINGS: [(&str, &str); 4] = [
    ("GX_LIMITS__CALLER_PER_S", "100000"),
    ("GX_LIMITS__CALLER_BURST", "100000"),
    ("GX_LIMITS__ADDRESS_PER_S", "100000"),
    ("GX_LIMITS__ADDRESS_BURST", "100000"),
];

async fn measured(gx: &Gx, figure: &str, more: &[&str]) -> Value {
    let mut line = vec!["bench", "run", figure, "--output", "json"];
    line.extend(["--rounds", "1", "--seconds", "1", "--people", "3"]);
    line.extend(more);
    // Whether an aim is reached is not a test's business.
    let (_, told) = gx.tool(&line).await;
    serde_json::from_str(&told).unwrap_or_else(|_| panic!("{figure}: {told}"))
}

#[tokio::test]
async fn every_figure_is_a_ratio_of_two_sides_that_were_measured_on_postgres() {
    let gx = Gx::start_with(Database::Postgres, &SETTINGS).await;
    for (figure, comparisons) in [
        ("accept", 2),
        ("batch", 1),
        ("alone", 1),
        ("floor", 2),
        ("receiver", 1),
        ("logins", 1),
        ("projector", 1),
        ("rebuild", 1),
    ] {
        let told = measured(&gx, figure, &["--callers", "4"]).await;
        let compared = told["comparisons"].as_array().expect("comparisons");
        assert_eq!(compared.len(), comparisons, "{told}");
        for one in compared {
            let [own, other] = &one["rounds"][0].as_array().expect("two sides")[..] else {
                panic!("{one}");
            };
            let rates = [own, other].map(|side| side["rate"].as_f64().expect("a rate"));
            assert!(rates.iter().all(|rate| *rate > 0.0), "{one}");
            assert!(one["ratio"].as_f64().is_some_and(f64::is_normal), "{one}");
            for side in [own, other] {
                let cost = side["spent"]["cpu_us"].as_f64();
                assert!(cost.is_some_and(|cost| cost > 0.0), "{one}");
            }
        }
        let durability = told["durability"].as_array().expect("settings");
        assert_eq!(durability[0], serde_json::json!(["fsync", "off"]));
    }
    let (sound, told) = gx.tool(&["reconcile"]).await;
    assert!(sound, "{told}");
}

#[tokio::test]
async fn a_snapshot_is_held_open_until_so_many_rows_are_written_on_postgres() {
    let gx = Gx::start_with(Database::Postgres, &SETTINGS).await;
    let told = measured(&gx, "snapshot", &["--rate", "30", "--rows", "500"]).await;
    let slices = told["slices"].as_array().expect("slices");
    let rows = |slice: &Value| slice["rows"].as_i64().expect("rows");
    let last = slices.last().map(rows);
    assert!(last >= Some(500), "{told}");
    assert!(slices.iter().is_sorted_by_key(rows), "{told}");
    for slice in slices {
        assert_eq!(slice["delays"]["commands"], 30, "{told}");
    }
}

#[tokio::test]
async fn delays_are_told_of_every_command_that_was_sent_on_sqlite() {
    let gx = Gx::start_with(Database::Sqlite, &SETTINGS).await;
    let told = measured(&gx, "delay", &["--rate", "30"]).await;
    assert_eq!(told["delays"]["commands"], 30, "{told}");
    for delay in ["to_projected", "block_to_projected"] {
        let nanos = |part: &str| {
            let time = &told["delays"][delay][part];
            time["secs"].as_u64().zip(time["nanos"].as_u64())
        };
        let (median, slowest) = (nanos("median"), nanos("slowest_hundredth"));
        assert!(median > Some((0, 0)) && slowest >= median, "{told}");
    }
    let (_, told) = gx.tool(&["bench", "run", "alone"]).await;
    assert!(told.contains("database.url"), "{told}");
}
