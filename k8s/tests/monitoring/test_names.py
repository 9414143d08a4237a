"""Rules and dashboards name what is there, and GX shows nothing that nobody looks at."""

import importlib.util
import json

import names
import promql_parser
from names import MONITORING


def test_every_expression_can_be_read():
    for place, text in names.expressions():
        promql_parser.parse(text), place


def test_every_metric_that_is_named_is_shown(known):
    assert names.unknown(known) == {}


def test_a_metric_that_is_gone_is_missed(known):
    for name in names.used():
        assert name in names.unknown(known - {name}), name


def test_every_metric_of_gx_is_looked_at():
    looked_at = {name.removesuffix(ending) for name in names.used() for ending in ("", "_bucket", "_sum", "_count")}
    assert [name for name in names.gx() if name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") not in looked_at] == []


def test_labels_that_are_asked_of_metrics_of_gx_are_theirs():
    labels = names.gx()
    for name, places in names.used().items():
        for place, asked in places:
            assert name not in labels or asked <= labels[name] | names.TARGET_LABELS, (place, name)


def test_names_that_are_documented_are_used():
    assert names.documented() <= set(names.used())


def test_recording_rules_are_used():
    everywhere = "\n".join(text for _, text in names.expressions())
    assert [name for name in names.recorded() if name not in everywhere] == []


def test_the_dashboards_are_what_their_source_says():
    spec = importlib.util.spec_from_file_location("dashboards", MONITORING / "grafana/dashboards.py")
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    files = source.files()
    assert {path.name: path.read_text() for path in files} == {path.name: text for path, text in files.items()}
    assert set((MONITORING / "grafana/dashboards").iterdir()) == set(files)


def test_the_dashboards_show_what_the_document_lists():
    titles = {
        file.stem: [panel["title"] for panel in json.loads(file.read_text())["panels"]]
        for file in (MONITORING / "grafana/dashboards").iterdir()
    }
    listed = {
        "backend": ["Pods by phase", "CPU by pod", "Memory by pod", "Calls a second", "Latency", "Errors (5xx)"],
        "cqrs": ["Outbox queue depth", "Projector lag", "Blocks applied a second", "Failed transactions"],
        "database": ["Connections", "Query latency, by the mean of each statement", "Cache hit rate",
                     "Database growth a day"],
    }
    for name, wanted in listed.items():
        assert set(wanted) <= set(titles[name]), name
