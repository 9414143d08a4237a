"""Real servers for the tests of the stores and of their watching: PostgreSQL, Redis, exporters, gx.

Loaded as a plugin (`pytest -p servers`). Each server has a free port and a temporary folder,
and is ended by its process id. PostgreSQL does not run as root, so where the tests do,
it runs as `postgres`.
"""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import psycopg
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
LOOPBACK = "127.0.0.1"


def wait_until(true, what, timeout_s=60.0, every_s=0.05):
    """Answers what `true` answers once that counts as true; a fault meanwhile is "not yet".

    `what` is waited for: words, or what gives them at the end.
    """
    end = time.monotonic() + timeout_s
    last = None
    while time.monotonic() < end:
        try:
            if answer := true():
                return answer
        except (OSError, psycopg.Error, subprocess.CalledProcessError, KeyError, IndexError) as error:
            last = error
        time.sleep(every_s)
    raise AssertionError(f"waited {timeout_s} s in vain: {what() if callable(what) else what} (last: {last})")


def free_ports(count):
    """Ports of the loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind((LOOPBACK, 0))
            found.append(one.getsockname()[1])
        return found


def get(url, timeout_s=5.0):
    """The body of a page; an answer of another status than 200 is an OSError."""
    with urllib.request.urlopen(url, timeout=timeout_s) as answer:
        return answer.read().decode()


def get_json(url):
    """The same, read as JSON."""
    return json.loads(get(url))


def as_postgres(command):
    """The command under a user whom PostgreSQL lets run it."""
    if os.geteuid() != 0:
        return [str(part) for part in command]
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return drop + [str(part) for part in command]


def give_to_postgres(*paths):
    """Makes files and folders those of the user under whom PostgreSQL runs."""
    if os.geteuid() == 0:
        who = pwd.getpwnam("postgres")
        for path in paths:
            os.chown(path, who.pw_uid, who.pw_gid)


def run(command, **options):
    """Runs to the end and answers the output; a failure shows what it said."""
    options = {"env": None, "cwd": None, "timeout": 120, **options}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Process:
    """A server that is a process of its own."""

    def __init__(self, command, log, env=None, cwd=None):
        self.log = pathlib.Path(log)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def end(self, sign=signal.SIGTERM, timeout_s=20.0):
        """Ends it and whatever it started."""
        if self.alive():
            self.process.send_signal(sign)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Postgres:
    """One PostgreSQL 15 with the databases that a test makes."""

    def __init__(self, folder, settings=(), hba=()):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        (self.port,) = free_ports(1)
        give_to_postgres(self.folder)
        run(as_postgres([POSTGRES / "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8",
                         "--locale=C.UTF-8", "--no-sync", "--pgdata", self.data]), cwd="/")
        if hba:
            (self.data / "pg_hba.conf").write_text("\n".join(hba) + "\n")
        self.settings = {
            "listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": self.folder,
            "fsync": "off", "shared_buffers": "32MB", "logging_collector": "off",
        } | dict(settings)
        self.process = None

    def start(self):
        given = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        self.process = Process(as_postgres([POSTGRES / "postgres", "-D", self.data, *given]),
                               self.folder / "log", cwd="/")
        wait_until(lambda: self.ask("select true"), f"PostgreSQL answers; see {self.folder}/log")
        return self

    def stop(self):
        if self.process is not None:
            # Nobody needs what is in it.
            self.process.end(signal.SIGQUIT)
            self.process = None

    def address(self, database="postgres", user="postgres"):
        return f"postgres://{user}@{LOOPBACK}:{self.port}/{database}"

    def connect(self, database="postgres", user="postgres"):
        return psycopg.connect(self.address(database, user), autocommit=True, connect_timeout=5)

    def ask(self, question, values=None, database="postgres", user="postgres"):
        """The rows that a statement answers, if any."""
        with self.connect(database, user) as connection:
            cursor = connection.execute(question, values)
            return cursor.fetchall() if cursor.description else []

    def environment(self, database="postgres", user="postgres"):
        """What tells PostgreSQL's own programs where it is."""
        return os.environ | {"PGHOST": LOOPBACK, "PGPORT": str(self.port), "PGUSER": user, "PGDATABASE": database}

    def psql(self, file, database, **variables):
        """Runs a file of SQL as psql does, stopping at the first error."""
        sets = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        return run(["psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", *sets, "-f", file],
                   env=self.environment(database))


def postgres_exporter(port):
    """The command of postgres_exporter with the questions that the manifests give it."""
    return ["prometheus-postgres-exporter", f"--web.listen-address={LOOPBACK}:{port}",
            f"--extend.query-path={K8S / 'data/postgres/queries.yaml'}"]


def gx_binary():
    """The program under test: `GX` names one, else the one that cargo builds."""
    named = os.environ.get("GX")
    if named:
        return pathlib.Path(named)
    run(["cargo", "build", "--quiet", "--package", "gx-server", "--features", "gx-server/simulation"],
        cwd=ROOT, timeout=1800)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "gx"


def settings_alone(settings):
    """The variables of this process with these of gx and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GX_")} | settings


class Gx:
    """A running gx on free ports, with a data directory of its own."""

    def __init__(self, binary, folder, arguments=(), settings=None):
        self.folder = pathlib.Path(folder)
        self.env = settings_alone({"GX_DATA_DIR": str(self.folder)} | (settings or {}))
        self.binary = binary
        # A role that is alone has another name in files than on the command line.
        role = {"submitter": "outbox-submitter", **{name: f"svc-{name}" for name in ("identity", "wallet", "tokenomics")}}.get(arguments[0], arguments[0]) if arguments else None
        self.told = self.folder / (f"{role}.ports.json" if role else "ports.json")
        self.told.unlink(missing_ok=True)
        self.process = Process([binary, "--listen-base", "0", *arguments], self.folder.parent / f"{self.folder.name}-{role or 'gx'}.log",
                               env=self.env)
        self.ports = wait_until(self._ports, f"gx listens; see {self.process.log}")
        wait_until(lambda: get(f"{self.metrics}/readyz"), f"gx is ready; see {self.process.log}")

    def _ports(self):
        assert self.process.alive(), self.process.log.read_text()
        found = json.loads(self.told.read_text())
        return found if "metrics" in json.dumps(found) else None

    @property
    def metrics(self):
        port = self.ports["metrics"]
        return f"http://{LOOPBACK}:{port}"

    def tool(self, *arguments):
        """Runs one of gx's tools with the same settings."""
        return run([self.binary, *arguments], env=self.env)

    def end(self):
        self.process.end()


@pytest.fixture(scope="session")
def gx():
    return gx_binary()


@pytest.fixture(scope="session")
def folder():
    """A folder that PostgreSQL's user may enter, gone at the end."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="gx-k8s-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder):
    """A PostgreSQL that all tests share, each in databases of its own."""
    place = folder / "postgres"
    place.mkdir()
    settings = {"shared_preload_libraries": "pg_stat_statements", "wal_level": "replica"}
    server = Postgres(place, settings).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres, gx):
    """A database `gx` that gx migrated."""
    postgres.ask("create database gx")
    settings = {"GX_DATABASE__URL": postgres.address("gx")}
    run([gx, "migrate"], env=os.environ | settings)
    return "gx"


@pytest.fixture
def processes():
    """A list for what a test starts; all of it is ended after the test, last first."""
    started = []
    yield started
    for one in reversed(started):
        one.end()
