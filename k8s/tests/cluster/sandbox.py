"""Containers without an engine: the image's file tree as a root that cannot be written,
the manifest's volumes mounted as the kubelet would, an arbitrary uid, and a network of
its own, in which every port of the manifests is free and every name leads to an address.
Needs root, as an engine would."""

import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import gx
import tree as t

# Neither the image's user nor the manifests': nothing may depend on who it is.
UID = 40123


class Sandbox:
    """A network, the image, and what the cluster holds: secrets and settings by name."""

    def __init__(self, folder, hosts=()):
        self.folder = Path(folder)
        self.image = self.folder / "image"
        subprocess.run([t.ROOT / "k8s/image/tree.sh", gx.PROGRAM, self.image], check=True)
        self.other_images = {}
        self.secrets, self.configs = {}, {}
        lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in hosts)]
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("\n".join(lines) + "\n")
        self.hosts.chmod(0o644)
        self.running = []
        self.networks = []
        self.network = self.new_network()

    def new_network(self):
        """A network that nobody else is in; its process."""
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.networks.append(holder)
        own = os.readlink("/proc/self/ns/net")
        self.wait(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != own)
        self.inside(["ip", "link", "set", "lo", "up"], at=holder)
        return holder

    def add_bridge(self, address):
        """Lets pods with addresses of their own meet, and whoever runs here meet them."""
        self.inside(["ip", "link", "add", "name", "cni0", "type", "bridge"])
        self.inside(["ip", "address", "add", f"{address}/24", "dev", "cni0"])
        self.inside(["ip", "link", "set", "cni0", "up"])

    def connect(self, holder, address):
        """Gives a network an address on the bridge."""
        end = f"v{holder.pid}"
        self.inside(["ip", "link", "add", "name", end, "type", "veth", "peer", "name", "eth0", "netns", holder.pid])
        self.inside(["ip", "link", "set", end, "master", "cni0", "up"])
        self.inside(["ip", "address", "add", f"{address}/24", "dev", "eth0"], at=holder)
        self.inside(["ip", "link", "set", "eth0", "up"], at=holder)

    def wait(self, holds, seconds=30, told=lambda: "it does not come about"):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, told()
            time.sleep(0.05)

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

    def call(self, url, body=None, token=None):
        """The status and the text of an answer; 0 if nobody answers. With a body it is a
        POST of JSON."""
        # As the ingress would send it.
        headers = {"content-type": "application/json", "x-forwarded-for": "198.51.100.7"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        code = (
            "import json, sys, urllib.request, urllib.error\n"
            "url, body, headers = json.load(sys.stdin)\n"
            "request = urllib.request.Request(url, body and json.dumps(body).encode(), headers)\n"
            "try: answer = urllib.request.urlopen(request, timeout=60)\n"
            "except urllib.error.HTTPError as error: answer = error\n"
            "except OSError: print(0); sys.exit()\n"
            "print(answer.status); print(answer.read().decode())"
        )
        done = self.inside(
            [sys.executable, "-c", code], input=json.dumps([url, body, headers]), text=True,
            stdout=subprocess.PIPE,
        )
        status, _, text = done.stdout.partition("\n")
        return int(status), text

    def until(self, url, wanted=200, seconds=60, log=None):
        """Waits until a GET is answered so."""
        seen = []

        def holds():
            seen[:] = self.call(url)
            return seen[0] == wanted

        self.wait(holds, seconds, lambda: f"{url}: {seen}\n{log.read_text() if log else ''}")
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


class Pod:
    """One pod of a workload: its volumes, made once, and its containers."""

    _numbers = itertools.count()

    def __init__(self, sandbox, tree, workload, address=None):
        self.sandbox, self.tree = sandbox, tree
        self.network = sandbox.network
        if address:
            self.network = sandbox.new_network()
            sandbox.connect(self.network, address)
        self.name = f"{workload['metadata']['name']}-{next(self._numbers)}"
        self.spec = t.pod_template(workload)["spec"]
        self.group = self.spec["securityContext"]["fsGroup"]
        self.folder = sandbox.folder / "pods" / self.name
        self.volumes = {volume["name"]: self._volume(volume) for volume in self.spec.get("volumes", [])}

    def _volume(self, volume):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        place = self.sandbox.folder / "claims" / claim if claim else self.folder / "volumes" / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        mode = volume.get("projected", volume.get("secret", {})).get("defaultMode", 0o644)
        for path, text in self._files(volume):
            file = place / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            os.chown(file, 0, self.group)
            file.chmod(mode)
        os.chown(place, 0, self.group)
        place.chmod(0o2777)
        return place

    def _files(self, volume):
        sources = volume.get("projected", {}).get("sources", [])
        if "secret" in volume:
            sources = [{"secret": {"name": volume["secret"]["secretName"]}}]
        for source in sources:
            ((kind, given),) = source.items()
            held = (self.sandbox.secrets if kind == "secret" else self.sandbox.configs)[given["name"]]
            items = given.get("items") or [{"key": key, "path": key} for key in held]
            yield from ((item["path"], held[item["key"]]) for item in items)

    def container(self, name):
        """A container's manifest."""
        (found,) = [each for each in t.containers(self.spec) if each["name"] == name]
        return found

    def log(self, name):
        """What a container wrote."""
        return self.folder / f"{name}.log"

    def start(self, name, arguments=None):
        """Starts a container, with its own arguments unless others are given."""
        container = self.container(name)
        root = self.folder / "roots" / name
        if not root.exists():
            image = self.sandbox.image if t.is_gx(container) else self.sandbox.other_images[container["name"]]
            shutil.copytree(image, root, copy_function=os.link)
        shutil.copy(self.sandbox.hosts, root / "etc/hosts")
        script = [f"hostname {self.name}", "set -eu", f"mount --bind {root} {root}"]
        for place in ("proc", "dev"):
            (root / place).mkdir(exist_ok=True)
            script.append(f"mount --bind /{place} {root / place}")
        for each in container.get("volumeMounts", []):
            place = root / each["mountPath"].lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            script.append(f"mount --bind {self.volumes[each['name']]} {place}")
            if each.get("readOnly"):
                script.append(f"mount -o remount,bind,ro {place}")
        script.append(f"mount -o remount,bind,ro {root}")
        command = container.get("command", ["/usr/local/bin/gx"])
        command = [*command, *(container["args"] if arguments is None else arguments)]
        script.append(
            f"exec setpriv --no-new-privs chroot --userspec={UID}:{self.group} --groups={self.group} "
            f"{root} {shlex.join(command)}"
        )
        variables = [f"{key}={value}" for key, value in self.variables(container).items()]
        with self.log(name).open("ab") as log:
            return self.sandbox.start(
                ["unshare", "--mount", "--uts", "--propagation", "private", "env", "-i", *variables,
                 "/bin/sh", "-c", "\n".join(script)],
                at=self.network, stdout=log, stderr=log,
            )

    def stop(self, name, process):
        """Ends a container as the kubelet does: what its preStop waits for, then SIGTERM,
        and the rest of its time of grace. Its status."""
        hook = self.container(name).get("lifecycle", {}).get("preStop", {})
        wait = hook.get("sleep", {}).get("seconds", 0)
        time.sleep(wait)
        process.terminate()
        return process.wait(self.spec["terminationGracePeriodSeconds"] - wait)

    def variables(self, container):
        """The container's environment, and the path that every shell needs."""
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"} | t.variables(
            self.tree, container
        )

    def run(self, name, arguments=None, seconds=120):
        """Runs a container to its end; its status and what it wrote."""
        self.log(name).unlink(missing_ok=True)
        status = self.start(name, arguments).wait(seconds)
        return status, self.log(name).read_text()
