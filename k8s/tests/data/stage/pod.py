"""One pod as the kubelet runs it: containers in process namespaces of their own, which are started again when
they end, and are ready when their probes say so."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time

import tree as t
import volumes

from stage.network import child_of

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
# Before a container that ended is started again; the kubelet takes 10 s.
AGAIN_S = 2
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STORES_PATH = "/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin"


def stores_image(folder):
    """The file tree of the stores' image: the packages of this machine, and the users of its Containerfile."""
    for name in ("usr", "proc", "dev", "tmp", "run", "var/lib/postgresql", "etc"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (folder / name).symlink_to(f"usr/{name}")
    for name in ("ssl", "alternatives"):
        shutil.copytree(f"/etc/{name}", folder / "etc" / name, symlinks=True)
    shutil.copy("/etc/ld.so.cache", folder / "etc")
    (folder / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    (folder / "etc/passwd").write_text("postgres:x:15432:15432::/var/lib/postgresql:\nredis:x:16379:16379::/data:\n")
    (folder / "etc/group").write_text("postgres:x:15432:\nredis:x:16379:\n")
    return folder


class Pod:
    """A pod of a workload under a name of its own, and the thread that keeps it running."""

    def __init__(self, there, workload, name, address):
        self.there, self.name, self.address = there, name, address
        self.spec, self.labels = t.pod_template(workload)["spec"], t.pod_labels(workload)
        self.group = self.spec["securityContext"]["fsGroup"]
        self.folder = there.folder / "pods" / f"{name}-{there.count()}"
        self.volumes = {volume["name"]: self._volume(volume) for volume in self.spec.get("volumes", [])}
        for claim in workload["spec"].get("volumeClaimTemplates", []):
            template = claim["metadata"]["name"]
            self.volumes[template] = self._volume({"persistentVolumeClaim": {"claimName": f"{template}-{name}"}})
        if self.spec["automountServiceAccountToken"]:
            self.volumes[TOKEN] = there.token
        self.network = there.network.add(address)
        self.processes, self.gone, self.ready = {}, threading.Event(), threading.Event()
        there.api("POST", "pods", body={
            "metadata": {"name": name, "labels": self.labels}, "status": {"podIP": address, "ready": False}})
        self.thread = threading.Thread(target=self._keep, daemon=True)
        self.thread.start()

    def _volume(self, volume):
        there, network = self.there, self.there.network
        held = {"secret": network.secrets, "configMap": network.configs}
        return volumes.made(volume, there.folder / "claims", self.folder / "volumes", self.group, held)

    def container(self, name):
        """A container's manifest."""
        return next(each for each in t.containers(self.spec) if each["name"] == name)

    def log(self, name):
        """What a container wrote."""
        return self.folder / f"{name}.log"

    def _variables(self, container):
        """The container's environment, with its image's own path."""
        found = {"PATH": PATH if t.is_gx(container) else STORES_PATH} | t.variables(self.there.tree, container)
        fields = {"metadata.name": self.name, "metadata.namespace": self.there.namespace, "status.podIP": self.address}
        for each in container.get("env", []):
            if "valueFrom" in each:
                found[each["name"]] = fields[each["valueFrom"]["fieldRef"]["fieldPath"]]
        if TOKEN in self.volumes:
            found |= {"KUBERNETES_SERVICE_HOST": self.there.node, "KUBERNETES_SERVICE_PORT": "6443"}
        return [f"{name}={value.replace('$(PATRONI_NAME)', self.name)}" for name, value in found.items()]

    def _root(self, container):
        """The container's own copy of its image's tree."""
        root = self.folder / "roots" / container["name"]
        if not root.exists():
            shutil.copytree(self.there.image(container), root, symlinks=True, copy_function=_link)
            (root / "etc/hosts").write_text(self.there.hosts)
        return root

    def _as_user(self, root, command):
        who = f"--userspec={self.spec['securityContext']['runAsUser']}:{self.group}"
        return ["setpriv", "--no-new-privs", "/usr/sbin/chroot", who, f"--groups={self.group}", root, *command]

    def _mounts(self, container, root):
        """A script that mounts what a container has, and then lets nobody write to its root."""
        script = ["set -eu", f"hostname {self.name}", f"mount --bind {root} {root}"]
        for place in ("dev", *(["usr"] if (root / "bin").is_symlink() else [])):
            (root / place).mkdir(exist_ok=True)
            script.append(f"mount --rbind /{place} {root / place}")
        (root / "proc").mkdir(exist_ok=True)
        script += [f"mount -t proc proc {root / 'proc'}", f"mount -t tmpfs -o size=64m shm {root / 'dev/shm'}"]
        token = [{"name": TOKEN, "mountPath": TOKEN}] if TOKEN in self.volumes else []
        for each in [*container.get("volumeMounts", []), *token]:
            place, volume = root / each["mountPath"].lstrip("/"), self.volumes[each["name"]]
            place.mkdir(parents=True, exist_ok=True)
            if "subPath" in each:
                volume /= each["subPath"]
                volume.mkdir(exist_ok=True)
                volumes.share(volume, self.group)
            # Also where it is inside another volume.
            script += [f"mkdir -p {place}", f"mount --bind {volume} {place}"]
            if each.get("readOnly"):
                script.append(f"mount -o remount,bind,ro {place}")
        return "\n".join([*script, f"mount -o remount,bind,ro {root}", 'exec "$@"'])

    def _start(self, name):
        """Starts a container with its own command, in namespaces of its own."""
        container = self.container(name)
        root = self._root(container)
        command = [*container.get("command", ["/usr/local/bin/gx"]), *container.get("args", [])]
        with self.log(name).open("ab") as log:
            return self.there.network.start_pod(
                ["unshare", "--mount", "--uts", "--pid", "--fork", "--propagation", "private", "env", "-i",
                 *self._variables(container), "/bin/sh", "-c", self._mounts(container, root), "sh",
                 *self._as_user(root, command)],
                at=self.network, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )

    def inside_of(self, name, command):
        """The command line that runs a command in a running container, as `kubectl exec` does."""
        container = self.container(name)
        return ["nsenter", f"--target={first_of(self.processes[name])}", "--mount", "--uts", "--net", "--pid", "env", "-i",
                *self._variables(container), *map(str, self._as_user(self._root(container), command))]

    def _keep(self):
        """What the kubelet does for a pod."""
        staying = [each["name"] for each in self.spec["containers"]]
        for container in self.spec.get("initContainers", []):
            if t.is_sidecar(container):
                staying.append(container["name"])
                self.processes[container["name"]] = self._start(container["name"])
            else:
                while not self.gone.is_set() and self._run(container["name"]) != 0:
                    self.gone.wait(AGAIN_S)
        while not self.gone.is_set():
            for name in staying:
                if name not in self.processes or self.processes[name].poll() is not None:
                    if name in self.processes:
                        self._say(False)
                        os.replace(self.log(name), self.log(f"{name}.previous"))
                        self.gone.wait(AGAIN_S)
                    if not self.gone.is_set():
                        self.processes[name] = self._start(name)
            if not self.ready.is_set() and all(map(self._passes, self.spec["containers"])):
                self._say(True)
            self.gone.wait(0.2)

    def _run(self, name):
        """Runs a container to its end."""
        self.processes[name] = self._start(name)
        return self.processes[name].wait()

    def _say(self, ready):
        self.ready.set() if ready else self.ready.clear()
        self.there.api("PATCH", f"pods/{self.name}", body={"status": {"ready": ready}})

    def _passes(self, container):
        """Whether a container is ready, by its own probe."""
        probe = container.get("readinessProbe")
        if not probe:
            return True
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        asked = probe.get("httpGet", probe.get("tcpSocket"))
        asked = {"host": self.address, "scheme": "http"} | asked | {"port": ports.get(asked["port"], asked["port"])}
        return self.there.api("POST", "/probe", body=asked)

    def kill(self):
        """Ends every container at once, with all that it started; they are started again."""
        for process in list(self.processes.values()):
            send(process, signal.SIGKILL)

    def remove(self, wait_s=0):
        """Ends it for good: with no time of grace, as when its node is lost, or with some."""
        self.gone.set()
        if wait_s:
            end = time.monotonic() + wait_s
            running = list(self.processes.values())
            for process in running:
                send(process, signal.SIGTERM)
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, end - time.monotonic()))
        self.kill()
        self.thread.join()
        # One that was only just started has no first process yet.
        for process in self.processes.values():
            while process.poll() is None:
                send(process, signal.SIGKILL)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        self.there.network.remove(self.network)
        self.there.api("DELETE", f"pods/{self.name}")


class Job(Pod):
    """The pod of a Job, which is done once its containers have ended well."""

    def __init__(self, there, workload, name, address):
        self.done, self.failed = threading.Event(), threading.Event()
        super().__init__(there, workload, name, address)

    def _keep(self):
        again = self.spec["restartPolicy"] == "OnFailure"
        for container in t.containers(self.spec):
            while not self.gone.is_set() and self._run(container["name"]) != 0:
                if not again:
                    return self.failed.set()
                self.gone.wait(AGAIN_S)
        return self.done.set()


def first_of(process):
    """The first process in a container's namespace, with which all others end; behind nsenter and unshare."""
    return child_of(child_of(process.pid))


def send(process, sign):
    """Sends a signal to a container that runs."""
    with contextlib.suppress(OSError, IndexError):
        os.kill(first_of(process), sign)


def _link(source, place):
    os.link(source, place, follow_symlinks=False)
