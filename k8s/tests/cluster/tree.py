"""The manifests as `kubectl kustomize` renders them, and what is asked of them often."""

import copy
import functools
import ipaddress
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
OVERLAYS = ROOT / "k8s" / "overlays"
ENVIRONMENTS = ("mainnet", "testnet", "devnet")
MONITORING = "monitoring"
FABRIC = {"mainnet": "fabric", "testnet": "fabric-testnet", "devnet": "fabric-devnet"}
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


@functools.cache
def text(environment):
    """What `kubectl apply -k` of an environment would apply."""
    done = subprocess.run(
        ["kubectl", "kustomize", OVERLAYS / environment],
        capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def _parsed(environment):
    return list(yaml.safe_load_all(text(environment)))


def objects(environment):
    """All objects of an environment, the caller's to change."""
    return copy.deepcopy(_parsed(environment))


def backend(environment):
    """The name of our namespace."""
    return f"backend-{environment}"


def of_kind(tree, *kinds):
    """The objects of some kinds."""
    return [each for each in tree if each["kind"] in kinds]


def named(tree, kind, name):
    """An object, or None."""
    found = [each for each in of_kind(tree, kind) if each["metadata"]["name"] == name]
    return found[0] if found else None


def title(each):
    """How a fault names an object."""
    return f"{each['kind']}/{each['metadata']['name']}"


def pod_template(workload):
    """The template of a workload's pods."""
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]


def workloads(tree):
    """The workloads, each with its pod's spec."""
    return [(each, pod_template(each)["spec"]) for each in of_kind(tree, *WORKLOADS)]


def at_home(environment, tree):
    """What is in an environment's own namespace; the watching of all of them is not."""
    return [each for each in tree if each["metadata"].get("namespace") == backend(environment)]


def beside(tree, other):
    """What is in the namespace of an object, or like it in none."""
    home = other["metadata"].get("namespace")
    return [each for each in tree if each["metadata"].get("namespace") == home]


def main_container(workload):
    """The first container of a workload's pods."""
    return pod_template(workload)["spec"]["containers"][0]


def keeps(workload):
    """Whether a workload's pods have a volume that outlives them."""
    volumes = pod_template(workload)["spec"].get("volumes", [])
    return "volumeClaimTemplates" in workload["spec"] or any("persistentVolumeClaim" in each for each in volumes)


def pod_labels(workload):
    """The labels of a workload's pods."""
    return pod_template(workload)["metadata"].get("labels") or {}


def containers(pod):
    """All containers of a pod, in the order of their start."""
    return pod.get("initContainers", []) + pod["containers"]


def is_sidecar(container):
    """Whether an init container stays."""
    return container.get("restartPolicy") == "Always"


def is_gx(container):
    """Whether a container runs the one binary."""
    return container["image"].partition("@")[0].rpartition(":")[0].endswith("/gx")


def variables(tree, container):
    """The environment of a container."""
    found = {}
    for source in container.get("envFrom", []):
        config = named(tree, "ConfigMap", source["configMapRef"]["name"])
        found.update((config or {}).get("data") or {})
    for each in container.get("env", []):
        found[each["name"]] = each.get("value", "")
    return found


def quantity(value):
    """A quantity of Kubernetes, in cores or bytes."""
    value = str(value)
    factors = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    for suffix, factor in factors.items():
        if value.endswith(suffix):
            return float(value.removesuffix(suffix)) * factor
    return float(value)


def claimed(claim):
    """The size of a volume, in bytes."""
    return quantity(claim["spec"]["resources"]["requests"]["storage"])


def pod_resources(pod, what, resource):
    """What the scheduler and a quota count for a pod: sidecars stay, the other init
    containers run one after another before the rest."""

    def of(container):
        return quantity(container.get("resources", {}).get(what, {}).get(resource, 0))

    staying, highest = 0.0, 0.0
    for container in pod.get("initContainers", []):
        if is_sidecar(container):
            staying += of(container)
            highest = max(highest, staying)
        else:
            highest = max(highest, staying + of(container))
    return max(highest, staying + sum(map(of, pod["containers"])))


def replicas(workload):
    """How many pods a workload has at once."""
    return workload["spec"].get("replicas", 1)


def matches(selector, labels):
    """Whether labels are what a selector wants; an empty selector wants nothing."""
    wanted = (selector or {}).get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for term in (selector or {}).get("matchExpressions") or []:
        key, values = term["key"], term.get("values", [])
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[term["operator"]]
        if not holds:
            return False
    return True


def in_block(address, block):
    """Whether an address is in an ipBlock."""
    address = ipaddress.ip_address(address)
    inside = address in ipaddress.ip_network(block["cidr"])
    return inside and not any(
        address in ipaddress.ip_network(each) for each in block.get("except", [])
    )
