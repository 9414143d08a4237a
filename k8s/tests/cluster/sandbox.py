"""A cluster without one: networks in which every port of the manifests is free, a name
server that knows who is ready, and the image's file tree. Needs root, as an engine would."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gx
import tree as t


# What the kubelet writes for the pods of mainnet.
DOMAIN = "svc.cluster.local"
SEARCH = f"backend-mainnet.{DOMAIN}"
# How long CoreDNS lets an answer be kept, in seconds.
TTL_S = 5


class Sandbox:
    """Networks and names, the image, and what the cluster holds: secrets and settings."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.image = self.image_of(gx.BEFORE or gx.PROGRAM)
        self.other_images = {}
        self.secrets, self.configs = {}, {}
        self.names, self.name_server = {}, None
        self.resolver = ""
        self.running, self.networks = [], []
        self.network = self.new_network()

    def image_of(self, program):
        """The image's file tree with this program."""
        image = Path(tempfile.mkdtemp(prefix="image-", dir=self.folder)) / "tree"
        subprocess.run([t.ROOT / "k8s/image/tree.sh", program, image], check=True)
        return image

    def new_network(self):
        """A network that nobody else is in; its process."""
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-euc", "ip link set lo up; echo up; exec sleep infinity"], stdout=subprocess.PIPE)
        self.networks.append(holder)
        assert holder.stdout.readline() == b"up\n"
        return holder

    def add_node(self, address):
        """Lets networks with addresses of their own meet, and whoever runs here meet them,
        and answers for names."""
        self.inside(["ip", "link", "add", "name", "cni0", "type", "bridge"])
        self.inside(["ip", "address", "add", f"{address}/24", "dev", "cni0"])
        self.inside(["ip", "link", "set", "cni0", "up"])
        self.resolver = f"nameserver {address}\nsearch {SEARCH} {DOMAIN} cluster.local\noptions ndots:5\n"
        (self.folder / "names").touch()
        server = self.start(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--no-resolv",
             "--no-hosts", "--local=/cluster.local/", f"--addn-hosts={self.folder}/names", f"--local-ttl={TTL_S}",
             f"--listen-address={address}", "--bind-interfaces", "--log-facility=-"], stderr=subprocess.PIPE)
        assert b"started" in server.stderr.readline()
        self.name_server = server

    def connected(self, address, *routes):
        """A network with an address on the bridge, and ways to others beside its own."""
        holder = self.new_network()
        end = f"v{holder.pid}"
        self.inside(["ip", "link", "add", "name", end, "type", "veth", "peer", "name", "eth0", "netns", holder.pid])
        self.inside(["ip", "link", "set", end, "master", "cni0", "up"])
        self.inside(["ip", "address", "add", f"{address}/24", "dev", "eth0"], at=holder)
        self.inside(["ip", "link", "set", "eth0", "up"], at=holder)
        for route in routes:
            self.inside(["ip", "route", "add", route, "dev", "eth0"], at=holder)
        return holder

    def point(self, name, *addresses):
        """Lets a name lead to these addresses and no other from now on."""
        self.names[name if name.endswith(f".{DOMAIN}") else f"{name}.{SEARCH}"] = addresses
        lines = [f"{address} {each}" for each, known in self.names.items() for address in known]
        (self.folder / "names").write_text("\n".join(lines) + "\n")
        if self.name_server:
            self.name_server.send_signal(signal.SIGHUP)

    def wait(self, holds, process, seconds=30, told=lambda: "it does not come about"):
        """Waits until something holds that a process brings about. That the process ends
        before is a fault at once."""
        end = time.monotonic() + seconds
        while not holds():
            assert process.poll() is None and time.monotonic() < end, told()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def enter(self, command, at=None):
        """A command line that runs another in a network, else in the first."""
        return ["nsenter", f"--net=/proc/{(at or self.network).pid}/ns/net", *map(str, command)]

    def inside(self, command, at=None, **more):
        """Runs a command in a network, to its end."""
        return subprocess.run(self.enter(command, at), check=True, **more)

    def start(self, command, at=None, **more):
        """Starts a command in a network; `close` ends it."""
        process = subprocess.Popen(self.enter(command, at), **more)
        self.running.append(process)
        return process

    def call(self, url):
        """The status and the text of an answer, as the kubelet asks; 0 if nobody answers."""
        asked = self.inside(
            [sys.executable, Path(__file__).with_name("fetch.py")], input=json.dumps([url, None, {}]), text=True,
            stdout=subprocess.PIPE,
        )
        return tuple(json.loads(asked.stdout))

    def until(self, url, process, seconds=60, log=None):
        """Waits until a process answers a GET with 200; the text."""
        seen = []

        def holds():
            seen[:] = self.call(url)
            return seen[0] == 200

        self.wait(holds, process, seconds, lambda: f"{url}: {seen}\n{log.read_text() if log else ''}")
        return seen[1]

    def close(self):
        """Ends everything, last first."""
        for process in [*reversed(self.running), *self.networks]:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
