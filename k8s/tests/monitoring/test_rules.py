"""Every alert fires on its fault, resolves after its cure, and is missed when it is gone."""

import subprocess

import pytest
import yaml
from faults import FAULTS
from servers import K8S, run

RULES = sorted((K8S / "monitoring/prometheus/rules").glob("*.yml"))
# It fires always: there is no cure.
ALWAYS = "Watchdog"


def alerts(files=RULES):
    """The alert rules by name."""
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def only(folder, name):
    """The files of rules with one alert alone, if there is one of this name, and what alerts share."""
    kept = []
    for file in RULES:
        rules = yaml.safe_load(file.read_text())
        for group in rules["groups"]:
            group["rules"] = [rule for rule in group["rules"] if rule.get("alert", name) == name]
        kept.append(folder / file.name)
        kept[-1].write_text(yaml.safe_dump(rules))
    return kept


def promtool_test(folder, names, rules):
    """Whether the alerts fire on their faults and resolve, and what promtool said."""
    # Whoever waits for days is looked at every hour.
    every = "1h" if any(FAULTS[name][1] > 2000 for name in names) else "1m"
    tests = []
    for name in names:
        fires, resolved, series = FAULTS[name]
        firing = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
        tests.append({
            "interval": every,
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [
                {"expr": firing, "eval_time": f"{fires}m", "exp_samples": [{"labels": "{}", "value": 1}]},
                {"expr": firing, "eval_time": f"{resolved}m", "exp_samples": []},
                # Before the fault nothing fires, so the fault it was.
                {"expr": firing, "eval_time": "25m", "exp_samples": []},
            ],
        })
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(
        {"rule_files": [str(rule) for rule in rules], "evaluation_interval": every, "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid():
    run(["promtool", "check", "rules", *RULES])


def test_every_alert_has_its_fault_and_every_fault_its_alert():
    assert set(alerts()) - {ALWAYS} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_an_alert_fires_and_resolves(name, tmp_path):
    passed, said = promtool_test(tmp_path, [name], only(tmp_path, name))
    assert passed, said


def test_each_alert_that_is_deleted_is_missed(tmp_path):
    passed, said = promtool_test(tmp_path, sorted(FAULTS), only(tmp_path, "nobody"))
    assert not passed
    assert [name for name in FAULTS if f'alertname=\\"{name}\\"' not in said] == []


def test_every_alert_says_what_to_do():
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in {"critical", "warning", "none"}, name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        runbook = K8S.parent / rule["annotations"]["runbook"]
        assert runbook.stem == name
        text = runbook.read_text()
        for part in ("## What it means", "## What to look at", "## What to do"):
            assert part in text, f"{runbook}: {part}"


def test_every_runbook_belongs_to_an_alert():
    assert {file.stem for file in (K8S / "monitoring/runbooks").glob("*.md")} == set(alerts())
