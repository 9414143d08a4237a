"""Walks a runbook: its own commands, in their order, by a shell whose kubectl is the environment's."""

import os
import re
import subprocess
import textwrap

import tree as t

RUNBOOKS = t.ROOT / "k8s/data/backup/runbooks"


def blocks(name):
    """The commands of a runbook, by its number or path; each block with the number of its step."""
    file = next(RUNBOOKS.glob(f"{name}-*.md")) if isinstance(name, int) else t.ROOT / name
    step = 0
    for number, block in re.findall(r"^(\d+)\. |^ *```sh\n(.*?)^ *```$", file.read_text(), re.MULTILINE | re.DOTALL):
        if number:
            step = int(number)
        else:
            yield step, textwrap.dedent(block)


def walk(there, name, steps=None, **filled):
    """Does what some steps say, or all, with what the reader is to fill in; what was told."""
    told = []
    for step, block in blocks(name):
        if steps and step not in steps:
            continue
        for blank, value in filled.items():
            block = block.replace(f"<{blank.replace('_', ' ')}>", str(value))
        left = re.findall(r"<[a-z][a-z ]*>", block)
        assert not left, f"runbook {name}, step {step}: {left}"
        told.append(shell(there, block))
    assert told, (name, steps)
    return "\n".join(told)


def environment(there):
    """What an operator's shell knows."""
    return os.environ | {"PATH": f"{there.kubectl}:{os.environ['PATH']}", "E": there.name, "NAMESPACE": t.backend(there.name)}


def shell(there, script):
    """Runs commands to their end."""
    done = subprocess.run(["bash", "-euxo", "pipefail", "-c", script], cwd=t.ROOT, env=environment(there), text=True,
                          capture_output=True, check=False, timeout=600)
    recovered = there.folder / "claims/postgres-backup/recovered/log"
    log = recovered.read_text()[-3000:] if recovered.exists() else ""
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}\n{log}"
    return done.stdout + done.stderr
