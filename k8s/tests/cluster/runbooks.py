"""The commands that runbooks and drills give."""

import re

import tree as t

FOLDERS = ("monitoring/runbooks", "data/backup/runbooks", "data/backup/drills")
TOOLS = "deploy/gx-tools -- /usr/local/bin/gx "


def texts():
    """Every runbook and drill, with its name."""
    for folder in FOLDERS:
        for file in sorted((t.ROOT / "k8s" / folder).iterdir()):
            yield file.name, file.read_text()


def commands():
    """Every `kubectl` of an environment's namespace: where it stands, and its words after that."""
    for name, text in texts():
        for found in re.findall(r"kubectl -n \"?\$NAMESPACE\"? ([^`\n|#]+)", text):
            yield name, found.strip().split()


def tools():
    """What is asked of `gx`, where no number or name has to be filled in."""
    asked = (re.sub(r" *(#|`|\||;).*", "", line) for _, text in texts() for line in re.findall(rf"{TOOLS}(.+)", text))
    return sorted({tuple(each.strip(" :\"").split()) for each in asked if "<" not in each})
