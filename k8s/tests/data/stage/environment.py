"""The environment: a network of nodes' addresses, the secrets of its store, the chain, and the pods of what is applied."""

import contextlib
import http.client
import itertools
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import gx
import stores
import tree as t
import yaml
from servers import run, wait_until

from stage import commands
from stage.network import Network
from stage.pod import Job, Pod, stores_image
from stage.secret_store import fill

ENVOY = next(Path(sys.prefix).glob("lib/python*/site-packages/envoy/_bin/envoy"))
NODE = "10.42.0.1"
SERVICES = {"postgres-primary": "10.42.0.201", "postgres-replica": "10.42.0.202", "redis-replica": "10.42.0.203"}
PODS = {"postgres-backup-0": "10.42.0.70"}
PODS |= {f"{store}-{number}": f"10.42.0.{first + number}"
         for store, first in (("postgres", 50), ("redis", 60)) for number in range(3)}
# Every one of GX's deployments but the contract's, which the development network runs by itself.
DEPLOYMENTS = ("svc-identity", "svc-wallet", "svc-tokenomics", "api-gateway", "outbox-submitter", "projector", "gx-tools")
PODS |= {name: f"10.42.0.{11 + number}" for number, name in enumerate(DEPLOYMENTS)}


class Failed(Exception):
    """A command that failed, with what it said."""


class Local(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def connect(self):
        """Opens it."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


class Environment:
    """One environment's cluster, empty until something is applied."""

    node, deployments = NODE, DEPLOYMENTS

    def __init__(self, name):
        self.name, self.namespace = name, t.backend(name)
        self.tree = t.at_home(name, t.objects(name))
        # Below /tmp itself: users of the pods come through its folders.
        self.folder = Path(tempfile.mkdtemp(prefix="gx-stage-"))
        self.folder.chmod(0o755)
        self.pods, self.jobs, self._numbers = {}, {}, itertools.count()
        # CronJobs that are suspended, claims that go with their pod, contexts by which kubectl was called.
        self.suspended, self.doomed, self.contexts = set(), set(), set()
        self.network = Network(NODE)
        for address in SERVICES.values():
            self.network.answer_at(address)
        self.images = {"gx": self._image("gx", gx.PROGRAM), "envoy": self._image("envoy", ENVOY),
                       "stores": stores_image(self.folder / "images/stores")}
        self._spare()
        self.network.configs |= {each["metadata"]["name"]: each.get("data", {}) for each in t.of_kind(self.tree, "ConfigMap")}
        fill(self.network, self.tree, self.folder)
        fabric = f"{t.FABRIC[name]}.svc.cluster.local"
        names = [f"{each}.{fabric}" for each in ("ca-org1", "peer0-org1", "peer1-org1", "peer0-org2", "peer1-org2")]
        stores.Fabric(self.network, self.folder / "fabric", names)
        names = dict.fromkeys(names, NODE) | SERVICES | {each: PODS[each] for each in DEPLOYMENTS}
        names |= {f"{pod}.{pod.rpartition('-')[0]}-headless": PODS[pod] for pod in PODS if pod[-1].isdigit()}
        self.hosts = "".join(f"{address} {each}\n" for each, address in {"localhost": "127.0.0.1", **names}.items())
        self._control_plane()
        self.kubectl = self._kubectl()

    @classmethod
    @contextlib.contextmanager
    def running(cls, name):
        """An environment that is applied, started for the first time, and ready; closed at the end."""
        made = cls(name)
        try:
            made.apply()
            made.finished("bootstrap")
            made.ready()
            yield made
        finally:
            made.close()

    def count(self):
        """Another number."""
        return next(self._numbers)

    def _image(self, name, program):
        """The file tree of an image that has one program."""
        folder = self.folder / "images" / name
        run([t.ROOT / "k8s/image/tree.sh", program, folder])
        (folder / "usr/local/bin/gx").rename(folder / "usr/local/bin" / name)
        return folder

    def image(self, container):
        """The file tree of a container's image."""
        return self.images["gx" if t.is_gx(container) else "envoy" if container["name"] == "envoy" else "stores"]

    def _spare(self):
        """What is spared on a machine whose power nobody cuts: flushing to disk, testnet's talk, second pods of GX."""
        for each in t.of_kind(self.tree, "ConfigMap"):
            data = each.get("data", {})
            if "GX_LOG__FILTER" in data:
                data["GX_LOG__FILTER"] = "info"
            if "patroni.yml" in data:
                config = yaml.safe_load(data["patroni.yml"])
                config["postgresql"]["parameters"]["fsync"] = "off"
                data["patroni.yml"] = yaml.safe_dump(config)
        for each in t.of_kind(self.tree, "Deployment"):
            each["spec"]["replicas"] = min(1, each["spec"]["replicas"])

    def _control_plane(self):
        place = self.folder / "control-plane"
        place.mkdir()
        ca, key = stores.authority(place)
        stores.issue(place / "tls.crt", place / "tls.key", [NODE], ca, key)
        self.token = place / "token"
        self.token.mkdir()
        shutil.copy(ca, self.token / "ca.crt")
        (self.token / "token").write_text(secrets.token_hex(16))
        self.socket = str(place / "socket")
        services = []
        for name, address in SERVICES.items():
            spec = t.named(self.tree, "Service", name)["spec"]
            services += [(address, port["port"], port["port"], spec["selector"]) for port in spec["ports"]]
        given = {"address": NODE, "port": 6443, "certificate": str(place / "tls.crt"), "key": str(place / "tls.key"),
                 "rules": t.named(self.tree, "Role", "postgres")["rules"], "services": services, "socket": self.socket}
        log = place / "log"
        with log.open("wb") as out:
            self.network.start([sys.executable, Path(__file__).with_name("api.py"), json.dumps(given)], stdout=out, stderr=out)
        wait_until(lambda: Path(self.socket).exists(), f"the control plane is there; see {log}")

    def api(self, method, path, body=None):
        """Asks the API server as the kubelet, who may do everything."""
        connection = Local(self.socket, timeout=30)
        path = path if path.startswith("/") else f"/api/v1/namespaces/{self.namespace}/{path}"
        connection.request(method, path, json.dumps(body or {}), {"content-type": "application/json"})
        answer = connection.getresponse()
        text = json.loads(answer.read())
        assert answer.status == 200, (method, path, answer.status)
        connection.close()
        return text

    # What is there

    def apply(self, labels=None):
        """What `kubectl apply` does: whatever is not as the manifests say becomes so."""
        def chosen(each):
            return (labels or {}).items() <= each["metadata"].get("labels", {}).items()

        for each in filter(chosen, t.of_kind(self.tree, "StatefulSet")):
            self._scale(each, t.replicas(each))
        for each in filter(chosen, t.of_kind(self.tree, "Deployment")):
            if each["metadata"]["name"] in DEPLOYMENTS:
                self._scale(each, t.replicas(each))
        for each in filter(chosen, t.of_kind(self.tree, "Job")):
            if each["metadata"]["name"] not in self.jobs:
                self.run(each["metadata"]["name"], each)

    def _scale(self, workload, replicas):
        name = workload["metadata"]["name"]
        names = [name] if workload["kind"] == "Deployment" else [f"{name}-{number}" for number in range(replicas)]
        for each in names[:replicas] if replicas else []:
            if each not in self.pods:
                self.pods[each] = Pod(self, workload, each, PODS[each])
        if not replicas:
            for each in [each for each in names if each in self.pods]:
                self.pods.pop(each).remove(30)

    def scale(self, name, replicas):
        """Gives a deployment another number of pods: one or none."""
        self._scale(t.named(self.tree, "Deployment", name), replicas)

    def run(self, name, workload):
        """Starts the pod of a Job."""
        number = self.count()
        self.jobs[name] = Job(self, workload, f"{name}-{number}", f"10.42.0.{100 + number % 100}")

    def replace(self, name):
        """What a controller does when a pod is deleted, or lost with its node: another one, with the volumes that there are."""
        if name in self.pods:
            self.pods.pop(name).remove(30)
        for claim in list(self.doomed):
            if claim.endswith(name) or name.startswith("postgres-backup") and claim.endswith("backup"):
                shutil.rmtree(self.folder / "claims" / claim)
                self.doomed.remove(claim)
        workload = t.named(self.tree, "StatefulSet", name.rpartition("-")[0]) or t.named(self.tree, "Deployment", name)
        self.pods[name] = Pod(self, workload, name, PODS[name])

    def wait(self, holds, what, seconds=90):
        """Waits for a condition, however it is told what that is; a fault meanwhile is "not yet"."""
        def met():
            with contextlib.suppress(Failed, OSError, LookupError):
                return holds()

        end = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < end, f"waited in vain: {what() if callable(what) else what}"
            time.sleep(0.05)

    def ready(self, *names):
        """Waits until pods are ready; all of them, unless some are named."""
        for name in names or self.pods:
            self.wait(self.pods[name].ready.is_set, lambda name=name: f"{name} is ready\n{self.told(name)}")

    def told(self, name):
        """The end of what a pod's containers wrote."""
        logs = sorted((self.pods.get(name) or self.jobs[name]).folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in logs)

    def finished(self, name, seconds=90):
        """Waits until a Job is complete."""
        job = self.jobs[name]
        self.wait(lambda: job.done.is_set() or job.failed.is_set(), lambda: f"Job {name}\n{self.told(name)}", seconds)
        assert job.done.is_set(), self.told(name)

    def inside_of(self, name, container, command):
        """Runs a command in a container to its end; what it wrote."""
        done = subprocess.run(self.pods[name].inside_of(container, command), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{name} {command}: {done.stdout}{done.stderr}")
        return done.stdout

    def leader(self, but=None):
        """The pod of PostgreSQL that has the leader's label and is ready."""
        found = [each["metadata"]["name"] for each in self.api("GET", "pods?labelSelector=app=postgres,role=master")["items"]
                 if each["status"]["ready"] and each["metadata"]["name"] != but]
        return found[0] if len(found) == 1 else None

    def sql(self, text, database="gx_protocol", pod=None):
        """Asks the primary as its superuser."""
        command = ["psql", "-X", "-q", "-t", "-A", "-F", " ", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql", "-U", "postgres",
                   "-d", database, "-c", text]
        return self.inside_of(pod or self.leader(), "postgres", command).strip()

    def gx(self, *arguments):
        """Runs one of gx's tools where operators do."""
        return self.inside_of("gx-tools", "gx", ["/usr/local/bin/gx", *arguments])

    # People

    def fetch(self, url, body=None, headers=()):
        """The status and the text of an answer, as somebody on a node gets it; 0 if nobody answers."""
        return self.api("POST", "/fetch", body={"url": url, "body": body, "headers": dict(headers)})

    def answer(self, path, body=None, token=None):
        """The status and the text of what the gateway answers somebody outside."""
        headers = {"content-type": "application/json", "x-forwarded-for": "198.51.100.7"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return self.fetch(f"http://{PODS['api-gateway']}:8080{path}", body, headers)

    def call(self, path, body=None, token=None):
        """An answer that must be a success."""
        status, text = self.answer(path, body, token)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)

    # The end

    def lose(self):
        """The cluster is gone, volumes and all; the chain and the store of secrets are elsewhere."""
        for name in list(self.pods):
            self.pods.pop(name).remove()
        for name in list(self.jobs):
            self.jobs.pop(name).remove()
        shutil.rmtree(self.folder / "claims", ignore_errors=True)
        self.suspended.clear()
        for kind in ("pods", "configmaps"):
            for each in self.api("GET", kind)["items"]:
                self.api("DELETE", f"{kind}/{each['metadata']['name']}")

    def close(self):
        """Ends everything."""
        for each in [*self.pods.values(), *self.jobs.values()]:
            each.gone.set()
        for each in [*self.pods.values(), *self.jobs.values()]:
            each.remove()
        self.network.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kubectl(self):
        """A folder with a kubectl that asks this environment, for the PATH of scripts."""
        place = self.folder / "bin"
        place.mkdir()
        listening = str(self.folder / "kubectl-socket")
        server = commands.Server(listening, self)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = place / "kubectl"
        program = Path(__file__).with_name("kubectl.py")
        file.write_text(f'#!/bin/sh\nexec {sys.executable} {program} {listening} {shutil.which("kubectl")} "$@"\n')
        file.chmod(0o755)
        return place
