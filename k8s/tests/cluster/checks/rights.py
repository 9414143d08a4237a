"""Who may do what, and who reaches whom."""

import document as d
import reach
import tree as t
from checks import ADMINISTRATION, check


@check
def roles_grant_little(environment, tree):
    """No wildcards, no secrets, no roles; three groups of people, and of workloads those
    whose work is with the API server. What counts in the whole cluster only looks."""
    faults = []
    for role in t.of_kind(tree, "Role", "ClusterRole"):
        for rule in role["rules"]:
            granted = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            if granted & {"*", "secrets", "roles", "rolebindings", "escalate", "bind", "impersonate"}:
                faults.append(t.title(role))
            if role["kind"] == "ClusterRole" and set(rule["verbs"]) - {"get", "list", "watch"}:
                faults.append(t.title(role))
    seen, accounts = {}, {}
    for binding in t.of_kind(tree, "RoleBinding", "ClusterRoleBinding"):
        for subject in binding["subjects"]:
            if subject["kind"] == "ServiceAccount":
                if subject["namespace"] not in (t.backend(environment), t.MONITORING):
                    faults.append(t.title(binding))
                role = (binding["roleRef"]["kind"], binding["roleRef"]["name"])
                accounts.setdefault(subject["name"], []).append(role)
                continue
            seen.setdefault(subject["name"], set()).add(binding["roleRef"]["name"])
    wanted = {
        f"gx-{environment}-viewers": {"gx-viewer"},
        f"gx-{environment}-operators": {"gx-operator", "gx-viewer"},
        f"gx-{environment}-deployers": {"gx-deployer"},
    }
    if seen != wanted:
        faults.append(f"groups: {seen}")
    here = {each["metadata"]["name"] for each, _ in t.workloads(tree)}
    if accounts != {name: roles for name, roles in d.API_CLIENTS.items() if name in here}:
        faults.append(f"accounts: {accounts}")
    return faults


@check
def who_deploys_may_apply_the_rest(environment, tree):
    """What no administrator has to apply is in their namespace and of kinds that the
    deployers' role has."""
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
        mine = plural in may and each["metadata"].get("namespace") == t.backend(environment)
        if (labels.get(ADMINISTRATION) == "administrator") == mine:
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
    bound = {
        name for name in (t.backend(environment), t.MONITORING, t.FABRIC[environment], "kube-system")
        if t.matches(spec["matchResources"]["namespaceSelector"], {"kubernetes.io/metadata.name": name})
    }
    if bound != {t.backend(environment), t.MONITORING}:
        faults.append(f"the policy is bound to {bound}")
    return faults


@check
def everybody_reaches_whom_they_should_and_nobody_else(environment, tree):
    """The lines of matrix.txt that are about this environment."""
    seen, wanted = (
        {line for line in lines if reach.is_about(environment, line)}
        for lines in (reach.matrix({environment: tree}), golden())
    )
    return [f"more: {line}" for line in sorted(seen - wanted)] + [
        f"less: {line}" for line in sorted(wanted - seen)
    ]


@check
def both_sides_of_a_connection_agree(environment, tree):
    """No policy allows what the other side's does not."""
    return reach.half_open({environment: tree})


@check
def policies_open_ports_that_are_there(environment, tree):
    """What a pod is reached on, one of its containers listens on."""
    faults = []
    for line in reach.matrix({environment: tree}):
        pair, _, opened = line.partition(": ")
        home, _, name = pair.partition(" -> ")[2].partition("/")
        for workload, pod in t.workloads(tree):
            if (home, name) == (workload["metadata"]["namespace"], workload["metadata"]["name"]):
                ports = [port for each in t.containers(pod) for port in each.get("ports", [])]
                known = {f"TCP {port['containerPort']}" for port in ports}
                faults += [f"{pair}: nobody listens on {port}" for port in opened.split(", ") if port not in known]
    return faults


def golden():
    """The lines of matrix.txt."""
    return (t.ROOT / "k8s/tests/cluster/matrix.txt").read_text().splitlines()
