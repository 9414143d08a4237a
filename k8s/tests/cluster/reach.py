"""NetworkPolicies as a graph: who reaches whom on which port.

A connection needs the word of both sides: of the egress policies that select the one who
calls, and of the ingress policies that select the one who is called. A pod that no policy
of a direction selects is open in that direction; that is what Kubernetes says.
"""

import functools
import json
from dataclasses import dataclass, field

import tree as t

# A port that nobody names: what reaches it reaches everything.
ANY_OTHER = ("TCP", 12345)


@dataclass(frozen=True)
class Actor:
    """A kind of pod, or an address outside the cluster."""

    namespace: str
    app: str
    labels: tuple = field(default=(), compare=False)
    address: str = ""

    @property
    def name(self):
        return f"{self.namespace}/{self.app}" if self.namespace else self.app

    def __lt__(self, other):
        return self.name < other.name


def _actor(namespace, name, labels=None):
    return Actor(namespace, name, tuple((labels or {"app": name}).items()))


# Who is not in the manifests of GX itself, and how they are known.
OUTSIDE = [
    Actor("", "the internet", address="203.0.113.10"),
    Actor("", "the API server", address="192.0.2.1"),
    _actor("kube-system", "dns", {"k8s-app": "kube-dns"}),
    _actor("kube-system", "other"),
    _actor("ingress-nginx", "controller", {"app.kubernetes.io/name": "ingress-nginx"}),
    _actor("ingress-nginx", "other"),
    # Whose manifests are among mainnet's.
    _actor("monitoring", "prometheus"),
    _actor("monitoring", "other"),
    _actor("elsewhere", "other"),
]


# Labels of those whom we reach or who reach us.
STRANGERS = (("k8s-app", "kube-dns"), ("app.kubernetes.io/name", "ingress-nginx"))


def actors(trees):
    """Everybody there is, of all environments."""
    found = set(OUTSIDE)
    for environment, tree in trees.items():
        found.add(_actor(t.FABRIC[environment], "fabric"))
        # A pod that nobody knows is in the namespace too, to see that it reaches nobody.
        found.add(_actor(t.backend(environment), "unknown"))
        for workload, _ in t.workloads(tree):
            name = workload["metadata"]["name"]
            labels = t.pod_labels(workload)
            namespace = workload["metadata"]["namespace"]
            # Who has its labels, but is not where it is.
            found.add(Actor("elsewhere", f"another {name}", (*labels.items(), *STRANGERS)))
            actor = Actor(namespace, name, tuple(labels.items()))
            found.discard(actor)
            found.add(actor)
    return sorted(found)


def _namespaces(trees):
    """The labels of namespaces; each has the one that Kubernetes gives."""
    labels = {}
    for tree in trees.values():
        for each in t.of_kind(tree, "Namespace"):
            labels[each["metadata"]["name"]] = dict(each["metadata"].get("labels") or {})
    return labels


def _is_peer(peer, home, actor, namespaces):
    """Whether an actor is who a rule's peer means."""
    if "ipBlock" in peer:
        return bool(actor.address) and t.in_block(actor.address, peer["ipBlock"])
    if actor.address:
        return False
    if "namespaceSelector" in peer:
        labels = {
            **namespaces.get(actor.namespace, {}),
            "kubernetes.io/metadata.name": actor.namespace,
        }
        if not t.matches(peer["namespaceSelector"], labels):
            return False
    elif actor.namespace != home:
        return False
    return t.matches(peer.get("podSelector"), dict(actor.labels))


def _words(policies, everybody, direction, ports, namespaces):
    """What policies of one direction allow: for the name of each who is selected at all, the
    ports by the name of the other side."""
    rules, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    allowed = {}
    for each in policies:
        spec, home = each["spec"], each["metadata"]["namespace"]
        if direction not in spec["policyTypes"]:
            continue
        mine = [
            allowed.setdefault(actor.name, {}) for actor in everybody
            if actor.namespace == home and t.matches(spec.get("podSelector"), dict(actor.labels))
        ]
        for rule in spec.get(rules) or []:
            given = {(p["protocol"], p["port"]) for p in rule.get("ports") or []} or ports
            others = [
                other.name for other in everybody
                if peers not in rule
                or any(_is_peer(peer, home, other, namespaces) for peer in rule[peers])
            ]
            for words in mine:
                for other in others:
                    words.setdefault(other, set()).update(given)
    return allowed


def _ports(policies):
    """Every port that a policy names, and one that none does."""
    found = {ANY_OTHER}
    for each in policies:
        for rules in ("ingress", "egress"):
            for rule in each["spec"].get(rules) or []:
                found.update((p["protocol"], p["port"]) for p in rule.get("ports") or [])
    return found


def _sides(trees):
    """Everybody, the ports, and what each direction's policies say; computed once of the
    same policies, namespaces and labels of pods, whatever else changes."""
    return _computed(json.dumps({name: [each for each in map(_part, tree) if each] for name, tree in trees.items()}))


def _part(each):
    """What counts of an object."""
    if each["kind"] in ("NetworkPolicy", "Namespace"):
        return each
    if each["kind"] not in t.WORKLOADS:
        return None
    template = {"metadata": {"labels": t.pod_labels(each)}, "spec": {}}
    metadata = {key: each["metadata"].get(key) for key in ("name", "namespace")}
    spec = {"jobTemplate": {"spec": {"template": template}}} if each["kind"] == "CronJob" else {"template": template}
    return {"kind": each["kind"], "metadata": metadata, "spec": spec}


@functools.lru_cache(maxsize=4)
def _computed(text):
    trees = json.loads(text)
    policies = [each for tree in trees.values() for each in t.of_kind(tree, "NetworkPolicy")]
    namespaces, ports, everybody = _namespaces(trees), _ports(policies), actors(trees)
    out, inward = (_words(policies, everybody, direction, ports, namespaces) for direction in ("Egress", "Ingress"))
    # Fabric's namespaces deny by default, by policies that are not ours.
    for each in everybody:
        if each.namespace in t.FABRIC.values():
            out.setdefault(each.name, {})
            inward.setdefault(each.name, {})
    return everybody, ports, out, inward


def matrix(trees):
    """Lines `who -> whom: ports`, of all who are ours, or of Fabric, on one of the sides."""
    everybody, ports, out, inward = _sides(trees)
    ours = {name for environment in trees for name in (t.backend(environment), t.FABRIC[environment])}
    if any(t.named(tree, "Namespace", t.MONITORING) for tree in trees.values()):
        ours.add(t.MONITORING)
    lines = []
    for source in everybody:
        for target in everybody:
            if source.namespace not in ours and target.namespace not in ours:
                continue
            said = out[source.name].get(target.name, set()) if source.name in out else ports
            heard = inward[target.name].get(source.name, set()) if target.name in inward else ports
            open_ports = [
                f"{protocol} {port if (protocol, port) != ANY_OTHER else 'any'}" for protocol, port in sorted(said & heard)]
            if open_ports:
                lines.append(f"{source.name} -> {target.name}: {', '.join(open_ports)}")
    return lines


def is_about(environment, line):
    """Whether a line is for an environment's own manifests to make true: mainnet's have the
    watching."""
    others = [t.backend(other) for other in t.ENVIRONMENTS if other != environment]
    return not any(other in line for other in others) and (environment == "mainnet" or t.backend(environment) in line)


def half_open(trees):
    """What one side allows and the other does not: a line too many, or one too few."""
    _, _, out, inward = _sides(trees)
    found = set()
    for one, other, says in ((out, inward, "{0} may call {1} on {2}, which does not answer it"),
                             (inward, out, "{0} answers {1} on {2}, which may not call it")):
        for name, words in one.items():
            for whom, ports in words.items():
                if whom in other:
                    found |= {says.format(name, whom, port) for _, port in ports - other[whom].get(name, set())}
    return sorted(found)
