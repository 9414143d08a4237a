"""What refers to what."""

import re

import document as d
import tree as t
from checks import check


@check
def everything_that_is_named_is_there(_, tree):
    """Settings, secrets, accounts, claims, roles; and nothing is left that nobody uses."""
    faults, used = [], set()
    known = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each for each in tree}

    def need(kind, name, who, keys=()):
        home = who["metadata"].get("namespace")
        used.add((kind, home, name))
        if kind == "Secret":
            there = ("ExternalSecret", home, name) in known
        elif kind == "ConfigMap" and name in d.GIVEN_CONFIG:
            there = set(keys) <= d.GIVEN_CONFIG[name]
        else:
            found = known.get((kind, home, name))
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
        files = {volume["name"]: _files(volume) for volume in pod.get("volumes", [])}
        for container in filter(t.is_gx, t.containers(pod)):
            title = f"{t.title(workload)} {container['name']}"
            for name, path in _named_paths(tree, container).items():
                mounts = container.get("volumeMounts", [])
                homes = [mount for mount in mounts if f"{path}/".startswith(f"{mount['mountPath']}/")]
                if not homes:
                    faults.append(f"{title}: {name}={path} is on no volume")
                    continue
                mount = max(homes, key=lambda mount: len(mount["mountPath"]))
                inside = path.removeprefix(mount["mountPath"]).lstrip("/")
                if files[mount["name"]] is not None and inside not in files[mount["name"]]:
                    faults.append(f"{title}: {name}={path} is no file of its volume")
                if name in ("GX_DATA_DIR", "GX_ENROLL__FOLDER") and mount.get("readOnly"):
                    faults.append(f"{title}: {name} cannot be written")
    return faults


def _files(volume):
    """The files that a projected volume has; None for any other."""
    if "projected" not in volume:
        return None
    given = [each for source in volume["projected"]["sources"] for each in source.values()]
    return {item["path"] for each in given for item in each["items"]}


def _named_paths(tree, container):
    """The paths of the files and folders that settings name to a process which opens them."""
    found = t.variables(tree, container)
    paths = {name: value for name, value in found.items() if value.startswith("/")}
    authority = re.search(r"sslrootcert=(/[^&]+)", found.get("GX_DATABASE__URL", ""))
    if authority:
        paths["GX_DATABASE__URL"] = authority[1]
    if container["args"][0] not in ("enroll", "preflight", "submitter", "projector", "reconcile"):
        # It shares the setting, and never speaks with a peer.
        paths.pop("GX_FABRIC__TLS_CA_FILE", None)
    return paths
