"""Networks that nobody else is in: the nodes', where every port of the manifests is free, and the pods', each with an
address on its bridge. Whatever runs in them ends with the process that made them. Needs root."""

import subprocess
import sys
from pathlib import Path

from servers import wait_until

FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"
WITH_US = ["setpriv", "--pdeathsig", "KILL"]


def child_of(pid):
    """The process that another has begun; an IndexError if it has not yet."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


class Network:
    """The nodes' network, who runs in it, and what the cluster holds: secrets and settings by name."""

    def __init__(self, node):
        self.secrets, self.configs = {}, {}
        # With this one ends every process that is in its namespace.
        self.first = self._begun([*WITH_US, "unshare", "--pid", "--fork", "--kill-child"])
        self.processes = f"--pid=/proc/{child_of(self.first.pid)}/ns/pid"
        self.running, self.holders = [], {}
        self.nodes = self.add()
        self._ip("link", "add", "name", "cni0", "type", "bridge")
        self.answer_at(node)
        self._ip("link", "set", "cni0", "up")

    def _begun(self, command):
        process = subprocess.Popen([*command, "sh", "-euc", "echo begun; exec sleep infinity"], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"begun\n"
        return process

    def _ip(self, *words, at=None):
        subprocess.run(self.enter(["ip", *words], at), check=True)

    def answer_at(self, address):
        """Gives the nodes another address."""
        self._ip("address", "add", f"{address}/24", "dev", "cni0")

    def add(self, address=None):
        """Another network, on the bridge if it has an address; the process that holds it."""
        process = self._begun(["nsenter", self.processes, "unshare", "--net"])
        holder = child_of(process.pid)
        self.holders[holder] = process
        self._ip("link", "set", "lo", "up", at=holder)
        if address:
            end = f"v{holder}"
            self._ip("link", "add", "name", end, "type", "veth", "peer", "name", "eth0", "netns", str(holder))
            self._ip("link", "set", end, "master", "cni0", "up")
            # Whoever knew the pod that had the address before finds this one at once.
            station = ":".join(f"{int(part):02x}" for part in address.split("."))
            self._ip("link", "set", "eth0", "address", f"02:00:{station}", "up", at=holder)
            self._ip("address", "add", f"{address}/24", "dev", "eth0", at=holder)
        return holder

    def remove(self, holder):
        """Takes a network down in which nobody runs any more."""
        subprocess.run(["kill", "-KILL", str(holder)], check=True)
        self.holders.pop(holder).wait()

    def enter(self, command, at=None):
        """A command line that runs another in a network, else in the nodes'."""
        return ["nsenter", f"--net=/proc/{at or self.nodes}/ns/net", *map(str, command)]

    def start(self, command, **more):
        """Starts a command in the nodes' network; `close` ends it."""
        process = subprocess.Popen([*WITH_US, *self.enter(command)], **more)
        self.running.append(process)
        return process

    def start_pod(self, command, at, **more):
        """Starts a command of a pod in its network."""
        return subprocess.Popen(["nsenter", self.processes, *self.enter(command, at)[1:]], **more)

    def until(self, url, *_, log):
        """Waits until a page of the nodes' network is there."""
        asked = self.enter([sys.executable, "-c", FETCH, url])
        wait_until(lambda: subprocess.run(asked, check=True, capture_output=True), f"{url}; see {log}")

    def close(self):
        """Ends everything in the nodes' network, last first, and all networks."""
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        self.first.kill()
        for process in [self.first, *self.holders.values()]:
            process.wait()
