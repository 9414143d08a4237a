"""The way of k8s/README.md from an empty cluster to a first transfer: each container of GX
and the gateway with mainnet's own arguments, variables and mounts, in that order, on a
network of pods. Then everything is rolled out under load, and ends."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import cluster
import gx
import ingress
import people
import rollout
import runbooks
import stores
import tree as t
from pod import Pod

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: chroot, mounts, networks of their own"),
    pytest.mark.skipif(not stores.POSTGRES.exists() or not all(map(shutil.which, ("redis-sentinel", "nginx", "dnsmasq"))),
                       reason="needs PostgreSQL 15, Redis, NGINX and dnsmasq, which `make k8s-cluster` installs"),
]


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    made = cluster.Cluster(tmp_path_factory.mktemp("walk"))
    yield made
    made.close()


def block(of):
    """The commands of k8s/README.md that follow some words."""
    return re.search(rf"{re.escape(of)}.*?```sh\n(.*?)```", (t.ROOT / "k8s/README.md").read_text(), re.S)[1]


def bash(script, folder):
    """Runs commands of the README, in a folder; what they say."""
    path = f"{gx.PROGRAM.resolve().parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", script], cwd=folder, env={"PATH": path, "NAMESPACE": "backend-mainnet"},
                          check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def keys(folder):
    """Step 3 of the README, by its own lines."""
    bash(re.sub(r"KEYS=\$\(mktemp[^)]*\)", f"KEYS={folder}", block("**3. Keys**")), folder)
    return {file.name: file.read_text() for file in folder.iterdir()}


def chaincode(walk, folder):
    """The contract's package, by step 6's own lines, and the certificates of its server."""
    ca, key = stores.authority(folder)
    host = "gx-chaincode.backend-mainnet.svc.cluster.local"
    stores.issue(folder / "tls.crt", folder / "tls.key", [host], ca, key)
    stores.issue(folder / "peer.crt", folder / "peer.key", ["peer"], ca, key)
    walk.box.secrets["gx-chaincode-tls"] = {
        name: (folder / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt")}
    ca.rename(folder / "chaincode-ca.crt")
    functions = block("Package, install on all four peers").partition("\npackage 1.0\n")[0]
    package = bash(f"{functions}\npackage 1.0", folder)
    assert package == (folder / "package-id").read_text() and (folder / "gx.tgz").stat().st_size > 0
    walk.box.configs["gx-chaincode-package"] = {"id": package}


def looked_at(told):
    """What preflight must have looked at, from names to lanes."""
    wanted = [f"{peer}:7051 {part}" for peer in cluster.PEERS for part in ("name", "port", "TLS", "channel")]
    wanted += ["identity partner", "chaincode gx", "rules", "batched operations", "clock", "database", "lanes", "redis"]
    assert [each for each in wanted if not re.search(rf"ok +{each} ", told)] == [], told
    assert "endorsement for partner" in told and "FAILED" not in told, told


def sizes(walk, person):
    """Of a document that is too large the gateway says so itself, as long as NGINX lets it."""
    status, text = people.document(walk, person, 9_000_000)
    assert status == 413 and "MESSAGE_TOO_LARGE" in text, (status, text)
    status, text = people.document(walk, person, 10_000_000)
    assert status == 413 and "nginx" in text, (status, text)


def tools(walk):
    """What runbooks ask of `gx`, and the nightly look at the books."""
    (pod,) = walk.deploy("gx-tools")
    for arguments in runbooks.tools():
        # Nothing was restored.
        if arguments != ("restored",):
            status, told = pod.run("gx", list(arguments))
            assert status == 0, f"{arguments}: {told}"
    walk.pod("reconcile").begin()


def waits_for_the_schema(walk):
    """Before it is there, nobody goes on, and everybody says why."""
    early = walk.pod("projector")
    early.finish("enroll-once")
    status, told = early.run("preflight")
    assert status == 1 and "FAILED" in told and "database" in told, told
    status, told = walk.pod("svc-wallet").run("gx")
    assert status == 1 and "its schema is older than this program" in told, told


def comes_up(walk, postgres):
    """Step 7, in its order; what was done is found done."""
    assert "migrated" in walk.pod("migrate").finish("gx")
    assert "up to date" in walk.pod("migrate").finish("gx")
    postgres.grant()
    walk.deploy("gx-chaincode")
    for name in ("outbox-submitter", "projector"):
        (worker,) = walk.deploy(name)
        looked_at(worker.log("preflight").read_text())
    walk.pod("bootstrap").begin()
    walk.pod("bootstrap").begin()
    for name, replicas in (("svc-identity", 2), ("svc-wallet", 2), ("svc-tokenomics", 1), ("api-gateway", 2)):
        walk.deploy(name, replicas)


def first_transfer(walk):
    """Steps 8 and 9, from outside; who paid and who was paid."""
    status, told = walk.ingress.call("/v1/supply", url=f"http://{walk.ingress.host}")
    assert status == 200, f"NGINX leads to TLS: {told}"
    password = (walk.folder / "claims/bootstrap/initial-password").read_text().strip()
    staff = walk.call("/v1/sessions", {"contact": "root", "password": password})["accessToken"]
    first, second = (
        people.verify(walk, people.register(walk, f"{name.lower()}@example.org", name), staff, f"PASSPORT {number}")
        for number, name in enumerate(("First", "Second")))
    people.transfer(walk, first, second)
    return first, second


def widened(postgres):
    """The schema of a version to come: more columns in each table, which nothing of this version knows."""
    tables = postgres.sql("select tablename from pg_tables where schemaname = 'public'", "gx_protocol").split()
    assert len(tables) > 20
    for table in tables:
        postgres.sql(f"alter table {table} add column later text, add column counted bigint not null default 0", "gx_protocol")
    postgres.sql("insert into seaql_migrations values ('m9999_later', 0)", "gx_protocol")


def upgraded(walk, postgres, first, second):
    """An upgrade under load: the schema first, on which the pods before it serve until they are
    replaced. With the program of the version before it, that one is upgraded, and rolled back."""
    node = rollout.typescript(walk.folder / "typescript")
    if not gx.BEFORE:
        rollout.under_load(walk, node, first, second, lambda: widened(postgres), lambda: rollout.everything(walk))
        return
    before, walk.box.image = walk.box.image, walk.box.image_of(gx.PROGRAM)
    rollout.under_load(walk, node, first, second, lambda: walk.pod("migrate").finish("gx"), lambda: rollout.everything(walk))
    walk.pod("reconcile").begin()
    walk.box.image = before
    rollout.under_load(walk, node, first, second, lambda: rollout.everything(walk))


def ends(walk):
    """What was not rolled out ends within its time of grace as well."""
    rest = (each for name, pods in walk.deployed.items() if name not in rollout.DEPLOYMENTS for each in pods)
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(Pod.end, rest))


def test_an_empty_cluster_comes_to_a_first_transfer_and_through_a_roll_out(walk, tmp_path):
    postgres = stores.Postgres(walk.box)
    try:
        stores.redis(walk.box, walk.folder / "redis", cluster.NODE)
        walk.box.secrets["gx-keys"] = keys(tmp_path)
        stores.Fabric(walk.box, walk.folder / "fabric", [*cluster.PEERS, f"ca-org1.{cluster.FABRIC}"])
        chaincode(walk, walk.folder / "chaincode")
        waits_for_the_schema(walk)
        comes_up(walk, postgres)
        first, second = first_transfer(walk)
        sizes(walk, first)
        tools(walk)
        upgraded(walk, postgres, first, second)
        walk.pod("reconcile").begin()
        # Two proxies are believed: the services see the client, neither gateway nor ingress.
        audit = postgres.sql("select distinct client from audit_log where client <> ''", "gx_protocol")
        assert audit.split() == [ingress.CLIENT], audit
        ends(walk)
    finally:
        walk.close()
        postgres.close()
