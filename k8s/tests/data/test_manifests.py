"""The manifests of the stores and of their watching: valid, complete, and true to the document."""

import pathlib
import re
import sys

import pytest
import yaml
from servers import K8S, ROOT, run

FOLDERS = ["data", "monitoring"]
DATA_PODS = {"postgres", "redis", "postgres-backup", "postgres-access", "redis-backup"}
UNITS = {"Mi": 1 / 1024, "Gi": 1}


def rendered(folder):
    """Every object that a folder gives."""
    return [one for one in yaml.safe_load_all(run(["kubectl", "kustomize", K8S / folder])) if one]


def templates(objects):
    """Each pod template with the name of its object and its replicas."""
    for one in objects:
        spec = one.get("spec", {})
        if one["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec and "spec" in spec["template"]:
            yield one["metadata"]["name"], spec["template"], spec.get("replicas", 1)


def cpu(text):
    return int(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)


def gib(text):
    return float(text[:-2]) * UNITS[text[-2:]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_kubernetes_would_take_them(folder, tmp_path):
    file = tmp_path / "all.yaml"
    file.write_text(run(["kubectl", "kustomize", K8S / folder]))
    run([pathlib.Path(sys.executable).with_name("kubernetes-validate"), "-k", "1.33", "--strict", file])


def test_testnet_has_one_of_each(tmp_path):
    (tmp_path / "kustomization.yaml").write_text("resources: [data]\ncomponents: [data/single]\n")
    run(["cp", "-r", K8S / "data", tmp_path / "data"])
    objects = [one for one in yaml.safe_load_all(run(["kubectl", "kustomize", tmp_path])) if one]
    stores = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "StatefulSet"}
    for name in ("postgres", "redis"):
        assert stores[name]["replicas"] == 1 and "affinity" not in stores[name]["template"]["spec"]
    environment = stores["redis"]["template"]["spec"]["containers"][1]["env"]
    assert {one["name"]: one["value"] for one in environment}["QUORUM"] == "1"


def test_stores_ask_for_what_the_document_plans():
    stores = {one["metadata"]["name"]: one["spec"] for one in rendered("data") if one["kind"] == "StatefulSet"}
    for name, planned in {"postgres": (3, 1.0, 2.0, "100Gi"), "redis": (3, 0.5, 1.0, "20Gi")}.items():
        spec = stores[name]
        asked = [container["resources"]["requests"] for container in spec["template"]["spec"]["containers"]]
        (claim,) = spec["volumeClaimTemplates"]
        found = (spec["replicas"], round(sum(cpu(one["cpu"]) for one in asked), 3),
                 round(sum(gib(one["memory"]) for one in asked), 3), claim["spec"]["resources"]["requests"]["storage"])
        assert found == planned, name
        (rule,) = spec["template"]["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert rule["topologyKey"] == "kubernetes.io/hostname" and rule["labelSelector"]["matchLabels"] == {"app": name}


def test_volumes_are_within_the_quota_of_mainnet():
    claims = 0
    for one in rendered("data"):
        if one["kind"] == "PersistentVolumeClaim":
            claims += 1
        claims += len(one.get("spec", {}).get("volumeClaimTemplates", [])) * one.get("spec", {}).get("replicas", 0)
    # Of ten; the bootstrap's is the ninth.
    assert claims == 8


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pod_is_restricted(folder):
    may_use_the_api = {"postgres", "prometheus", "kube-state-metrics"}
    for name, template, _ in templates(rendered(folder)):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] == (name in may_use_the_api), name
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", name
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert set(container["resources"]) == {"requests", "limits"}, name
            # The least that the LimitRange of mainnet lets in.
            assert cpu(container["resources"]["requests"]["cpu"]) >= 0.1, name
            assert gib(container["resources"]["requests"]["memory"]) >= 0.125, name


@pytest.mark.parametrize("folder", FOLDERS)
def test_services_and_budgets_lead_to_pods(folder):
    objects = rendered(folder)
    pods = [(template["metadata"]["labels"] | {"role": role}, template) for _, template, _ in templates(objects)
            for role in ("master", "replica")]
    for one in objects:
        if one["kind"] not in ("Service", "PodDisruptionBudget"):
            continue
        selector = one["spec"]["selector"]
        selector = selector.get("matchLabels", selector)
        met = [template for labels, template in pods if selector.items() <= labels.items()]
        assert met, one["metadata"]["name"]
        names = {port["name"] for template in met for container in template["spec"]["containers"]
                 for port in container.get("ports", [])}
        for port in one["spec"].get("ports", []):
            assert port["targetPort"] in names, one["metadata"]["name"]


def test_what_pods_mount_is_there():
    objects = rendered("data")
    made = {one["metadata"]["name"] for one in objects if one["kind"] in ("ConfigMap", "PersistentVolumeClaim", "ServiceAccount")}
    # Of the environment: who vouches for the stores' certificates.
    given = {"postgres-ca", "redis-ca"}
    for name, template, _ in templates(objects):
        spec = template["spec"]
        assert spec["serviceAccountName"] in made, name
        mounted = {mount["name"] for container in spec["containers"] + spec.get("initContainers", [])
                   for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert mounted - set(volumes) <= {f"{name}-data"} and set(volumes) <= mounted, name
        for volume in volumes.values():
            if "configMap" in volume:
                assert volume["configMap"]["name"] in made | given, name
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in made, name


def test_every_script_of_a_pod_is_in_its_configmap():
    objects = rendered("data")
    maps = {re.sub(r"-\w{10}$", "", one["metadata"]["name"]): one["data"] for one in objects if one["kind"] == "ConfigMap"}
    asked = set(re.findall(r"/opt/(\w+)/([\w.]+)", run(["kubectl", "kustomize", K8S / "data"])))
    folders = {"postgres": "postgres-scripts", "redis": "redis-config", "backup": "backup-scripts"}
    assert asked
    for folder, file in asked:
        assert file in maps[folders[folder]], file
    for script in (K8S / "data/backup").glob("*.sh"):
        assert script.name in maps["backup-scripts"]
    for folder in (K8S / "data").rglob("*.sh"):
        run(["bash", "-n", folder])


def test_metrics_ports_are_let_in_and_out():
    """Each port that is called `metrics` is one that Prometheus may ask and its pod lets it ask."""
    ports = {port["containerPort"] for _, template, _ in templates(rendered("data"))
             for container in template["spec"]["containers"] for port in container.get("ports", [])
             if port["name"] == "metrics"}
    egress = next(one for one in rendered("monitoring") if one["metadata"]["name"] == "allow-prometheus-egress")
    allowed = {port["port"] for rule in egress["spec"]["egress"] for port in rule["ports"]}
    assert ports == {9187, 9121, 9100} and ports <= allowed


def test_every_user_of_the_database_has_a_secret_and_rights():
    """users.sh makes who has a file; grants.sql speaks of the same; the Job mounts them."""
    job = next(one for one in rendered("data") if one["kind"] == "Job")
    volume = next(one for one in job["spec"]["template"]["spec"]["volumes"] if one["name"] == "secrets")
    mounted = {item["path"]: source["secret"]["name"] for source in volume["projected"]["sources"]
               for item in source["secret"]["items"]}
    assert all(secret == path.replace("gx_", "postgres-") for path, secret in mounted.items())
    spoken = set(re.findall(r"\bgx_\w+", (K8S / "data/postgres/grants.sql").read_text())) - {"gx_protocol"}
    assert set(mounted) == spoken


def test_the_image_has_the_packages_that_the_tests_run():
    image = (K8S / "data/image/Containerfile").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for package in ("patroni", "redis-server", "redis-sentinel", "prometheus-postgres-exporter", "prometheus-redis-exporter",
                    "prometheus-node-exporter"):
        assert package in image and package in makefile, package


def test_no_secret_is_in_the_tree():
    for folder in FOLDERS:
        assert [one["metadata"]["name"] for one in rendered(folder) if one["kind"] == "Secret"] == []
