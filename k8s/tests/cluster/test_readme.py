"""What k8s/README.md names is there: secrets, settings, workloads, files, targets."""

import math
import re

import document as d
import tree as t

TEXT = (t.ROOT / "k8s/README.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.S))
TREE = t.objects("mainnet")


def test_the_table_of_secrets_is_complete():
    table = TEXT[TEXT.index("| Secret | keys |"):TEXT.index("With Sealed Secrets")]
    named = set()
    for line in table.splitlines()[2:]:
        if not line.startswith("| `"):
            continue
        first, *others = re.findall(r"`([^`]+)`", line.split("|")[1])
        named |= {first, *(first.partition("-")[0] + other for other in others)}
    assert named == {each["metadata"]["name"] for each in t.of_kind(TREE, "ExternalSecret")}


def test_every_setting_that_an_operator_gives_is_made_by_a_command():
    made = {}
    for name, files in re.findall(r"create configmap (\S+)((?:\s+\\?\s*--from-file=\S+)+)", BLOCKS):
        made[name] = {re.split(r"[=]", file)[0] for file in re.findall(r"--from-file=(\S+)", files)}
    assert made == d.GIVEN_CONFIG


def test_every_workload_that_a_command_names_is_there():
    kinds = {"deployment": "Deployment", "job": "Job", "statefulset": "StatefulSet", "cronjob": "CronJob",
             "service": "Service"}
    named = {(kinds[kind], name) for kind, name in re.findall(rf"\b({'|'.join(kinds)})/([a-z-]+)", BLOCKS)}
    # Jobs that a command makes.
    named -= {("Job", name) for name in re.findall(r"create job (\S+) --from=cronjob/", BLOCKS)}
    assert len(named) > 12
    assert [name for kind, name in named if not t.named(TREE, kind, name)] == []
    for name, container in re.findall(r"deployment/([a-z-]+) -c ([a-z-]+)", BLOCKS):
        pod = t.pod_template(t.named(TREE, "Deployment", name))["spec"]
        assert container in [each["name"] for each in t.containers(pod)]
    for name in re.findall(r"delete job ([a-z -]+?) --", BLOCKS):
        assert set(name.split()) == {each["metadata"]["name"] for each in t.of_kind(TREE, "Job")}


def test_identities_are_registered_as_they_enrol():
    registered = dict(re.findall(r"^register (\S+) \S+ (\S+)$", BLOCKS, re.M))
    enrolled = {
        value for _, pod in t.workloads(TREE) for container in t.containers(pod)
        for name, value in t.variables(TREE, container).items() if re.fullmatch(r"GX_ENROLL__\w+_ID", name) and value
    }
    assert set(registered) == enrolled and len(enrolled) == 3


def test_every_link_and_target_leads_somewhere():
    for link in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (t.ROOT / "k8s" / link).exists(), link
    makefile = (t.ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake (?:-s )?([a-z0-9-]+)", BLOCKS):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_what_mainnet_asks_of_its_nodes_is_told():
    asked = {resource: sum(t.pod_resources(pod, "requests", resource) * t.replicas(workload)
                           for workload, pod in t.workloads(t.at_home("mainnet", TREE)))
             for resource in ("cpu", "memory")}
    assert f"{asked['cpu']:g} cores and {math.ceil(asked['memory'] / 2**30)} Gi for mainnet" in TEXT, asked
