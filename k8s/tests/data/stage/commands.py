"""What kubectl's commands do in the environment."""

import json
import socketserver
import threading

import tree as t

# As long as an operator would wait on a machine that has more to do.
PATIENCE_S = 240
# Flags that are followed by a value.
VALUES = {"-n": "namespace", "-c": "container", "-l": "selector", "-k": "kustomize", "-p": "patch", "-o": "output"}


class Wrong(Exception):
    """A command that fails, with what it says."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Where kubectl asks."""

    daemon_threads = True

    def __init__(self, address, there):
        self.there = there
        super().__init__(address, Handler)


class Handler(socketserver.StreamRequestHandler):
    """One command."""

    def handle(self):
        """Reads it and answers what became of it."""
        words = json.loads(self.rfile.readline())
        try:
            answer = do(self.server.there, words)
        except (Wrong, AssertionError, KeyError) as error:
            answer = {"status": 1, "told": f"error: {error}"}
        if not isinstance(answer, dict):
            answer = {"status": 0, "told": answer or ""}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def read(words):
    """Takes a line apart: names, flags, and what stands after `--`."""
    words, command = list(words), []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1:]
    names, flags = [], {}
    while words:
        word = words.pop(0)
        if word in VALUES:
            flags[VALUES[word]] = words.pop(0)
        elif word.startswith("--"):
            key, _, value = word[2:].partition("=")
            takes = key in ("context", "selector", "container", "timeout", "namespace", "kustomize") and not value
            flags[key] = words.pop(0) if takes else value or True
        elif word.startswith("-"):
            flags[word[1:]] = True
        else:
            names.append(word)
    return names, flags, command


def do(there, words):
    """Does a command; what it says, or the command line that does it."""
    (verb, *names), flags, command = read(words)
    there.contexts.add(flags.get("context"))
    if flags.get("namespace") not in (None, there.namespace):
        raise Wrong(f"namespaces {flags['namespace']} not found")
    return COMMANDS[verb](there, names, flags, command)


def pod_of(there, target):
    """The pod that a name or a deployment leads to."""
    kind, _, name = target.rpartition("/")
    name = name if not kind or kind.startswith(("deploy", "pod")) else None
    if name not in there.pods:
        raise Wrong(f'pods "{target}" not found')
    return there.pods[name]


def execute(there, names, flags, command):
    """`kubectl exec`"""
    pod = pod_of(there, names[0])
    container = flags.get("container") or pod.spec["containers"][0]["name"]
    if container not in pod.processes or pod.processes[container].poll() is not None:
        raise Wrong(f"container {container} of {names[0]} does not run")
    return {"exec": pod.inside_of(container, command), "stdin": "i" in flags}


def logs(there, names, flags, _):
    """`kubectl logs`"""
    kind, _, name = names[0].partition("/")
    pod = there.jobs[name] if kind == "job" else pod_of(there, names[0])
    container = flags.get("container") or pod.spec["containers"][0]["name"]
    return pod.log(f"{container}.previous" if "previous" in flags else container).read_text()


def get(there, names, flags, _):
    """`kubectl get`"""
    kind = names[0]
    if kind.startswith("no"):
        return "NAME     STATUS\nnode-1   Ready"
    if kind in ("pv", "pvc"):
        return "\n".join(sorted(each.name for each in (there.folder / "claims").iterdir()))
    return "\n".join(f"{name:<20}{'Running' if pod.ready.is_set() else 'Pending'}" for name, pod in sorted(there.pods.items()))


def describe(there, names, *_):
    """`kubectl describe`"""
    pod = pod_of(there, names[-1])
    return "\n".join(f"{name}: {'running' if process.poll() is None else f'ended with {process.returncode}'}"
                     for name, process in pod.processes.items())


def scale(there, names, flags, _):
    """`kubectl scale`"""
    target = names[0].partition("/")[2]
    threads = [threading.Thread(target=there.scale, args=(name, int(flags["replicas"])))
               for name in (there.deployments if flags.get("all") else [target])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def delete(there, names, flags, _):
    """`kubectl delete`, after which a controller makes another pod."""
    kind, *names = [part for name in names for part in name.split("/")]
    if "selector" in flags:
        labels = dict([flags["selector"].split("=")]).items()
        names = [name for name, pod in there.pods.items() if labels <= pod.labels.items()]
        # All are gone before any is there again.
        for name in names:
            there.pods.pop(name).remove(30)
    for name in names:
        if kind == "job" and name in there.jobs:
            there.jobs.pop(name).remove()
        elif kind == "pod":
            there.replace(name)
        elif kind == "pvc" and (there.folder / "claims" / name).exists():
            there.doomed.add(name)
        elif kind != "node" and not flags.get("ignore-not-found"):
            raise Wrong(f'{kind} "{name}" not found')


def create(there, names, flags, _):
    """`kubectl create job --from`"""
    cron = t.named(there.tree, "CronJob", flags["from"].partition("/")[2])
    there.run(names[1], {**cron, "spec": cron["spec"]["jobTemplate"]["spec"], "kind": "Job"})


def wait(there, names, flags, _):
    """`kubectl wait`"""
    names = [name.partition("/")[2] or name for name in names]
    if flags["for"] == "condition=complete":
        for name in names:
            there.finished(name, PATIENCE_S)
    else:
        there.ready(*([each for each in there.deployments if each in there.pods] if flags.get("all") else names))


def patch(there, names, flags, _):
    """`kubectl patch`, of whether a CronJob is suspended"""
    suspend = json.loads(flags["patch"])["spec"]["suspend"]
    for name in [name.rpartition("/")[2] for name in names if name != "cronjob"]:
        assert t.named(there.tree, "CronJob", name), name
        (there.suspended.add if suspend else there.suspended.discard)(name)


def apply(there, _, flags, __):
    """`kubectl apply`"""
    folder = t.ROOT / flags["kustomize"]
    assert folder == t.OVERLAYS / there.name, folder
    selector = flags.get("selector", "")
    there.apply(dict([selector.split("=")]) if selector and "!=" not in selector else None)


COMMANDS = {"exec": execute, "logs": logs, "get": get, "describe": describe, "scale": scale, "delete": delete,
            "create": create, "wait": wait, "patch": patch, "apply": apply}
