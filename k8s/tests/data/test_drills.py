"""The drills, whole, on testnet's own pods: whoever is asked does what the question says, by the runbook, and answers."""

import os
import re
import subprocess

import pytest
import tree as t

from stage import runbook
from stage.environment import Environment
from stage.people import People

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, networks and processes of their own")


@pytest.fixture(scope="module")
def testnet():
    with Environment.running("testnet") as made:
        yield made


@pytest.fixture(scope="module")
def people(testnet):
    made = People(testnet)
    with made.paying() as load:
        load.goes_on()
    made.settled()
    # As every day; after it people go on paying, which the archive has.
    runbook.shell(testnet, "kubectl -n $NAMESPACE create job base --from=cronjob/postgres-base-backup && "
                           "kubectl -n $NAMESPACE wait --for=condition=complete --timeout=5m job/base")
    with made.paying() as load:
        load.goes_on()
    return made


def drill(there, script, answers, **settings):
    """Runs a drill. Each question must be one that is foreseen; what belongs to it is done before it is answered."""
    asked, said = [], ""
    running = subprocess.Popen(
        ["bash", t.ROOT / f"k8s/data/backup/drills/{script}.sh"], env=runbook.environment(there) | settings, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=there.folder)
    try:
        while sign := running.stdout.read(1):
            said += sign
            if said.endswith("[yes/no] "):
                asked.append(said.splitlines()[-1].removesuffix(" [yes/no] "))
                (does,) = [does for words, does in answers.items() if words in asked[-1]]
                running.stdin.write(f"{does() or 'yes'}\n")
                running.stdin.flush()
        return running.wait(), said, asked
    finally:
        running.kill()
        running.wait()


def pays(people):
    """A person logs in and pays, and everything that was ever accepted is there once."""
    people.log_in()
    with people.paying() as load:
        load.goes_on()
    people.settled()


def rebuilt(there, copy, taken):
    """Scenario 4, steps 2 to 6: from nothing to a running system, by the archive (step 4) or a dump (5)."""
    runbook.walk(there, 4, steps=(2, 3, taken), copy=copy)
    runbook.walk(there, 3, steps=range(7, 14), leader="postgres-0")
    there.ready()


def test_the_monthly_drill_makes_testnet_anew(testnet, people):
    copy = testnet.folder / "elsewhere.tar"
    status, said, asked = drill(testnet, "monthly", {
        "may be taken down": lambda: None,
        "deleted, with all its volumes": testnet.lose,
        "Scenario 4": lambda: rebuilt(testnet, copy, 4),
        "a person log in": lambda: pays(people),
        "BackupAbsent": lambda: None,
        "within eight hours": lambda: None,
    }, COPY=str(copy), LOG=str(testnet.folder / "monthly.log"))
    assert status == 0, said
    log = (testnet.folder / "monthly.log").read_text()
    script = (t.ROOT / "k8s/data/backup/drills/monthly.sh").read_text()
    steps = re.findall(r'^run "(.*?)"', script, re.MULTILINE)
    assert re.findall(r"done: (.*)", log) == steps and len(asked) == script.count("\nconfirm ")
    assert log.count("chain and read model agree") >= 2 and log.count("verified: ") >= 2


def test_the_quarterly_drill_makes_a_cluster_elsewhere(testnet, people):
    copy = testnet.folder / "elsewhere.tar"
    assert copy.exists()
    assert "elsewhere" not in testnet.contexts
    # The cluster in the other region, which has never run anything.
    testnet.lose()
    status, said, _ = drill(testnet, "quarterly", {
        "belong to nobody": lambda: None,
        "Scenario 4": lambda: rebuilt(testnet, copy, 5),
        "documents open": lambda: None,
        "alerts of that cluster": lambda: None,
        "taken down again": testnet.lose,
    }, COPY=str(copy), CONTEXT="elsewhere", LOG=str(testnet.folder / "quarterly.log"))
    assert status == 0, said
    assert "chain and read model agree" in said and "elsewhere" in testnet.contexts


def test_a_drill_ends_where_something_is_not_as_it_must_be(testnet, tmp_path):
    """A no, a question without an answer, a step that fails: the log says which, and nothing follows."""
    log = tmp_path / "log"
    status, _, asked = drill(testnet, "monthly", {"may be taken down": lambda: "no"}, LOG=str(log))
    assert status == 1 and len(asked) == 1 and "FAILED: Is backend-testnet" in log.read_text()
    log.unlink()
    # Where nothing is applied, there is no database to dump.
    testnet.lose()
    status, _, asked = drill(testnet, "monthly", {"may be taken down": lambda: None}, LOG=str(log))
    assert status == 1 and len(asked) == 1 and "FAILED: a dump of now" in log.read_text()
