"""The dashboards: made of their source, whole in Grafana's own schema, and what the document lists."""

import importlib.util
import json

import pytest
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard
from names import MONITORING

FILES = sorted((MONITORING / "grafana/dashboards").glob("*.json"))


def within(part, whole):
    """Whether all of a value stands in another one, which may say more."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and within(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return part == whole


def as_grafana_reads(written):
    """What is left of a dashboard once the types of the Grafana that the manifests run have read it."""
    plugins.register_default_plugins()
    return json.loads(encoder.JSONEncoder().encode(dashboard.Dashboard.from_json(written)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafana_knows_every_word(file):
    written = json.loads(file.read_text())
    assert within(written, as_grafana_reads(written))
    for panel in written["panels"]:
        assert panel["type"] == "row" or importlib.util.find_spec(f"grafana_foundation_sdk.models.{panel['type']}")


def test_a_word_that_grafana_does_not_know_is_found():
    for place in (["nonsense"], ["panels", 1, "nonsense"], ["panels", 1, "options", "legend", "nonsense"],
                  ["panels", 1, "fieldConfig", "defaults", "nonsense"], ["panels", 1, "targets", 0, "nonsense"]):
        written = part = json.loads(FILES[0].read_text())
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = 1
        assert not within(written, as_grafana_reads(written)), place


def test_the_dashboards_are_what_their_source_says():
    spec = importlib.util.spec_from_file_location("dashboards", MONITORING / "grafana/dashboards.py")
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    files = source.files()
    assert {path.name: path.read_text() for path in files} == {path.name: text for path, text in files.items()}
    assert set(FILES) == set(files)


def test_the_dashboards_show_what_the_document_lists():
    titles = {
        file.stem: [panel["title"] for panel in json.loads(file.read_text())["panels"]] for file in FILES
    }
    listed = {
        "backend": ["Pods by phase", "CPU by pod", "Memory by pod", "Calls a second", "Latency", "Errors (5xx)"],
        "cqrs": ["Outbox queue depth", "Projector lag", "Blocks applied a second", "Failed transactions"],
        "database": ["Connections", "Query latency, by the mean of each statement", "Cache hit rate",
                     "Database growth a day"],
    }
    for name, wanted in listed.items():
        assert set(wanted) <= set(titles[name]), name
