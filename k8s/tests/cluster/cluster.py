"""Mainnet's workloads as pods of a sandbox: begun in their order, found by their Services'
names, and replaced as a roll-out replaces them."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import ingress
import pod
import sandbox
import tree as t

NODE = "10.42.0.1"
FABRIC = "fabric.svc.cluster.local"
PEERS = [f"{peer}.{FABRIC}" for peer in ("peer0-org1", "peer1-org1", "peer0-org2", "peer1-org2")]


class Cluster:
    """A node with stores and Fabric at it, an ingress, and the pods that run."""

    def __init__(self, folder):
        self.folder, self.tree = folder, t.objects("mainnet")
        names = ["postgres-primary", "postgres-replica", f"ca-org1.{FABRIC}", *PEERS]
        names += [f"redis-{number}.redis-headless" for number in range(3)]
        self.box = sandbox.Sandbox(folder)
        self.box.add_node(NODE)
        for name in names:
            self.box.point(name, NODE)
        self.box.other_images["envoy"] = self._envoy()
        (folder / "ingress").mkdir()
        self.ingress = ingress.Ingress(self.box, self.tree, folder / "ingress")
        self.deployed = {}
        self._addresses = (f"10.42.0.{number}" for number in itertools.count(100))

    def _envoy(self):
        """The file tree of Envoy's image, as far as it needs one."""
        envoy = next(Path(sys.prefix).glob("lib/python*/site-packages/envoy/_bin/envoy"))
        tree = self.folder / "envoy"
        subprocess.run([t.ROOT / "k8s/image/tree.sh", envoy, tree], check=True)
        (tree / "usr/local/bin/gx").rename(tree / "usr/local/bin/envoy")
        return tree

    def pod(self, name):
        """Another pod of a workload, which has not begun."""
        (workload,) = filter(None, (t.named(self.tree, kind, name) for kind in ("Deployment", "Job", "CronJob")))
        return pod.Pod(self.box, self.tree, workload, next(self._addresses))

    def deploy(self, name, replicas=1):
        """Begins the pods of a Deployment; those that begin together."""
        self.deployed[name] = [self.pod(name).begin() for _ in range(replicas)]
        self._publish(name)
        return self.deployed[name]

    def _publish(self, name):
        """Lets the Service's name lead to the pods that are ready."""
        addresses = [each.address for each in self.deployed[name]]
        if name == "api-gateway":
            self.ingress.follow(*addresses)
        elif t.named(self.tree, "Service", name):
            self.box.point(name, *addresses)

    def roll_out(self, name):
        """Replaces the pods of a Deployment one by one: another is ready, then one ends."""
        for old in list(self.deployed[name]):
            self.deployed[name].append(self.pod(name).begin())
            self.deployed[name].remove(old)
            self._publish(name)
            old.end()

    def call(self, path, body=None, token=None):
        """A call of somebody outside; its answer, which must be a success."""
        status, text = self.ingress.call(path, body, token)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)

    def close(self):
        """Ends everything."""
        self.box.close()
