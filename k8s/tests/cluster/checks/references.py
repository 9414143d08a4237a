"""What refers to what."""

import re

import document as d
import tree as t
from checks import check


@check
def everything_that_is_named_is_there(_, tree):
    """Settings, secrets, accounts, claims, roles; and nothing is left that nobody uses."""
    faults, used = [], set()

    def need(kind, name, who, keys=()):
        mine = t.beside(tree, who)
        used.add((kind, who["metadata"].get("namespace"), name))
        if kind == "Secret":
            there = t.named(mine, "ExternalSecret", name) is not None
        elif kind == "ConfigMap" and name in d.GIVEN_CONFIG:
            there = set(keys) <= d.GIVEN_CONFIG[name]
        else:
            found = t.named(mine, kind, name)
            there = found is not None and (kind != "ConfigMap" or set(keys) <= set(found["data"]))
        if not there:
            faults.append(f"{t.title(who)}: {kind}/{name} {' '.join(keys)}")

    for workload, pod in t.workloads(tree):
        need("ServiceAccount", pod.get("serviceAccountName"), workload)
        given = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        mounts = [mount for container in t.containers(pod) for mount in container.get("volumeMounts", [])]
        for container in t.containers(pod):
            for source in container.get("envFrom", []):
                need("ConfigMap", source["configMapRef"]["name"], workload)
        named = {mount["name"] for mount in mounts}
        if named != given | set(volumes):
            faults.append(f"{t.title(workload)}: volumes {named ^ (given | set(volumes))}")
        for name, volume in volumes.items():
            if "secret" in volume:
                need("Secret", volume["secret"]["secretName"], workload)
            if "persistentVolumeClaim" in volume:
                need("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], workload)
            if "configMap" in volume:
                keys = [item["key"] for item in volume["configMap"].get("items", [])]
                keys += [mount["subPath"] for mount in mounts if mount["name"] == name and "subPath" in mount]
                need("ConfigMap", volume["configMap"]["name"], workload, keys)
            for source in volume.get("projected", {}).get("sources", []):
                for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                    if key in source:
                        keys = [item["key"] for item in source[key].get("items", [])]
                        need(kind, source[key]["name"], workload, keys)
    for binding in t.of_kind(tree, "RoleBinding", "ClusterRoleBinding"):
        need(binding["roleRef"]["kind"], binding["roleRef"]["name"], binding)
    for ingress in t.of_kind(tree, "Ingress"):
        for each in ingress["spec"]["tls"]:
            need("Secret", each["secretName"], ingress)
    kinds = {"ExternalSecret": "Secret"}
    for each in t.of_kind(tree, "ConfigMap", "ServiceAccount", "PersistentVolumeClaim", "Role", "ClusterRole",
                          "ExternalSecret"):
        kind = kinds.get(each["kind"], each["kind"])
        if (kind, each["metadata"].get("namespace"), each["metadata"]["name"]) not in used:
            faults.append(f"{t.title(each)} is used by nobody")
        if kind == "Secret" and each["spec"]["target"]["name"] != each["metadata"]["name"]:
            faults.append(f"{t.title(each)} has another name than its Secret")
    return faults


@check
def a_store_of_secrets_belongs_to_one_environment(environment, tree):
    """Each environment fetches from its own, and the watching from one that is none's."""
    stores = {t.backend(environment): f"gx-{environment}", t.MONITORING: "gx-monitoring"}
    return [
        t.title(each) for each in t.of_kind(tree, "ExternalSecret")
        if each["spec"]["secretStoreRef"] != {
            "kind": "ClusterSecretStore", "name": stores.get(each["metadata"].get("namespace"))}
    ]


@check
def every_file_that_a_setting_names_is_mounted(_, tree):
    """And every folder that is written to is a volume."""
    faults = []
    for workload, pod in t.workloads(tree):
        files, folders = {}, {}
        for volume in pod.get("volumes", []):
            paths = None
            if "projected" in volume:
                paths = set()
                for source in volume["projected"]["sources"]:
                    (given,) = source.values()
                    paths |= {item["path"] for item in given["items"]}
            files[volume["name"]] = paths
        for container in t.containers(pod):
            if not t.is_gx(container):
                continue
            folders = {m["mountPath"]: m for m in container.get("volumeMounts", [])}
            found = t.variables(tree, container)
            paths = {k: v for k, v in found.items() if v.startswith("/")}
            url = re.search(r"sslrootcert=(/[^&]+)", found.get("GX_DATABASE__URL", ""))
            if url:
                paths["GX_DATABASE__URL"] = url[1]
            reads_fabric = container["args"][0] in ("enroll", "preflight", "submitter", "projector")
            for name, path in paths.items():
                if name == "GX_FABRIC__TLS_CA_FILE" and (
                    not reads_fabric or container["args"] == ["projector", "status"]
                ):
                    continue
                if container["args"][0] == "chaincode" and name == "GX_DATABASE__URL":
                    continue
                home = [m for base, m in folders.items() if path == base or path.startswith(base + "/")]
                if not home:
                    faults.append(f"{t.title(workload)} {container['name']}: {name}={path} is on no volume")
                    continue
                mount = max(home, key=lambda m: len(m["mountPath"]))
                given = files[mount["name"]]
                inside = path.removeprefix(mount["mountPath"]).lstrip("/")
                if given is not None and inside not in given:
                    faults.append(f"{t.title(workload)} {container['name']}: {name}={path} is no file of its volume")
                writes = name in ("GX_DATA_DIR", "GX_ENROLL__FOLDER")
                if writes and mount.get("readOnly"):
                    faults.append(f"{t.title(workload)} {container['name']}: {name} cannot be written")
    return faults
