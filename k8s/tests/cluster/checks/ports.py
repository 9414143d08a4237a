"""Ports, Services, and the way in."""

import re

import document as d
import tree as t
from checks import check


@check
def a_port_is_one_number_everywhere(environment, tree):
    """In the Service, the container, the gateway's settings and the document."""
    faults, tree = [], t.at_home(environment, tree)
    for name, port in d.PORTS.items():
        service, workload = t.named(tree, "Service", name), t.named(tree, "Deployment", name)
        if not service or not workload:
            faults.append(f"{name} has no Service or no pods")
            continue
        (given,) = service["spec"]["ports"]
        labels = t.pod_template(workload)["metadata"].get("labels") or {}
        targets = {each["name"]: each["containerPort"] for each in t.main_container(workload)["ports"]}
        if given["port"] != port or targets.get(given["targetPort"]) != port:
            faults.append(f"Service/{name}: port")
        if service["spec"].get("selector") != {"app": name} or labels.get("app") != name:
            faults.append(f"Service/{name} selects nobody")
        headless = service["spec"].get("clusterIP") == "None"
        if headless != name.startswith("svc-"):
            faults.append(f"Service/{name}: headless")
    for workload in t.of_kind(tree, "Deployment", "StatefulSet"):
        if d.EXPORTERS.get(workload["metadata"]["name"], d.METRICS) != _ports(workload).get("metrics"):
            faults.append(f"{t.title(workload)}: metrics")
    return faults


def _ports(workload):
    """The ports of a workload's pods by their names."""
    return {
        each["name"]: each["containerPort"]
        for container in t.pod_template(workload)["spec"]["containers"] for each in container.get("ports", [])
    }


@check
def every_service_leads_to_its_pods(environment, tree):
    """By labels and ports that they have, or that Patroni gives them."""
    faults = []
    for service in t.of_kind(tree, "Service"):
        title, spec = t.title(service), service["spec"]
        store = d.STORE_SERVICES.get(service["metadata"]["name"])
        if store and (spec["selector"], {port["port"] for port in spec["ports"]}) != ({"app": store[0]} | store[1], store[2]):
            faults.append(f"{title} is not what the stores' own names lead to")
        wanted = {key: value for key, value in spec["selector"].items() if key != "role"}
        met = [
            each for each in t.of_kind(t.beside(tree, service), "Deployment", "StatefulSet")
            if wanted and t.matches({"matchLabels": wanted}, t.pod_labels(each))
        ]
        if len(met) != 1:
            faults.append(f"{title} selects {len(met)} workloads")
        for port in spec["ports"] if met else ():
            if _ports(met[0]).get(port["targetPort"]) != port["port"]:
                faults.append(f"{title}: {port['name']}")
    home = t.at_home(environment, tree)
    faults += [f"Service/{name} is missing" for name in d.STORE_SERVICES if not t.named(home, "Service", name)]
    watching = [each for each, _ in t.workloads(tree) if each["metadata"].get("namespace") == t.MONITORING]
    faults += [
        f"{t.title(each)} has no Service of its name" for each in watching
        if not t.named(t.beside(tree, each), "Service", each["metadata"]["name"])
    ]
    for each in t.of_kind(tree, "StatefulSet"):
        name = each["spec"]["serviceName"]
        if t.replicas(each) > 1 and not t.named(t.beside(tree, each), "Service", name):
            faults.append(f"{t.title(each)}: Service/{name}")
    return faults


@check
def every_address_in_a_setting_is_a_services(_, tree):
    """Or of the pod itself."""
    faults = []
    for workload, pod in t.workloads(tree):
        known = {
            service["metadata"]["name"]: {port["port"] for port in service["spec"]["ports"]}
            for service in t.of_kind(t.beside(tree, workload), "Service")
        }
        known["localhost"] = set(_ports(workload).values())
        for container in t.containers(pod):
            for name, value in t.variables(tree, container).items():
                for host, port in re.findall(r"([a-z][a-z0-9.-]*):(\d+)", value):
                    own = host.rpartition(".")[2]
                    if not host.endswith(".svc.cluster.local") and int(port) not in known.get(own, ()):
                        faults.append(f"{t.title(workload)}: {name} names {host}:{port}")
    return faults


@check
def the_ingress_leads_everything_to_the_gateway(_, tree):
    """By HTTP/2, and by nothing else beside: NGINX mixes up connections that differ only in
    that."""
    ingress, annotation = t.named(tree, "Ingress", "api-gateway"), "nginx.ingress.kubernetes.io"
    if t.of_kind(tree, "Ingress") != [ingress]:
        return ["Ingress/api-gateway is missing, or not alone"]
    (rule,), spec, notes = ingress["spec"]["rules"], ingress["spec"], ingress["metadata"]["annotations"]
    holds = {
        "paths": rule["http"]["paths"] == [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api-gateway", "port": {"name": "http"}}}}],
        "protocol": notes[f"{annotation}/backend-protocol"] == "GRPC",
        "redirection": notes[f"{annotation}/ssl-redirect"] == "true",
        "TLS": spec["tls"][0]["hosts"] == [rule["host"]],
        "class": spec["ingressClassName"] == "nginx",
        "streams": {notes[f"{annotation}/proxy-{side}-timeout"] for side in ("read", "send")} == {"3600"},
        # The gateway says itself what is too large.
        "bodies": notes[f"{annotation}/proxy-body-size"] == "12m",
    }
    return [f"Ingress/api-gateway: {what}" for what, held in holds.items() if not held]
