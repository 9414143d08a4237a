//! Metrics: what is emitted is declared, with its kind and labels, and what is
//! declared is emitted, so no alert waits for what never comes.

use std::collections::{BTreeMap, BTreeSet};

use gx_server::telemetry::metrics::{ALL, Kind, Metric};

use super::of_the_server;

/// One call of a macro that emits.
struct Emitted {
    path: String,
    kind: Kind,
    /// The first argument: a name in quotes, or a constant.
    first: String,
    labels: BTreeSet<String>,
}

fn emitted() -> Vec<Emitted> {
    let mut emitted = Vec::new();
    for source in of_the_server() {
        for (name, arguments) in &source.macros {
            let kind = match name.as_str() {
                "counter" => Kind::Counter,
                "gauge" => Kind::Gauge,
                "histogram" => Kind::Histogram,
                _ => continue,
            };
            // The declarations themselves are emitted by any name.
            if source.path.ends_with("telemetry/metrics.rs") {
                continue;
            }
            emitted.push(Emitted {
                path: source.path.clone(),
                kind,
                first: arguments[0].clone(),
                labels: arguments[1..].iter().map(|label| label_of(label)).collect(),
            });
        }
    }
    emitted
}

/// The label of `"label" => value`.
fn label_of(argument: &str) -> String {
    let (label, _) = argument.split_once("=>").expect("a label and a value");
    label.trim_matches('"').to_owned()
}

/// Metrics by name in quotes and by the constant's name.
fn declared() -> BTreeMap<String, &'static Metric> {
    let text = include_str!("../../../src/telemetry/metrics.rs");
    let mut declared = BTreeMap::new();
    for metric in ALL {
        let quoted = format!("\"{}\"", metric.name);
        let line = text.lines().find(|line| line.contains(&quoted));
        let constant = line.and_then(|line| line.trim().split(' ').next());
        declared.insert(constant.expect("a constant").to_owned(), metric);
        declared.insert(quoted, metric);
    }
    declared
}

#[test]
fn every_metric_that_is_emitted_is_declared_as_it_is() {
    let declared = declared();
    let emitted = emitted();
    assert!(emitted.len() > 15, "only {} were found", emitted.len());
    let mut faults = Vec::new();
    for one in &emitted {
        let constant = one.first.rsplit("::").next().unwrap_or_default();
        let Some(metric) = declared.get(constant) else {
            faults.push(format!("{}: {} is not declared", one.path, one.first));
            continue;
        };
        let labels: BTreeSet<_> = metric
            .labels
            .iter()
            .map(|&label| label.to_owned())
            .collect();
        if metric.kind != one.kind || labels != one.labels {
            faults.push(format!(
                "{}: {} is declared as {:?} with {labels:?}, but is {:?} with {:?}",
                one.path, metric.name, metric.kind, one.kind, one.labels
            ));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_metric_that_is_declared_is_emitted() {
    let declared = declared();
    let emitted: BTreeSet<_> = emitted()
        .iter()
        .filter_map(|one| declared.get(one.first.rsplit("::").next()?))
        .map(|metric| metric.name)
        .collect();
    let silent: Vec<_> = ALL
        .iter()
        .map(|metric| metric.name)
        .filter(|name| !emitted.contains(name))
        .collect();
    assert!(silent.is_empty(), "never emitted: {silent:?}");
}
