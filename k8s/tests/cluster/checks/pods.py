"""What every pod must have."""

import document as d
import tree as t
from checks import check


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
    """Pod Security `restricted` and more: a root that cannot be written, a user whom no node
    has, and no token but for those whose work is with the API server."""
    faults = []
    for workload, pod in t.workloads(tree):
        title, context = t.title(workload), pod.get("securityContext", {})
        holds = {
            "token": pod.get("automountServiceAccountToken") is (workload["metadata"]["name"] in d.API_CLIENTS),
            "service links": pod.get("enableServiceLinks") is False,
            "non-root": context.get("runAsNonRoot") is True and context.get("runAsUser", 0) >= 10000,
            "group": context.get("runAsGroup", 0) >= 10000 and context.get("fsGroup", 0) >= 10000,
            # A volume that is kept is handed over once, not file by file at each start.
            "hand-over": (context.get("fsGroupChangePolicy") == "OnRootMismatch") == t.keeps(workload),
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
    """Policies, budgets and metrics know pods by `app`; RBAC by their account. CronJobs may
    be parts of one thing, under its label and account: the jobs of the backups."""
    faults = []
    for workload, pod in t.workloads(tree):
        name, labels = workload["metadata"]["name"], t.pod_labels(workload)
        if labels.get(d.PART_OF) != workload["metadata"].get("labels", {}).get(d.PART_OF):
            faults.append(f"{t.title(workload)}: labels of its pods")
        names = {name, d.PARTS.get(name)} if workload["kind"] == "CronJob" else {name}
        if labels.get("app") not in names:
            faults.append(f"{t.title(workload)}: label of its pods")
        own = {key: value for key, value in labels.items() if key != d.PART_OF}
        if workload["kind"] in ("Deployment", "StatefulSet") and workload["spec"]["selector"] != {"matchLabels": own}:
            faults.append(f"{t.title(workload)}: its selector")
        name = labels.get("app")
        account = t.named(t.beside(tree, workload), "ServiceAccount", name)
        if pod.get("serviceAccountName") != name or not account:
            faults.append(f"{t.title(workload)}: its account")
        elif account.get("automountServiceAccountToken") is not False:
            faults.append(f"ServiceAccount/{name}: a token")
    return faults


@check
def every_server_is_probed(environment, tree):
    """GX and PostgreSQL as the document says, with a startup probe before; on ports that are
    there."""
    faults, tree = [], t.at_home(environment, tree)
    for workload in t.of_kind(tree, "Deployment", "StatefulSet"):
        container, title = t.main_container(workload), t.title(workload)
        if workload["kind"] == "StatefulSet" and workload["metadata"]["name"] != "postgres":
            continue
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
def whoever_listens_is_looked_at(_, tree):
    """Every container with ports is started anew when it hangs, and asked nothing before it
    is ready; an exporter has no say, for nobody shall miss PostgreSQL for its figures."""
    faults = []
    for workload in t.of_kind(tree, "Deployment", "StatefulSet"):
        for container in t.pod_template(workload)["spec"]["containers"]:
            ports = {each["name"] for each in container.get("ports", [])}
            main = container == t.main_container(workload)
            for kind, wanted in (("liveness", ports), ("readiness", ports - {"metrics"})):
                probe = container.get(f"{kind}Probe")
                if wanted and not probe:
                    faults.append(f"{t.title(workload)} {container['name']}: {kind}")
                elif probe and probe.get("httpGet", probe.get("tcpSocket", {})).get("port") not in ports:
                    faults.append(f"{t.title(workload)} {container['name']}: port of {kind}")
            if "readinessProbe" in container and set(ports) == {"metrics"} and not main:
                faults.append(f"{t.title(workload)} waits for its exporter")
    return faults


@check
def a_rollout_ends_calls_in_peace(environment, tree):
    """The time of grace holds what a pod waits for and what its calls may take."""
    faults, tree = [], t.at_home(environment, tree)
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
    drain up for ever, or do nothing."""
    faults, protecting = [], set()
    budgets = t.of_kind(tree, "PodDisruptionBudget")
    for workload in t.of_kind(tree, "Deployment", "StatefulSet"):
        labels, count = t.pod_labels(workload), t.replicas(workload)
        mine = [each for each in t.beside(budgets, workload) if t.matches(each["spec"]["selector"], labels)]
        protecting.update(map(t.title, mine))
        if len(mine) != (1 if count > 1 else 0):
            faults.append(f"{t.title(workload)}: {len(mine)} budgets for {count}")
        for each in mine:
            least, most = each["spec"].get("minAvailable"), each["spec"].get("maxUnavailable")
            if (least if most is None else count - most) != count - 1:
                faults.append(f"{t.title(each)}: {least or most} of {count}")
    faults += [f"{t.title(each)} protects nobody" for each in budgets if t.title(each) not in protecting]
    return faults


@check
def jobs_can_be_run_again(_, tree):
    """They try again, and are gone before the next apply wants them anew."""
    return [
        t.title(job) for job in t.of_kind(tree, "Job")
        if job["spec"].get("backoffLimit", 0) < 6 or not job["spec"].get("ttlSecondsAfterFinished")
    ]
