"""Every environment renders, is valid for Kubernetes 1.33, and is what it must be."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import checks
import document as d
import reach
import tree as t
from checks import rights

# Kinds of an operator that Kubernetes itself does not know.
FOREIGN = {"ExternalSecret"}


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_holds(check, environment):
    assert check(environment, t.objects(environment)) == []


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_kubernetes_takes_every_object(environment, tmp_path):
    known = [each for each in t.objects(environment) if each["kind"] not in FOREIGN]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(known))
    validate = Path(sys.executable).with_name("kubernetes-validate")
    done = subprocess.run(
        [validate, "-k", "1.33", "--strict", file], capture_output=True, text=True, check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0 and "schema" not in told, told


def test_nothing_is_reached_across_environments():
    everything = reach.matrix({each: t.objects(each) for each in t.ENVIRONMENTS})
    assert everything == rights.golden()
    # The watching is of all of them, and reads metrics alone.
    metrics = {f"TCP {port}" for port in (d.METRICS, d.ENROLL_METRICS, *d.EXPORTERS.values())}
    for line in everything:
        source, target = line.split(":")[0].split(" -> ")
        if source.startswith("monitoring/") or target.startswith("monitoring/"):
            if "backend-" in line:
                assert source == "monitoring/prometheus" and set(line.split(": ")[1].split(", ")) <= metrics, line
            continue
        homes = [t.backend(e) for e in t.ENVIRONMENTS], list(t.FABRIC.values())
        of = [[i for i, name in enumerate(home) if side.startswith(name + "/")]
              for side in (source, target) for home in homes]
        assert len({i for found in of for i in found}) == 1, line
