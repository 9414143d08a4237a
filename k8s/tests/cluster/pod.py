"""Containers without an engine: the image's file tree as a root that cannot be written,
the manifest's volumes mounted as the kubelet would, and an arbitrary uid."""

import itertools
import os
import shlex
import shutil
import subprocess

import tree as t
import volumes

# Neither the image's user nor the manifests': nothing may depend on who it is.
UID = 40123


class Pod:
    """One pod of a workload: its volumes, made once, and its containers."""

    _numbers = itertools.count()

    def __init__(self, sandbox, tree, workload, address=None):
        self.sandbox, self.tree, self.address = sandbox, tree, address
        self.network = sandbox.connected(address) if address else sandbox.network
        self.name = f"{workload['metadata']['name']}-{next(self._numbers)}"
        self.spec = t.pod_template(workload)["spec"]
        self.group = self.spec["securityContext"]["fsGroup"]
        self.folder = sandbox.folder / "pods" / self.name
        self.volumes = {volume["name"]: self._volume(volume) for volume in self.spec.get("volumes", [])}
        self.running = {}

    def _volume(self, volume):
        held = {"secret": self.sandbox.secrets, "configMap": self.sandbox.configs}
        return volumes.made(volume, self.sandbox.folder / "claims", self.folder / "volumes", self.group, held)

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
        root = self._root(container)
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
        # And the path that every shell needs.
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        variables |= t.variables(self.tree, container)
        with self.log(name).open("ab") as log:
            return self.sandbox.start(
                ["unshare", "--mount", "--uts", "--propagation", "private", "env", "-i",
                 *(f"{key}={value}" for key, value in variables.items()), "/bin/sh", "-c", "\n".join(script)],
                at=self.network, stdout=log, stderr=log,
            )

    def _root(self, container):
        root = self.folder / "roots" / container["name"]
        if not root.exists():
            image = self.sandbox.image if t.is_gx(container) else self.sandbox.other_images[container["name"]]
            shutil.copytree(image, root, copy_function=os.link)
            # As the kubelet does.
            (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
            (root / "etc/resolv.conf").write_text(self.sandbox.resolver)
        return root

    def run(self, name, arguments=None, seconds=120):
        """Runs a container to its end; its status and what it wrote."""
        self.log(name).unlink(missing_ok=True)
        status = self.start(name, arguments).wait(seconds)
        return status, self.log(name).read_text()

    def finish(self, name):
        """Runs a container that ends, and demands that it does so well; what it wrote."""
        status, told = self.run(name)
        assert status == 0, f"{self.name} {name}: {told}"
        return told

    def serve(self, name):
        """Starts a container that stays, and waits for its probes."""
        self.running[name] = self.start(name)
        container = self.container(name)
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in container:
                probe = container[kind]["httpGet"]
                url = f"http://{self.address or '127.0.0.1'}:{ports[probe['port']]}{probe['path']}"
                self.sandbox.until(url, self.running[name], seconds=90, log=self.log(name))

    def begin(self):
        """Starts all containers, as the kubelet does: one after another what comes before,
        then what stays, or what a Job is about."""
        for container in t.containers(self.spec):
            (self.serve if "ports" in container else self.finish)(container["name"])
        return self

    def end(self):
        """Ends it as the kubelet does: what preStop waits for, then SIGTERM, within the time
        of grace; then what stays beside. All must end well, and none before it is told."""
        (main,) = self.spec["containers"]
        wait = main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        names = [main["name"], *reversed([name for name in self.running if name != main["name"]])]
        for name in names:
            process = self.running.pop(name)
            try:
                process.wait(wait)
                raise AssertionError(f"{self.name} {name} ended by itself: {self.log(name).read_text()}")
            except subprocess.TimeoutExpired:
                process.terminate()
            status = process.wait(self.spec["terminationGracePeriodSeconds"] - wait)
            assert status == 0, f"{self.name} {name}: {status} {self.log(name).read_text()}"
            wait = 0
