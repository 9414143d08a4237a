"""Whatever is taken away, a check names it: each object, each label, each line of a
policy, each probe and each lock of a pod, in turn."""

import copy
import functools
import json

import pytest

import checks
import reach
import tree as t
from checks import rights


def own(environment, tree):
    """The objects to take away from, with their places: those that are not as in an
    environment before but for the name, for the same checks look at the others there."""
    texts = {
        json.dumps(each, sort_keys=True).replace(other, environment)
        for other in t.ENVIRONMENTS[:t.ENVIRONMENTS.index(environment)] for each in t.objects(other)
    }
    return [(place, each) for place, each in enumerate(tree) if json.dumps(each, sort_keys=True) not in texts]


def objects_gone(tree, places):
    """Each object, taken away."""
    for index, each in places:
        rest = [other for place, other in enumerate(tree) if place != index]
        yield t.title(each), rest


def _changed(tree, place, find, undo_key):
    """The tree without one key of what `find` finds in it, which is in one object."""
    other = list(tree)
    other[place] = copy.deepcopy(tree[place])
    find(other).pop(undo_key)
    return other


def _labels(each, path=()):
    """The ways to whatever is a label of an object, or asks for one."""
    for key, value in each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ():
        here = (*path, key)
        if key in ("labels", "matchLabels") or key == "selector" and "matchLabels" not in value and path == ("spec",):
            yield from ((*here, label) for label in value)
        elif key == "matchExpressions":
            for number, term in enumerate(value):
                yield (*here, number)
                if len(term.get("values", [])) > 1:
                    yield from ((*here, number, "values", which) for which in range(len(term["values"])))
        else:
            yield from _labels(value, here)


def labels_gone(tree, places):
    """Each label of an object and of its pods, and each that a selector wants."""
    for place, each in places:
        for path in _labels(each):
            def find(other, path=path, place=place):
                return functools.reduce(lambda part, key: part[key], path[:-1], other[place])

            yield f"{'.'.join(map(str, path))} of {t.title(each)}", _changed(tree, place, find, path[-1])


def lines_of_policies_gone(tree, places):
    """Each port, each peer and each selector of a peer."""
    for place, each in places:
        if each["kind"] != "NetworkPolicy":
            continue
        for rules, peers in (("ingress", "from"), ("egress", "to")):
            for number, rule in enumerate(each["spec"].get(rules) or []):
                def at(other, rules=rules, number=number):
                    return other[place]["spec"][rules][number]

                for index, port in enumerate(rule["ports"]):
                    yield f"port {port['port']} of {t.title(each)}", _changed(tree, place, lambda o: at(o)["ports"], index)
                for index, peer in enumerate(rule[peers]):
                    yield f"peer {index} of {t.title(each)}", _changed(tree, place, lambda o: at(o)[peers], index)
                    for key in peer if len(peer) > 1 else ():
                        yield f"{key} of {t.title(each)}", _changed(tree, place, lambda o: at(o)[peers][index], key)


def parts_of_pods_gone(tree, places):
    """Each probe, lock, resource, port and volume."""
    for place, each in places:
        if each["kind"] not in t.WORKLOADS:
            continue
        pod = t.pod_template(each)["spec"]

        def spec(other):
            return t.pod_template(other[place])["spec"]

        for key in ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "affinity",
                    "securityContext"):
            if key in pod:
                yield f"{key} of {t.title(each)}", _changed(tree, place, spec, key)
        for key in pod["securityContext"]:
            yield f"{key} of {t.title(each)}", _changed(tree, place, lambda o: spec(o)["securityContext"], key)
        for index, volume in enumerate(pod.get("volumes", [])):
            yield f"volume {volume['name']} of {t.title(each)}", _changed(tree, place, lambda o: spec(o)["volumes"], index)
        for group in ("initContainers", "containers"):
            for index, container in enumerate(pod.get(group, [])):
                def at(other, group=group, index=index):
                    return spec(other)[group][index]

                name = f"{container['name']} of {t.title(each)}"
                for key in ("resources", "securityContext"):
                    yield f"{key} of {name}", _changed(tree, place, at, key)
                for key in container["securityContext"]:
                    yield f"{key} of {name}", _changed(tree, place, lambda o: at(o)["securityContext"], key)
                for key in ("readinessProbe", "livenessProbe", "startupProbe", "ports"):
                    if key in container and group == "containers":
                        yield f"{key} of {name}", _changed(tree, place, at, key)


MUTATIONS = (objects_gone, labels_gone, lines_of_policies_gone, parts_of_pods_gone)


def caught(environment, tree):
    """Whether a check finds a fault, or cannot even be made."""
    for check in checks.CHECKS:
        try:
            if check(environment, tree):
                return True
        except (KeyError, TypeError, AttributeError, IndexError):
            return True
    # What only shows when all environments are looked at together.
    return reach.matrix({each: t.objects(each) for each in t.ENVIRONMENTS} | {environment: tree}) != rights.golden()


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_what_is_taken_away_is_missed(mutation, environment):
    tree = t.objects(environment)
    assert not caught(environment, tree)
    names = []
    missed = [
        name for name, other in mutation(tree, own(environment, tree))
        if names.append(name) or not caught(environment, other)
    ]
    assert names or environment != "mainnet", "there is nothing to take away"
    assert not missed, "\n".join(missed)
