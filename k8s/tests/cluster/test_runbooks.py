"""What runbooks and drills tell an operator to do can be done: on things that are there, by
tools that are there, with an operator's rights."""

import re

import pytest

import gx
import runbooks
import tree as t

TREE = t.at_home("mainnet", t.objects("mainnet"))
KINDS = {"deploy": "Deployment", "job": "Job", "cronjob": "CronJob", "pvc": "PersistentVolumeClaim"}
# What a command does, to what kinds, in the words of RBAC; without a kind, to those it names.
VERBS = {
    "get": ("get", None), "describe": ("get", None), "logs": ("get", "pods/log"), "top": ("get", "pods"),
    "exec": ("create", "pods/exec"), "scale": ("patch", "deployments/scale"), "rollout": ("patch", "deployments"),
    "patch": ("patch", None), "create": ("create", "jobs"),
    # An administrator's, or with the deployers' rights: what is gone with them is for good.
    "delete": None, "cp": ("create", "pods/exec"), "wait": ("get", "jobs"),
}


def granted():
    """What operators may, who are viewers too."""
    return {
        (verb, resource) for name in ("gx-viewer", "gx-operator") for rule in t.named(TREE, "Role", name)["rules"]
        for resource in rule["resources"] for verb in rule["verbs"]
    }


def plural(kind):
    """A kind as RBAC calls it."""
    short = {"deploy": "deployments", "deployment": "deployments"}
    return short.get(kind, kind if kind.endswith("s") else kind + "s")


def workload_of(target):
    """The workload of a pod's or a controller's name; None where it is for the reader to fill in."""
    if "<" in target or "$" in target or target.startswith("-"):
        return None
    kind, _, name = target.rpartition("/")
    if not kind:
        kind, name = "StatefulSet", name.rpartition("-")[0]
    found = t.named(TREE, KINDS.get(kind, kind), name)
    assert found, target
    return found


@pytest.mark.parametrize(("file", "words"), [
    pytest.param(file, words, id=f"{file}-{number}") for number, (file, words) in enumerate(runbooks.commands())
])
def test_an_operator_can_do_it(file, words):
    does, rest = words[0], words[1:]
    line = " ".join(words)
    if VERBS[does]:
        verb, resource = VERBS[does]
        resources = [resource] if resource else [plural(each) for each in rest[0].partition("/")[0].split(",")]
        assert all((verb, each) in granted() for each in resources), line
    if does in ("exec", "logs") and not rest[0].startswith("-l"):
        workload = workload_of(rest[0])
        for container in re.findall(r" -c ([a-z-]+)", line.partition(" -- ")[0]):
            assert workload is None or container in [
                each["name"] for each in t.containers(t.pod_template(workload)["spec"])], line
    for app in re.findall(r"-l app=([a-z-]+)", line):
        found = [each for each, _ in t.workloads(TREE) if t.pod_labels(each).get("app") == app]
        assert found, line
        for container in re.findall(r" -c ([a-z-]+)", line):
            assert any(container in [one["name"] for one in t.containers(t.pod_template(each)["spec"])] for each in found), line
    if does in ("scale", "rollout", "patch", "get") and "/" in rest[0]:
        workload_of(rest[0])
    for source in re.findall(r"--from=\"?(cronjob/[a-z-]+)", line):
        workload_of(source)
    assert " -- gx " not in line, f"{line}: the image has no path that leads to it"


@pytest.mark.parametrize("arguments", runbooks.tools(), ids=" ".join)
def test_gx_has_the_tool(arguments):
    status, told = gx.run([*arguments, "--help"], {})
    assert status == 0, told


def test_scripts_that_are_named_are_in_the_pods():
    scripts = t.named(TREE, "ConfigMap", next(
        each["metadata"]["name"] for each in t.of_kind(TREE, "ConfigMap") if each["metadata"]["name"].startswith("backup-scripts")))
    named = {name for _, text in runbooks.texts() for name in re.findall(r"/opt/backup/([a-z]+\.sh)", text)}
    assert named and named <= set(scripts["data"]), named
