"""The way of k8s/README.md from an empty cluster to a first transfer: each container of GX
and the gateway with mainnet's own arguments, variables and mounts, in that order, on a
network of pods. Then everything is told to stop, as a roll-out would."""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import gx
import runbooks
import sandbox
import stores
import tree as t

NODE = "10.42.0.1"
FABRIC = "fabric.svc.cluster.local"
PEERS = [f"{peer}.{FABRIC}" for peer in ("peer0-org1", "peer1-org1", "peer0-org2", "peer1-org2")]
PODS = {
    "svc-identity": "10.42.0.11", "svc-wallet": "10.42.0.12", "svc-tokenomics": "10.42.0.13",
    "api-gateway": "10.42.0.14", "gx-chaincode": "10.42.0.15", "outbox-submitter": "10.42.0.16",
    "projector": "10.42.0.17", "gx-tools": "10.42.0.18", "migrate": "10.42.0.19",
    "bootstrap": "10.42.0.20", "reconcile": "10.42.0.21",
}
# A second pod of the service that is rolled out under load; its name leads to both.
SECOND = "10.42.0.32"
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: chroot, mounts, networks of their own"),
    pytest.mark.skipif(not stores.POSTGRES.exists() or not shutil.which("redis-sentinel"),
                       reason="needs PostgreSQL 15 and Redis, which `make tools` installs"),
]


class Walk:
    """The cluster, and the pods that run in it."""

    def __init__(self, folder):
        names = {"postgres-primary": NODE, "postgres-replica": NODE, f"ca-org1.{FABRIC}": NODE}
        names |= {f"redis-{number}.redis-headless": NODE for number in range(3)}
        names |= dict.fromkeys(PEERS, NODE) | PODS
        self.box = sandbox.Sandbox(folder, [*names.items(), ("svc-wallet", SECOND)])
        self.folder, self.tree, self.pods = folder, t.objects("mainnet"), {}
        self.box.add_bridge(NODE)

    def pod(self, name, address=None):
        """The pod of a workload at an address; made once."""
        address = address or PODS[name]
        if address not in self.pods:
            kinds = ("Deployment", "Job", "CronJob")
            (workload,) = [each for kind in kinds for each in [t.named(self.tree, kind, name)] if each]
            self.pods[address] = sandbox.Pod(self.box, self.tree, workload, address)
        return self.pods[address]

    def finished(self, name, container, address=None):
        """Runs a container that ends, and demands that it does so well."""
        status, told = self.pod(name, address).run(container)
        assert status == 0, f"{name} {container}: {told}"
        return told

    def serves(self, name, container, address=None):
        """Starts a container that stays, and waits for its probes."""
        pod = self.pod(name, address)
        process, manifest = pod.start(container), pod.container(container)
        ports = {each["name"]: each["containerPort"] for each in manifest["ports"]}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in manifest:
                probe = manifest[kind]["httpGet"]
                url = f"http://{address or PODS[name]}:{ports[probe['port']]}{probe['path']}"
                self.box.until(url, seconds=90, log=pod.log(container))
        return process

    def rest(self, path, body=None, token=None):
        """A call through the gateway; its answer, which must be a success."""
        status, text = self.box.call(f"http://{PODS['api-gateway']}:8080{path}", body, token)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    made = Walk(tmp_path_factory.mktemp("walk"))
    yield made
    made.box.close()


def keys(folder):
    """Step 3 of the README, by its own lines."""
    block = re.search(r"\*\*3\. Keys\*\*.*?```sh\n(.*?)```", (t.ROOT / "k8s/README.md").read_text(), re.S)[1]
    script = re.sub(r"KEYS=\$\(mktemp[^)]*\)", f"KEYS={folder}", block)
    subprocess.run(["bash", "-euc", script], check=True, capture_output=True)
    return {file.name: file.read_text() for file in folder.iterdir()}


def register(walk, contact, given):
    """Registers a person; the session's token."""
    token = walk.rest("/v1/registrations", {"contact": contact})["registrationToken"]
    codes = walk.pod("svc-identity").volumes["state"] / "state/codes.jsonl"
    lines = [json.loads(line) for line in codes.read_text().splitlines()]
    (code,) = [line["code"] for line in lines if line["contact"] == contact]
    walk.rest("/v1/registrations:verifyContact", {"registrationToken": token, "code": code})
    walk.rest("/v1/registrations:complete", {
        "registrationToken": token, "givenNames": given, "familyName": "Example", "birthDate": "1990-01-31",
        "nationality": "KE", "password": f"a password of {given}"})
    return walk.rest("/v1/sessions", {"contact": contact, "password": f"a password of {given}"})["accessToken"]


def verify(walk, token, staff, number):
    """Has a person verified; the account."""
    document = walk.rest("/v1/documents", {"contentType": "image/png", "content": PIXEL}, token)["document"]["name"]
    verification = walk.rest("/v1/verifications", {
        "documentType": "DOCUMENT_TYPE_PASSPORT", "documentCountry": "KE", "documentNumber": number,
        "documents": [document]}, token)["verification"]["name"]
    approved = walk.rest(f"/v1/{verification}:approve", {"requestId": str(uuid.uuid4())}, staff)
    done = walk.rest(f"/v1/{approved['operation']['name']}:wait", token=staff)["operation"]
    assert done["state"] == "OPERATION_STATE_SUCCEEDED", done
    return done["response"]["createAccount"]["account"]


def healthy(walk):
    """How many pods of the wallet's service the gateway holds for healthy."""
    _, text = walk.box.call(f"http://{PODS['api-gateway']}:9090/metrics")
    (found,) = re.findall(r'^envoy_cluster_membership_healthy\{envoy_cluster_name="wallet"\} (\d+)', text, re.M)
    return int(found)


def rolled_out_under_load(walk, running, who):
    """While one pays the other again and again, pods of the wallet's service and of both
    workers are replaced one by one, as the manifests say, and no call fails."""
    running["svc-wallet second"] = walk.serves("svc-wallet", "gx", SECOND)
    # The gateway looks at names and health every five seconds.
    walk.box.wait(lambda: healthy(walk) == 2, told=lambda: f"{healthy(walk)} healthy")
    token, payer, receiver = who
    job = [f"http://{PODS['api-gateway']}:8080", token, payer, receiver]
    load = walk.box.start(
        [sys.executable, Path(__file__).with_name("load.py"), json.dumps(job)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    assert load.stdout.readline() == "paying\n"
    for name, key, address in (("svc-wallet", "svc-wallet", None), ("svc-wallet", "svc-wallet second", SECOND)):
        assert walk.pod(name, address).stop("gx", running[key]) == 0
        running[key] = walk.serves(name, "gx", address)
    for number, name in enumerate(("outbox-submitter", "projector")):
        address = f"10.42.0.{40 + number}"
        walk.finished(name, "enroll-once", address)
        walk.finished(name, "preflight", address)
        started = walk.serves(name, "gx", address)
        assert walk.pod(name).stop("gx", running[name]) == 0
        running[name] = started
    told, _ = load.communicate("", timeout=120)
    counts = json.loads(told)
    assert counts["failed"] == [] and counts["paid"] >= 20, counts


def test_an_empty_cluster_comes_to_a_first_transfer(walk, tmp_path):
    box = walk.box
    postgres = stores.Postgres(box)
    try:
        stores.redis(box, walk.folder / "redis", NODE)
        # Steps 3 to 6.
        box.secrets["gx-keys"] = keys(tmp_path)
        stores.Fabric(box, walk.folder / "fabric", [*PEERS, f"ca-org1.{FABRIC}"])
        ca, key = stores.authority(walk.folder / "chaincode")
        host = "gx-chaincode.backend-mainnet.svc.cluster.local"
        stores.issue(walk.folder / "chaincode/tls.crt", walk.folder / "chaincode/tls.key", [host], ca, key)
        read = {name: (walk.folder / "chaincode" / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt")}
        box.secrets["gx-chaincode-tls"] = read
        status, package = gx.run(
            ["chaincode", "package", "--label", "gx_1.0", "--address", f"{host}:9999", "--tls-root", str(ca),
             "--out", str(tmp_path / "gx.tgz")], {"GX_DATA_DIR": str(tmp_path)})
        assert status == 0, package
        box.configs["gx-chaincode-package"] = {"id": package}

        # Before the schema is there, the projector waits and says why.
        walk.finished("projector", "enroll-once")
        status, told = walk.pod("projector").run("preflight")
        assert status == 1 and "FAILED" in told and "database" in told, told

        # Step 7, in its order.
        assert "migrated" in walk.finished("migrate", "gx")
        assert "up to date" in walk.finished("migrate", "gx")
        postgres.grant()
        running = {"gx-chaincode": walk.serves("gx-chaincode", "gx")}
        for name in ("outbox-submitter", "projector"):
            walk.finished(name, "enroll-once")
            running[f"{name} enroll"] = walk.serves(name, "enroll")
            told = walk.finished(name, "preflight")
            assert re.search(r"ok +redis", told) and "FAILED" not in told, told
            running[name] = walk.serves(name, "gx")
        walk.finished("bootstrap", "gx")
        walk.finished("bootstrap", "gx")
        for name in ("svc-identity", "svc-wallet", "svc-tokenomics"):
            running[name] = walk.serves(name, "gx")
        walk.finished("api-gateway", "configuration")
        envoy = next(Path(sys.prefix).glob("lib/python*/site-packages/envoy/_bin/envoy"))
        tree = walk.folder / "envoy"
        subprocess.run([t.ROOT / "k8s/image/tree.sh", envoy, tree], check=True)
        (tree / "usr/local/bin/gx").rename(tree / "usr/local/bin/envoy")
        box.other_images["envoy"] = tree
        running["api-gateway"] = walk.serves("api-gateway", "envoy")

        # Steps 8 and 9.
        password = (walk.folder / "claims/bootstrap/initial-password").read_text().strip()
        staff = walk.rest("/v1/sessions", {"contact": "root", "password": password})["accessToken"]
        first, second = register(walk, "first@example.org", "First"), register(walk, "second@example.org", "Second")
        payer, receiver = verify(walk, first, staff, "PASSPORT 1"), verify(walk, second, staff, "PASSPORT 2")
        quote = walk.rest(f"/v1/wallets/{payer}:quoteTransfer",
                          {"receiver": receiver, "amountQirat": "100000000"}, first)
        sent = walk.rest(f"/v1/wallets/{payer}/transfers", {
            "receiver": receiver, "amountQirat": "100000000", "maxFeeQirat": quote["feeQirat"],
            "requestId": str(uuid.uuid4())}, first)
        done = walk.rest(f"/v1/{sent['operation']['name']}:wait", token=first)["operation"]
        assert done["state"] == "OPERATION_STATE_SUCCEEDED", done
        block = done["metadata"]["block"]
        wallet = walk.rest(f"/v1/wallets/{receiver}?minBlock={block}", token=second)["wallet"]
        assert wallet["balanceQirat"] == "600000000"

        # Keeping it: the tools' pod, and the books.
        running["gx-tools"] = walk.serves("gx-tools", "gx")
        for arguments in runbooks.tools():
            # Nothing was restored.
            if arguments != ("restored",):
                status, told = walk.pod("gx-tools").run("gx", list(arguments))
                assert status == 0, f"{arguments}: {told}"
        walk.finished("reconcile", "enroll-once")
        walk.finished("reconcile", "gx")

        # Two proxies are believed: the services see the client, not the gateway.
        audit = postgres.sql("select distinct client from audit_log where client <> ''", "gx_protocol")
        assert audit.split() == ["198.51.100.7"], audit

        rolled_out_under_load(walk, running, (first, payer, receiver))

        # Everything ends within its time of grace. Envoy has no drain of its own.
        for name in reversed(list(running)):
            running[name].terminate()
            assert running[name].wait(30) == 0, name
    finally:
        box.close()
        postgres.close()
