"""What must hold of every environment's manifests. Each check takes the environment and
its objects, and answers with faults; `test_mutations` looks that they find what is taken
away."""

import re

import document as d
import reach
import tree as t

CHECKS = []
# The label of what only an administrator applies.
ADMINISTRATION = "gx-protocol/applied-by"


def check(function):
    """Lists a check."""
    CHECKS.append(function)
    return function


def main_container(workload):
    """The first container of a workload's pods."""
    return t.pod_template(workload)["spec"]["containers"][0]


# -- the document --------------------------------------------------------------------


@check
def deployments_are_the_documents(environment, tree):
    """Names, replicas and requests."""
    faults = []
    for name, (count, cpu, memory) in d.DEPLOYMENTS[environment].items():
        found = t.named(tree, "Deployment", name)
        if not found:
            faults.append(f"Deployment/{name} is missing")
            continue
        asked = main_container(found)["resources"]["requests"]
        seen = (t.replicas(found), asked["cpu"], asked["memory"])
        if seen != (count, cpu, memory):
            faults.append(f"Deployment/{name}: {seen}")
    for kind, name in (("Job", "migrate"), ("Job", "bootstrap"), ("CronJob", "reconcile")):
        if not t.named(tree, kind, name):
            faults.append(f"{kind}/{name} is missing")
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
    limits = t.named(tree, "LimitRange", f"{name}-limits")
    if not limits or limits["spec"]["limits"] != [{"type": "Container"} | d.LIMITS]:
        faults.append(f"LimitRange/{name}-limits")
    return faults


@check
def pods_are_where_the_document_wants_them(environment, tree):
    """On mainnet apart from each other, workers at the control plane; else on the worker."""
    faults = []
    for workload, pod in t.workloads(tree):
        name, affinity = workload["metadata"]["name"], pod.get("affinity", {})
        node, apart = affinity.get("nodeAffinity", {}), affinity.get("podAntiAffinity", {})
        if environment != "mainnet":
            terms = node.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms")
            if terms != [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [d.WORKER_NODE]}]}]:
                faults.append(f"{t.title(workload)} is not bound to {d.WORKER_NODE}")
        if environment != "mainnet" or workload["kind"] != "Deployment":
            continue
        wanted = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": "kubernetes.io/hostname"}
        terms = apart.get("preferredDuringSchedulingIgnoredDuringExecution", [])
        if [each["podAffinityTerm"] for each in terms] != [wanted]:
            faults.append(f"Deployment/{name} is not spread")
        if name in ("outbox-submitter", "projector"):
            terms = node.get("preferredDuringSchedulingIgnoredDuringExecution", [])
            keys = [e["key"] for each in terms for e in each["preference"]["matchExpressions"]]
            if keys != ["node-role.kubernetes.io/control-plane"]:
                faults.append(f"Deployment/{name} does not prefer the control plane")
    return faults


@check
def everything_fits_into_the_quota(environment, tree):
    """With the stores, one surge of the largest, and all Jobs at once; volumes too."""
    faults, hard = [], dict(zip(d.QUOTA_KEYS, map(t.quantity, d.QUOTAS[environment])))
    stores = d.STORES[environment]
    pods = sum(store[0] for store in stores)
    for index, (what, resource) in enumerate(
        (what, resource) for what in ("requests", "limits") for resource in ("cpu", "memory")
    ):
        order = (1, 2, 3, 4)[index]
        unit = 1 if resource == "cpu" else 2**30
        total, surge = sum(store[0] * store[order] * unit for store in stores), 0.0
        for workload, pod in t.workloads(tree):
            one = t.pod_resources(pod, what, resource)
            total += one * t.replicas(workload)
            if workload["kind"] == "Deployment":
                surge = max(surge, one)
        if total + surge > hard[f"{what}.{resource}"]:
            faults.append(f"{what}.{resource}: {total + surge} of {hard[f'{what}.{resource}']}")
    pods += sum(t.replicas(workload) + 1 for workload, _ in t.workloads(tree))
    if pods > hard["pods"]:
        faults.append(f"{pods} pods")
    claims = len(t.of_kind(tree, "PersistentVolumeClaim"))
    claims += sum(store[0] for store in stores) + len(d.BACKUP_GIB)
    if claims > hard["persistentvolumeclaims"]:
        faults.append(f"{claims} volume claims")
    return faults


@check
def logs_and_network_are_the_environments(environment, tree):
    """Levels of the log, the ledger's network, and nothing of another environment."""
    faults = []
    for workload, pod in t.workloads(tree):
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
        if home and home not in allowed:
            faults.append(f"{t.title(each)} is in {home}")
        names = re.findall(r"\b(?:backend|fabric)-(?:mainnet|testnet|devnet)\b", str(each))
        if any(name.endswith(other) for name in names for other in others):
            faults.append(f"{t.title(each)} names another environment")
    return faults


# -- pods ------------------------------------------------------------------------------


@check
def every_container_states_what_it_needs(_, tree):
    """Within the LimitRange, so that none is refused."""
    faults = []
    for workload, pod in t.workloads(tree):
        for container in t.containers(pod):
            resources = container.get("resources", {})
            for what, resource in ((w, r) for w in ("requests", "limits") for r in ("cpu", "memory")):
                value = t.quantity(resources.get(what, {}).get(resource, 0))
                low, high = (t.quantity(d.LIMITS[bound][resource]) for bound in ("min", "max"))
                if not low <= value <= high:
                    faults.append(f"{t.title(workload)} {container['name']}: {what}.{resource}")
    return faults


@check
def every_pod_is_locked_down(_, tree):
    """Pod Security `restricted` and more: a root that cannot be written, no token."""
    faults = []
    for workload, pod in t.workloads(tree):
        title, context = t.title(workload), pod.get("securityContext", {})
        holds = {
            "token": pod.get("automountServiceAccountToken") is False,
            "service links": pod.get("enableServiceLinks") is False,
            "non-root": context.get("runAsNonRoot") is True and context.get("runAsUser", 0) >= 10000,
            "group": context.get("runAsGroup", 0) >= 10000 and context.get("fsGroup", 0) >= 10000,
            "seccomp": context.get("seccompProfile") == {"type": "RuntimeDefault"},
            "host": not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
            "volumes": all(
                not {"hostPath", "nfs"} & set(volume) for volume in pod.get("volumes", [])
            ),
        }
        for container in t.containers(pod):
            own = container.get("securityContext", {})
            name = container["name"]
            holds[f"{name} escalation"] = own.get("allowPrivilegeEscalation") is False
            holds[f"{name} root"] = own.get("readOnlyRootFilesystem") is True
            holds[f"{name} capabilities"] = own.get("capabilities") == {"drop": ["ALL"]}
            holds[f"{name} privileged"] = not own.get("privileged")
        faults += [f"{title}: {what}" for what, held in holds.items() if not held]
    return faults


@check
def every_pod_has_an_account_and_a_label_of_its_own(_, tree):
    """Policies, budgets and metrics know pods by `app`; RBAC by their account."""
    faults = []
    for workload, pod in t.workloads(tree):
        name = workload["metadata"]["name"]
        labels = t.pod_template(workload)["metadata"].get("labels") or {}
        if labels.get("app") != name or labels.get("app.kubernetes.io/part-of") != "gx-protocol":
            faults.append(f"{t.title(workload)}: labels of its pods")
        if workload["kind"] == "Deployment" and not t.matches(workload["spec"]["selector"], labels):
            faults.append(f"{t.title(workload)}: its selector")
        account = t.named(tree, "ServiceAccount", name)
        if pod.get("serviceAccountName") != name or not account:
            faults.append(f"{t.title(workload)}: its account")
        elif account.get("automountServiceAccountToken") is not False:
            faults.append(f"ServiceAccount/{name}: a token")
    return faults


@check
def every_server_is_probed(_, tree):
    """As the document says, with a startup probe before; on ports that are there."""
    faults = []
    for workload in t.of_kind(tree, "Deployment"):
        container, title = main_container(workload), t.title(workload)
        ports = {each["name"] for each in container.get("ports", [])}
        for kind, delay, period in (("readiness", 10, 5), ("liveness", 30, 10), ("startup", None, None)):
            probe = container.get(f"{kind}Probe")
            if not probe or probe["httpGet"]["port"] not in ports:
                faults.append(f"{title}: {kind}")
            elif delay and (probe.get("initialDelaySeconds"), probe["periodSeconds"]) != (delay, period):
                faults.append(f"{title}: times of {kind}")
        if t.is_gx(container):
            paths = [container[f"{kind}Probe"]["httpGet"]["path"]
                     for kind in ("readiness", "liveness") if f"{kind}Probe" in container]
            if paths != ["/readyz", "/healthz"]:
                faults.append(f"{title}: paths of probes")
    return faults


@check
def a_rollout_ends_calls_in_peace(environment, tree):
    """The time of grace holds what a pod waits for and what its calls may take."""
    faults = []
    for workload in t.of_kind(tree, "Deployment"):
        title, pod = t.title(workload), t.pod_template(workload)["spec"]
        container, strategy = pod["containers"][0], workload["spec"]["strategy"]
        most = 1 if environment == "mainnet" else 0
        if workload["metadata"]["name"] == "gx-tools":
            # Nobody calls it.
            continue
        if strategy != {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": most, "maxSurge": 1}}:
            faults.append(f"{title}: its strategy")
        if pod["terminationGracePeriodSeconds"] != d.GRACE_S:
            faults.append(f"{title}: grace")
        wait = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        found = t.variables(tree, container)
        timeout = int(found.get("GX_LIMITS__TIMEOUT_MS", 15000)) / 1000
        if container["name"] == "envoy":
            # Five seconds more than the services' own bound is what a call may take.
            needed = wait
            if wait < timeout + 5:
                faults.append(f"{title}: it ends before its calls do")
        else:
            drain = int(found.get("GX_LIMITS__DRAIN_MS", 10000)) / 1000
            needed = wait + drain
            if drain < timeout:
                faults.append(f"{title}: a call may take longer than the drain")
            if workload["metadata"]["name"].startswith("svc-") and wait < 5:
                faults.append(f"{title}: it stops before the gateway knows")
        if needed + 5 > d.GRACE_S:
            faults.append(f"{title}: {needed} s of {d.GRACE_S}")
    return faults


@check
def a_drain_takes_one_pod_at_a_time(_, tree):
    """A budget where there are several, which lets one go; none where it would hold a
    drain up for ever."""
    faults = []
    budgets = t.of_kind(tree, "PodDisruptionBudget")
    for workload in t.of_kind(tree, "Deployment"):
        labels = t.pod_template(workload)["metadata"].get("labels") or {}
        mine = [each for each in budgets if t.matches(each["spec"]["selector"], labels)]
        count = t.replicas(workload)
        if len(mine) != (1 if count > 1 else 0):
            faults.append(f"{t.title(workload)}: {len(mine)} budgets for {count}")
        faults += [
            f"{t.title(each)}: {each['spec']['minAvailable']} of {count}"
            for each in mine if each["spec"]["minAvailable"] != count - 1
        ]
    known = {t.title(w) for w in t.of_kind(tree, "Deployment")}
    for budget in budgets:
        app = budget["spec"]["selector"]["matchLabels"]["app"]
        if f"Deployment/{app}" not in known:
            faults.append(f"{t.title(budget)} protects nobody")
    return faults


@check
def jobs_can_be_run_again(_, tree):
    """They try again, and are gone before the next apply wants them anew."""
    return [
        t.title(job) for job in t.of_kind(tree, "Job")
        if job["spec"].get("backoffLimit", 0) < 6 or not job["spec"].get("ttlSecondsAfterFinished")
    ]


# -- what refers to what -----------------------------------------------------------------


@check
def everything_that_is_named_is_there(_, tree):
    """Settings, secrets, accounts, claims, roles; and nothing is left that nobody uses."""
    faults, used = [], set()
    secrets = {each["spec"]["target"]["name"] for each in t.of_kind(tree, "ExternalSecret")}

    def need(kind, name, who, keys=()):
        used.add((kind, name))
        if kind == "Secret":
            there = name in secrets
        elif kind == "ConfigMap" and name in d.GIVEN_CONFIG:
            there = set(keys) <= d.GIVEN_CONFIG[name]
        else:
            found = t.named(tree, kind, name)
            there = found is not None
        if not there:
            faults.append(f"{who}: {kind}/{name}")

    for workload, pod in t.workloads(tree):
        title = t.title(workload)
        need("ServiceAccount", pod.get("serviceAccountName"), title)
        for container in t.containers(pod):
            for source in container.get("envFrom", []):
                need("ConfigMap", source["configMapRef"]["name"], title)
            volumes = {volume["name"] for volume in pod.get("volumes", [])}
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    faults.append(f"{title}: volume {mount['name']}")
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                need("Secret", volume["secret"]["secretName"], title)
            if "persistentVolumeClaim" in volume:
                need("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], title)
            for source in volume.get("projected", {}).get("sources", []):
                for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                    if key in source:
                        keys = [item["key"] for item in source[key].get("items", [])]
                        need(kind, source[key]["name"], title, keys)
    for binding in t.of_kind(tree, "RoleBinding"):
        need("Role", binding["roleRef"]["name"], t.title(binding))
    for ingress in t.of_kind(tree, "Ingress"):
        for each in ingress["spec"]["tls"]:
            need("Secret", each["secretName"], t.title(ingress))
    kinds = ("ConfigMap", "ServiceAccount", "PersistentVolumeClaim", "Role")
    faults += [
        f"{t.title(each)} is used by nobody" for each in t.of_kind(tree, *kinds)
        if (each["kind"], each["metadata"]["name"]) not in used
    ]
    faults += [f"Secret/{name} is used by nobody" for name in secrets if ("Secret", name) not in used]
    return faults


@check
def a_store_of_secrets_belongs_to_one_environment(environment, tree):
    """Each environment fetches from its own."""
    return [
        t.title(each) for each in t.of_kind(tree, "ExternalSecret")
        if each["spec"]["secretStoreRef"] != {"kind": "ClusterSecretStore", "name": f"gx-{environment}"}
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


# -- ports ---------------------------------------------------------------------------------


@check
def a_port_is_one_number_everywhere(_, tree):
    """In the Service, the container, the gateway's settings and the document."""
    faults = []
    for name, port in d.PORTS.items():
        service, workload = t.named(tree, "Service", name), t.named(tree, "Deployment", name)
        if not service or not workload:
            faults.append(f"{name} has no Service or no pods")
            continue
        (given,) = service["spec"]["ports"]
        labels = t.pod_template(workload)["metadata"].get("labels") or {}
        targets = {each["name"]: each["containerPort"] for each in main_container(workload)["ports"]}
        if given["port"] != port or targets.get(given["targetPort"]) != port:
            faults.append(f"Service/{name}: port")
        if service["spec"].get("selector") != {"app": name} or labels.get("app") != name:
            faults.append(f"Service/{name} selects nobody")
        headless = service["spec"].get("clusterIP") == "None"
        if headless != name.startswith("svc-"):
            faults.append(f"Service/{name}: headless")
    for workload in t.of_kind(tree, "Deployment"):
        ports = {each["name"]: each["containerPort"] for each in main_container(workload)["ports"]}
        if ports.get("metrics") != d.METRICS:
            faults.append(f"{t.title(workload)}: metrics")
    known = {name: port for name, port in d.PORTS.items() if t.named(tree, "Service", name)}
    known |= d.STORE_HOSTS
    for workload, pod in t.workloads(tree):
        for container in t.containers(pod):
            for name, value in t.variables(tree, container).items():
                for host, port in re.findall(r"([a-z][a-z0-9.-]*):(\d+)", value):
                    own = host.rpartition(".")[2]
                    if not host.endswith(".svc.cluster.local") and known.get(own) != int(port):
                        faults.append(f"{t.title(workload)}: {name} names {host}:{port}")
    return faults


@check
def the_ingress_leads_every_method_to_the_gateway(_, tree):
    """gRPC by the names of the services in proto/, everything else as HTTP."""
    faults, wanted = [], set()
    for file in sorted((t.ROOT / "proto").glob("gx/*/v1/*.proto")):
        text = file.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.M)[1]
        wanted |= {f"/{package}.{name}" for name in re.findall(r"^service (\w+)", text, re.M)}
    for name, protocol, paths in (("api-gateway-grpc", "GRPC", wanted), ("api-gateway", "HTTP", {"/"})):
        ingress = t.named(tree, "Ingress", name)
        if not ingress:
            faults.append(f"Ingress/{name} is missing")
            continue
        (rule,), spec = ingress["spec"]["rules"], ingress["spec"]
        seen = {path["path"] for path in rule["http"]["paths"]}
        backends = [path["backend"] for path in rule["http"]["paths"]]
        notes = ingress["metadata"]["annotations"]
        holds = {
            "paths": seen == paths,
            "backend": all(each == {"service": {"name": "api-gateway", "port": {"name": "http"}}} for each in backends),
            "protocol": notes.get("nginx.ingress.kubernetes.io/backend-protocol") == protocol,
            "TLS": spec["tls"][0]["hosts"] == [rule["host"]],
            "class": spec["ingressClassName"] == "nginx",
            "streams": notes.get("nginx.ingress.kubernetes.io/proxy-read-timeout") == "3600",
        }
        faults += [f"Ingress/{name}: {what}" for what, held in holds.items() if not held]
    return faults


# -- who may -------------------------------------------------------------------------------


@check
def roles_grant_little(environment, tree):
    """No wildcards, no secrets, no roles; three groups of people, no workload."""
    faults = []
    for role in t.of_kind(tree, "Role", "ClusterRole"):
        for rule in role["rules"]:
            granted = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            if granted & {"*", "secrets", "roles", "rolebindings", "escalate", "bind", "impersonate"}:
                faults.append(t.title(role))
    seen = {}
    for binding in t.of_kind(tree, "RoleBinding", "ClusterRoleBinding"):
        for subject in binding["subjects"]:
            if subject["kind"] != "Group":
                faults.append(t.title(binding))
            seen.setdefault(subject["name"], set()).add(binding["roleRef"]["name"])
    wanted = {
        f"gx-{environment}-viewers": {"gx-viewer"},
        f"gx-{environment}-operators": {"gx-operator", "gx-viewer"},
        f"gx-{environment}-deployers": {"gx-deployer"},
    }
    if seen != wanted:
        faults.append(f"groups: {seen}")
    return faults


@check
def who_deploys_may_apply_the_rest(_, tree):
    """What no administrator has to apply is of kinds that the deployers' role has."""
    role = t.named(tree, "Role", "gx-deployer")
    may = {
        resource for rule in (role or {"rules": []})["rules"] for resource in rule["resources"]
        if {"get", "create", "patch"} <= set(rule["verbs"])
    }
    faults = []
    for each in tree:
        labels = each["metadata"].get("labels") or {}
        plural = each["kind"].lower() + ("es" if each["kind"].endswith("s") else "s")
        plural = plural.replace("policys", "policies")
        if (labels.get(ADMINISTRATION) == "administrator") == (plural in may):
            # Policies of Fabric's namespace are of a kind that they may apply in ours.
            if each["metadata"].get("namespace") not in t.FABRIC.values():
                faults.append(t.title(each))
    return faults


@check
def mainnet_runs_no_image_by_its_tag(environment, tree):
    """The API server refuses it, whoever makes the pod."""
    policies = t.of_kind(tree, "ValidatingAdmissionPolicy")
    bindings = t.of_kind(tree, "ValidatingAdmissionPolicyBinding")
    if environment != "mainnet":
        return [t.title(each) for each in policies + bindings]
    if len(policies) != 1 or len(bindings) != 1:
        return ["there is no policy of admission, or it is not bound"]
    expressions = [each["expression"] for each in policies[0]["spec"]["validations"]]
    pinned = "c.image.matches('@sha256:[0-9a-f]{64}$')"
    spec, faults = bindings[0]["spec"], []
    if len(expressions) != 2 or not all(pinned in each for each in expressions):
        faults.append("the policy does not want digests")
    if spec["policyName"] != policies[0]["metadata"]["name"] or "Deny" not in spec["validationActions"]:
        faults.append("the policy is not enforced")
    namespace = {"kubernetes.io/metadata.name": t.backend(environment)}
    if not t.matches(spec["matchResources"]["namespaceSelector"], namespace):
        faults.append("the policy is bound to other namespaces")
    return faults


@check
def everybody_reaches_whom_they_should_and_nobody_else(environment, tree):
    """The lines of matrix.txt that are about this environment."""
    mine = t.backend(environment)
    seen = {line for line in reach.matrix({environment: tree}) if mine in line}
    wanted = {line for line in golden() if mine in line}
    return [f"more: {line}" for line in sorted(seen - wanted)] + [
        f"less: {line}" for line in sorted(wanted - seen)
    ]


@check
def both_sides_of_a_connection_agree(environment, tree):
    """No policy allows what the other side's does not."""
    return reach.half_open({environment: tree})


def golden():
    """The lines of matrix.txt."""
    return (t.ROOT / "k8s/tests/cluster/matrix.txt").read_text().splitlines()
