"""What an administrator gives the cluster beside the overlays."""

import fnmatch
import subprocess

import pytest
import yaml

import document as d
import tree as t
from checks import pods


def read(name):
    return yaml.safe_load((t.ROOT / "k8s/cluster" / name).read_text())


def level(verb, resource, group="", namespace="", user="somebody", groups=()):
    """What the API server writes of a request: the first rule that fits says."""
    for rule in read("audit-policy.yaml")["rules"]:
        if "nonResourceURLs" in rule or (rule.get("verbs") and verb not in rule["verbs"]):
            continue
        if rule.get("users") and user not in rule["users"]:
            continue
        if rule.get("userGroups") and not set(groups) & set(rule["userGroups"]):
            continue
        if rule.get("namespaces") and namespace not in rule["namespaces"]:
            continue
        if rule.get("resources") and not any(
            each["group"] == group and any(fnmatch.fnmatch(resource, one) for one in each.get("resources", ["*"]))
            for each in rule["resources"]
        ):
            continue
        return rule["level"]
    return "None"


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_every_request_is_written_down_and_no_secret_is(environment):
    home = t.backend(environment)
    for verb in ("get", "list", "create", "update", "patch", "delete"):
        assert level(verb, "secrets", namespace=home) == "Metadata"
    assert level("create", "pods/exec", namespace=home) == "Request"
    assert level("patch", "deployments", "apps", home) == "Request"
    assert level("patch", "networkpolicies", "networking.k8s.io", t.FABRIC[environment]) == "Request"
    assert level("create", "rolebindings", "rbac.authorization.k8s.io", "elsewhere") == "Request"
    assert level("get", "pods", namespace=home) == "Metadata"
    assert level("get", "pods", namespace=home, groups=["system:nodes"]) == "None"


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_logs_are_kept_as_long_as_the_document_says(environment):
    streams = read("loki-retention.yaml")["limits_config"]["retention_stream"]
    (found,) = [each for each in streams if each["selector"] == f'{{namespace="{t.backend(environment)}"}}']
    assert found["period"] == f"{d.LOG_DAYS[environment] * 24}h"


def test_the_pod_that_reads_the_initial_password_may_run_on_mainnet():
    done = subprocess.run(["kubectl", "kustomize", t.ROOT / "k8s/cluster/initial-password"],
                          capture_output=True, text=True, check=True)
    (pod,) = yaml.safe_load_all(done.stdout)
    # As a pod of a workload, to be looked at by the same checks.
    workload = {"kind": "Job", "metadata": pod["metadata"], "spec": {"template": pod}}
    assert pods.every_pod_is_locked_down("mainnet", [workload]) == []
    assert pods.every_container_states_what_it_needs("mainnet", [workload]) == []
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"]["volumes"]]
    assert [t.named(t.objects("mainnet"), "PersistentVolumeClaim", name) is not None for name in claims] == [True]
