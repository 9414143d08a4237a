"""Whatever a call passes, replaced pod by pod while people pay: over REST without a second
try, and with both SDKs, which watch a wallet meanwhile."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree as t

LOAD = Path(__file__).with_name("load")
TYPESCRIPT = t.ROOT / "sdk/typescript"
# An example of the SDK for Rust, which `make` builds.
RUST = Path(os.environ.get("PAY_AND_WATCH", t.ROOT / "target/debug/examples/pay_and_watch"))
DEPLOYMENTS = ("api-gateway", "svc-identity", "svc-wallet", "outbox-submitter", "projector")
WATCH = "/gx.wallet.v1.WalletService/WatchWallet"


def typescript(folder):
    """The load of the SDK for TypeScript, which is installed as whoever depends on it does."""
    def npm(where, *given):
        return subprocess.run(["npm", *given], cwd=where, check=True, capture_output=True, text=True).stdout

    folder.mkdir()
    npm(TYPESCRIPT, "run", "build")
    (packed,) = json.loads(npm(TYPESCRIPT, "pack", "--ignore-scripts", "--json", "--pack-destination", folder))
    npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", f"./{packed['filename']}")
    return shutil.copy(LOAD / "typescript.mjs", folder)


class Load:
    """One program that pays until it is told to stop."""

    def __init__(self, cluster, name, command):
        self.name, self.log = name, cluster.folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                cluster.ingress.outside(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        cluster.box.running.append(self.process)

    def begun(self):
        """Waits for its first payment."""
        assert self.process.stdout.readline() == "paying\n", f"{self.name}: {self.log.read_text()}"

    def told(self):
        """Stops it; what it tells."""
        told, _ = self.process.communicate("", timeout=120)
        assert self.process.returncode == 0, f"{self.name}: {told} {self.log.read_text()}"
        return json.loads(told)


def everything(cluster):
    """Rolls everything out at once, as an apply does."""
    with ThreadPoolExecutor(len(DEPLOYMENTS)) as at_once:
        for done in [at_once.submit(cluster.roll_out, name) for name in DEPLOYMENTS]:
            done.result()


def under_load(cluster, node, first, second, *steps):
    """Takes steps while `first` and `second` pay each other, over REST and with both SDKs, of
    which one is at `node`. No call fails, and no watch has a gap or brings anything twice."""
    url, before = cluster.ingress.url, len(cluster.ingress.requests())
    pays = [url, first["contact"], first["password"], second["account"]]
    loads = [
        Load(cluster, "REST", [
            sys.executable, LOAD / "rest.py", json.dumps([url, first["token"], first["account"], second["account"]])]),
        Load(cluster, "TypeScript", ["node", node, json.dumps(["grpc", *pays])]),
        Load(cluster, "browser", ["node", node, json.dumps(["grpc-web", *pays])]),
        Load(cluster, "Rust", [RUST, url, second["contact"], second["password"], first["account"]]),
    ]
    for load in loads:
        load.begun()
    for step in steps:
        step()
    told = {load.name: load.told() for load in loads}
    assert [each for each in told.values() if each["failed"] or each.get("wrong")] == [], told
    assert all(each["paid"] >= 5 for each in told.values()), told
    # Each watch was cut at least once, and opened again.
    requests = cluster.ingress.requests()[before:]
    opened = Counter(each["agent"].partition("/")[0] for each in requests if each["path"] == WATCH)
    assert len(opened) == 3 and min(opened.values()) > 1, opened
    return told
