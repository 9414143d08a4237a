"""What the deployment document says of each environment."""

import re

import document as d
import tree as t
from checks import ADMINISTRATION, check


@check
def everything_says_what_it_belongs_to(environment, tree):
    """To GX or to the watching; and what is about one kind of pods, to which."""
    faults = []
    for each in tree:
        watches = each["kind"].startswith("ClusterRole") or t.MONITORING in (
            each["metadata"]["name"], each["metadata"].get("namespace"))
        made = [each, *each.get("spec", {}).get("volumeClaimTemplates", [])]
        made += [each["spec"]["jobTemplate"]] if each["kind"] == "CronJob" else []
        wanted = "gx-monitoring" if watches else "gx-protocol"
        if any((one["metadata"].get("labels") or {}).get(d.PART_OF) != wanted for one in made):
            faults.append(f"{t.title(each)}: {d.PART_OF}")
    for each in t.at_home(environment, tree):
        name, kind = each["metadata"]["name"], each["kind"]
        app = (each["metadata"].get("labels") or {}).get("app")
        if kind in ("Deployment", "Job", "CronJob") and app != t.pod_labels(each).get("app"):
            faults.append(f"{t.title(each)}: app")
        if kind in ("Service", "ServiceAccount", "Ingress") and name in d.MAINNET and app != name:
            faults.append(f"{t.title(each)}: app")
    return faults


@check
def deployments_are_the_documents(environment, tree):
    """Names, replicas and requests."""
    faults, tree = [], t.at_home(environment, tree)
    for name, (count, cpu, memory) in d.DEPLOYMENTS[environment].items():
        found = t.named(tree, "Deployment", name)
        if not found:
            faults.append(f"Deployment/{name} is missing")
            continue
        asked = t.main_container(found)["resources"]["requests"]
        seen = (t.replicas(found), asked["cpu"], asked["memory"])
        if seen != (count, cpu, memory):
            faults.append(f"Deployment/{name}: {seen}")
    for kind, name in (("Job", "migrate"), ("Job", "bootstrap"), ("CronJob", "reconcile")):
        if not t.named(tree, kind, name):
            faults.append(f"{kind}/{name} is missing")
    return faults


@check
def stores_are_the_documents(environment, tree):
    """Replicas, what a pod asks for, and the volume that it keeps."""
    faults, tree = [], t.at_home(environment, tree)
    for name, wanted in d.STORES[environment].items():
        found = t.named(tree, "StatefulSet", name)
        if not found:
            faults.append(f"StatefulSet/{name} is missing")
            continue
        pod, (claim,) = t.pod_template(found)["spec"], found["spec"]["volumeClaimTemplates"]
        asked = [t.pod_resources(pod, "requests", "cpu"), t.pod_resources(pod, "requests", "memory") / 2**30]
        seen = (t.replicas(found), *(round(each, 3) for each in asked), t.claimed(claim) / 2**30)
        if seen != wanted:
            faults.append(f"StatefulSet/{name}: {seen}")
    for name, size in d.BACKUP_GIB.items():
        claim = t.named(tree, "PersistentVolumeClaim", name)
        if not claim or t.claimed(claim) != size * 2**30:
            faults.append(f"PersistentVolumeClaim/{name}")
    return faults


@check
def namespace_has_its_labels_quota_and_limits(environment, tree):
    """Figures of the document, and Pod Security at its strictest."""
    name = t.backend(environment)
    namespace = t.named(tree, "Namespace", name)
    if not namespace:
        return [f"Namespace/{name} is missing"]
    wanted = dict(d.NAMESPACE_LABELS[environment])
    wanted |= {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    wanted |= {"pod-security.kubernetes.io/enforce-version": "v1.33"}
    wanted |= {ADMINISTRATION: "administrator"}
    labels = namespace["metadata"].get("labels") or {}
    faults = [f"Namespace/{name}: {key}" for key, value in wanted.items() if labels.get(key) != value]
    quota = t.named(tree, "ResourceQuota", f"{name}-quota")
    if not quota or quota["spec"]["hard"] != dict(zip(d.QUOTA_KEYS, d.QUOTAS[environment])):
        faults.append(f"ResourceQuota/{name}-quota")
    if environment == "mainnet":
        watching = t.named(tree, "Namespace", t.MONITORING) or {"metadata": {}}
        labels = watching["metadata"].get("labels") or {}
        wanted |= {"component": "monitoring", d.PART_OF: "gx-monitoring"}
        del wanted["environment"]
        if labels != wanted:
            faults.append(f"Namespace/{t.MONITORING}")
    limits = t.named(tree, "LimitRange", f"{name}-limits")
    if not limits or limits["spec"]["limits"] != [{"type": "Container"} | d.LIMITS]:
        faults.append(f"LimitRange/{name}-limits")
    return faults


@check
def pods_are_where_the_document_wants_them(environment, tree):
    """On mainnet apart from each other at the control plane, beside its Fabric; else on the
    worker."""
    return [
        f"{t.title(workload)} is placed otherwise" for workload, pod in t.workloads(t.at_home(environment, tree))
        if pod.get("affinity", {}) != _placement(environment, workload)
    ]


def _placement(environment, workload):
    """The affinity that the document wants."""
    must, may = (f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred"))
    name = workload["metadata"]["name"]
    here = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [d.WORKER_NODE]}]}
    above = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]}
    apart = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": "kubernetes.io/hostname"}
    if environment != "mainnet":
        return {"nodeAffinity": {must: {"nodeSelectorTerms": [here]}}}
    if name in d.STORES[environment]:
        # A volume stays on its node, so here it is a must.
        return {"nodeAffinity": {must: {"nodeSelectorTerms": [above]}}, "podAntiAffinity": {must: [apart]}}
    if workload["kind"] == "Deployment":
        return {"nodeAffinity": {may: [{"weight": 100, "preference": above}]},
                "podAntiAffinity": {may: [{"weight": 100, "podAffinityTerm": apart}]}}
    return {}


@check
def everything_fits_into_the_quota(environment, tree):
    """With one surge of the largest, and all Jobs at once; volumes too."""
    faults, hard = [], dict(zip(d.QUOTA_KEYS, map(t.quantity, d.QUOTAS[environment])))
    tree = t.at_home(environment, tree)
    for what, resource in ((w, r) for w in ("requests", "limits") for r in ("cpu", "memory")):
        total, surge = 0.0, 0.0
        for workload, pod in t.workloads(tree):
            one = t.pod_resources(pod, what, resource)
            total += one * t.replicas(workload)
            if workload["kind"] == "Deployment":
                surge = max(surge, one)
        if total + surge > hard[f"{what}.{resource}"]:
            faults.append(f"{what}.{resource}: {total + surge} of {hard[f'{what}.{resource}']}")
    pods = sum(t.replicas(each) + (each["kind"] == "Deployment") for each, _ in t.workloads(tree))
    if pods > hard["pods"]:
        faults.append(f"{pods} pods")
    claims = t.of_kind(tree, "PersistentVolumeClaim")
    for each in t.of_kind(tree, "StatefulSet"):
        claims += each["spec"].get("volumeClaimTemplates", []) * t.replicas(each)
    if len(claims) > hard["persistentvolumeclaims"]:
        faults.append(f"{len(claims)} volume claims")
    stored = sum(map(t.claimed, claims)) / 2**30
    if stored != d.VOLUMES_GIB[environment] or stored * 2**30 > hard["requests.storage"]:
        faults.append(f"{stored} GiB of volumes")
    return faults


@check
def logs_and_network_are_the_environments(environment, tree):
    """Levels of the log, the ledger's network, and nothing of another environment."""
    faults = []
    for workload, pod in t.workloads(t.at_home(environment, tree)):
        for container in filter(t.is_gx, t.containers(pod)):
            found = t.variables(tree, container)
            if "GX_ENVIRONMENT" not in found:
                continue
            level = found.get("GX_LOG__FILTER", "").split(",")[0]
            if (found["GX_ENVIRONMENT"], level) != (environment, d.LOG_LEVELS[environment]):
                faults.append(f"{t.title(workload)}: environment or level of the log")
            domain = f"{t.FABRIC[environment]}.svc.cluster.local"
            peers = [f"{peer}.{domain}:7051" for peer in d.PEERS[environment]]
            if found.get("GX_FABRIC__PEERS", "").split(",") != peers:
                faults.append(f"{t.title(workload)}: peers")
            authority = found.get("GX_ENROLL__URL", f"https://ca-org1.{domain}:7054")
            if authority != f"https://ca-org1.{domain}:7054":
                faults.append(f"{t.title(workload)}: certificate authority")
    others = [other for other in t.ENVIRONMENTS if other != environment]
    allowed = {t.backend(environment), t.FABRIC[environment]}
    for each in tree:
        home = each["metadata"].get("namespace")
        if home == t.MONITORING and environment == "mainnet":
            # It stands once, and looks at all of them.
            continue
        if home and home not in allowed:
            faults.append(f"{t.title(each)} is in {home}")
        names = re.findall(r"\b(?:backend|fabric)-(?:mainnet|testnet|devnet)\b", str(each))
        if any(name.endswith(other) for name in names for other in others):
            faults.append(f"{t.title(each)} names another environment")
    return faults
