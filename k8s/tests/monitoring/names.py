"""Which metrics rules and dashboards name, and which there are."""

import functools
import json
import pathlib
import re

import promql_parser
import yaml
from servers import K8S, ROOT

HERE = pathlib.Path(__file__).parent
MONITORING = K8S / "monitoring"
# What relabelling gives every sample, and what rules themselves keep.
TARGET_LABELS = {"namespace", "pod", "node", "app", "job", "instance", "le"}


def selectors(node):
    """Every selector of a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for part in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(node, part, None)
        if child is not None and not isinstance(child, (str, int, float)):
            yield from selectors(child)
    for child in getattr(node, "args", None) or []:
        yield from selectors(child)


def expressions():
    """Every expression with where it stands: rules first, then panels."""
    for file in sorted((MONITORING / "prometheus/rules").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]
    yield from panels()


def panels():
    """Every expression of the dashboards with where it stands."""
    for file in sorted((MONITORING / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{file.stem}: {panel['title']}", target["expr"]


def recorded():
    """The names that recording rules make."""
    rules = yaml.safe_load((MONITORING / "prometheus/rules/recording.yml").read_text())
    return {rule["record"] for group in rules["groups"] for rule in group["rules"]}


@functools.cache
def used():
    """Each metric that is named, with the labels that are asked of it and where."""
    found = {}
    made = recorded()
    for place, text in expressions():
        for one in selectors(promql_parser.parse(text)):
            if one.name not in made:
                found.setdefault(one.name, []).append((place, {matcher.name for matcher in one.matchers.matchers}))
    return found


def gx():
    """The metrics of GX with their labels, as its code defines them."""
    text = (ROOT / "server/src/telemetry/metrics.rs").read_text()
    found = {}
    for kind, name, labels in re.findall(r'= (Counter|Gauge|Histogram) "(\w+)" \[(.*?)\]', text):
        labels = set(re.findall(r'"(\w+)"', labels))
        endings = ("_bucket", "_sum", "_count") if kind == "Histogram" else ("",)
        found |= {name + ending: labels for ending in endings}
    return found


def family(name):
    """The metric to which a series of this name belongs, which may be one of a histogram's."""
    return re.sub("_(bucket|sum|count)$", "", name)


def documented():
    """The names of exporters that do not run here."""
    lines = (HERE / "documented.txt").read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def shown(text):
    """The names in a page of metrics."""
    return set(re.findall(r"^([a-zA-Z_:][\w:]*)[ {]", text, re.MULTILINE))


def unknown(known):
    """Names that are used and are not known, with where."""
    return {name: [place for place, _ in places] for name, places in used().items() if name not in known}
