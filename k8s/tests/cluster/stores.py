"""What GX meets on its cluster, from packages and by the names that manifests use:
PostgreSQL and Redis with Sentinel, all over TLS, and a Fabric network in one process."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import gx
import tree as t

POSTGRES = Path("/usr/lib/postgresql/15/bin")
# What makes the users and gives them their rights in the cluster.
SCRIPTS = t.ROOT / "k8s/data/postgres"
USERS = ("identity", "wallet", "tokenomics", "submitter", "projector", "bootstrap", "migrate", "operator", "reconcile",
         "backup", "monitor")


def openssl(*arguments):
    """Runs openssl quietly."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder):
    """Makes an authority: `ca.crt` and `ca.key`."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365",
            "-subj", "/CN=authority", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    return folder / "ca.crt", folder / "ca.key"


def issue(certificate, key, names, ca, ca_key):
    """A server's certificate for some names."""
    request = certificate.with_suffix(".csr")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
    extensions = certificate.with_suffix(".ext")
    listed = [f"IP:{name}" if name[0].isdigit() or ":" in name else f"DNS:{name}" for name in names]
    extensions.write_text(f"subjectAltName={','.join(listed)}\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-days", "365", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
            "-extfile", extensions, "-out", certificate)


class Postgres:
    """One server for the primary and the replica, with the users that manifests name."""

    def __init__(self, box):
        self.box = box
        # Below /tmp itself: the server's user cannot come through the folders of tests.
        self.folder = Path(tempfile.mkdtemp(prefix="gx-walk-"))
        self.folder.chmod(0o755)
        ca, key = authority(self.folder / "tls")
        issue(self.folder / "tls/server.crt", self.folder / "tls/server.key",
              ["postgres-primary", "postgres-replica"], ca, key)
        box.configs["postgres-ca"] = {"ca.crt": ca.read_text()}
        subprocess.run(["chown", "-R", "postgres:postgres", self.folder], check=True)
        data = self.folder / "data"
        self._as_postgres([POSTGRES / "initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", data])
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n")
        settings = {
            "listen_addresses": "*", "unix_socket_directories": self.folder, "fsync": "off", "ssl": "on",
            "ssl_cert_file": self.folder / "tls/server.crt", "ssl_key_file": self.folder / "tls/server.key",
        }
        command = [POSTGRES / "postgres", "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            server = box.start(self._setpriv(command), stdout=log, stderr=log)
        box.wait(self._ready, server, told=self.log.read_text)
        self._users()

    def _setpriv(self, command):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, command)]

    def _as_postgres(self, command):
        done = subprocess.run(self._setpriv(command), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _ready(self):
        asked = subprocess.run([POSTGRES / "pg_isready", "-h", self.folder], capture_output=True, check=False)
        return asked.returncode == 0

    def sql(self, text, database="postgres"):
        """Runs SQL as the superuser; what it answers."""
        done = subprocess.run(
            self._setpriv([POSTGRES / "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                           "-d", database]),
            input=text, capture_output=True, text=True, check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _users(self):
        folder = self.folder / "passwords"
        folder.mkdir()
        for user in USERS:
            # Signs that would break a URL.
            password = secrets.token_urlsafe(12) + "/=?#"
            (folder / f"gx_{user}").write_text(password)
            self.box.secrets[f"postgres-{user}"] = {"password": password}
        shutil.copytree(SCRIPTS, self.folder / "scripts")
        self._as_postgres(["env", f"SECRETS={folder}", f"PGHOST={self.folder}", f"PATH={POSTGRES}:{os.environ['PATH']}",
                           "bash", self.folder / "scripts/users.sh"])

    def grant(self):
        """Gives the users their rights, once the schema is there."""
        self._as_postgres([POSTGRES / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                           "-U", "gx_migrate", "-d", "gx_protocol", "-f", self.folder / "scripts/grants.sql"])

    def close(self):
        """Removes what it wrote."""
        shutil.rmtree(self.folder, ignore_errors=True)


def redis(box, folder, address):
    """A primary and one Sentinel, started as the stores' pods start theirs: with the users
    and rights that the cluster gives."""
    ca, key = authority(folder)
    issue(folder / "tls.crt", folder / "tls.key", [f"redis-{number}.redis-headless" for number in range(3)] + [address], ca, key)
    box.configs["redis-ca"] = {"ca.crt": ca.read_text()}
    passwords = folder / "passwords"
    passwords.mkdir()
    for user in ("gx", "replica", "sentinel", "monitor", "backup"):
        password = secrets.token_hex(16)
        (passwords / user).write_text(password)
        box.secrets[f"redis-{user}"] = {"password": password}
    for role in ("redis", "sentinel"):
        place = folder / role
        place.mkdir()
        environment = os.environ | {
            "STATE": str(place), "RUN": str(place), "PASSWORDS": str(passwords), "TLS": str(folder), "CA": str(ca),
            "ME": address, "FIRST": address, "SENTINELS": f"{address}:26379", "QUORUM": "1",
        }
        with (folder / f"{role}.log").open("wb") as log:
            box.start(["bash", t.ROOT / "k8s/data/redis/start.sh", role], env=environment, stdout=log, stderr=log)


class Fabric:
    """The development network, with the identities and the names of the manifests."""

    def __init__(self, box, folder, names):
        self.box, self.folder = box, folder
        self.log = folder.with_suffix(".log")
        # Once, to make its certificates and identities; then with those of the manifests.
        first = self._start()
        first.terminate()
        assert first.wait(30) == 0
        devnet = folder / "devnet"
        registry = json.loads((devnet / "registry.json").read_text())
        box.secrets["gx-enroll"] = {each["id"]: each["secret"] for each in registry["ca-org1"]}
        for each in registry["ca-org1"]:
            each["id"] = "gx-" + each["id"].replace("_", "-")
        (devnet / "registry.json").write_text(json.dumps(registry))
        issue(devnet / "tls/server/cert.pem", devnet / "tls/server/key.pem",
              ["localhost", "127.0.0.1", "::1", socket.gethostname(), *names], devnet / "tls/ca/cert.pem", devnet / "tls/ca/key.pem")
        tls = (devnet / "tls/ca/cert.pem").read_text()
        root = (devnet / "organizations/org1/ca/cert.pem").read_text()
        box.configs["fabric-trust"] = {"peers-tls.pem": tls, "ca-tls.pem": tls, "ca-root.pem": root}
        self._start()

    def _start(self):
        environment = {"GX_DATA_DIR": str(self.folder), "GX_LISTEN__HOST": "0.0.0.0", "PATH": os.environ["PATH"]}
        with self.log.open("ab") as log:
            process = self.box.start([gx.PROGRAM, "devnet"], env=environment, stdout=log, stderr=log)
        self.box.until("http://127.0.0.1:9090/healthz", process, log=self.log)
        return process
