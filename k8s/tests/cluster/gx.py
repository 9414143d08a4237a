"""Runs `gx` as a container would: with the manifest's variables and files, and nothing
else of this machine."""

import os
import re
import subprocess
from pathlib import Path

import tree as t

PROGRAM = Path(os.environ.get("GX", t.ROOT / "target/debug/gx"))
# That of the version before, which is upgraded to the other and rolled back, where it is given.
BEFORE = os.environ.get("GX_BEFORE")


def mount(folder, pod, container, content=None):
    """Makes a container's volumes below a folder. `content` gives what a file holds by
    its path in the container; others hold their own path."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for each in container.get("volumeMounts", []):
        place = folder / each["mountPath"].lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        for source in volumes[each["name"]].get("projected", {}).get("sources", []):
            (given,) = source.values()
            for item in given["items"]:
                file = place / item["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                inside = f"{each['mountPath']}/{item['path']}"
                file.write_text((content or {}).get(inside, inside))


def variables(folder, tree, container):
    """A container's variables, its paths led into the folder."""
    bases = [each["mountPath"] for each in container.get("volumeMounts", [])]

    def led(value):
        for base in bases:
            value = re.sub(rf"(^|=){re.escape(base)}(?=/|$)", rf"\g<1>{folder}{base}", value)
        return value

    return {name: led(value) for name, value in t.variables(tree, container).items()}


def run(arguments, environment, timeout=30):
    """What `gx` says; exit status and everything it wrote."""
    done = subprocess.run(
        [PROGRAM, *arguments], env=environment, capture_output=True, text=True,
        check=False, timeout=timeout,
    )
    return done.returncode, done.stdout + done.stderr


def gx_containers(tree):
    """All containers of GX, with what a test is called."""
    for workload, pod in t.workloads(tree):
        for container in filter(t.is_gx, t.containers(pod)):
            yield workload, pod, container
