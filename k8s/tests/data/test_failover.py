"""The tools that keep the stores available, started as in the pods, lose their primaries."""

import os
import secrets
import signal
import subprocess
import time

import psycopg
import pytest
import yaml
from servers import (
    K8S, LOOPBACK, Gx, Process, as_postgres, free_ports, get, give_to_postgres, run, wait_until)

DATA = K8S / "data"
CONFIG = DATA / "postgres/patroni.yml"


def certificates(place):
    """An authority, and a certificate of the loopback under it."""
    place.mkdir()
    def openssl(*arguments):
        run(["openssl", *arguments], cwd=place)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key",
            "-out", "tls.csr", "-subj", "/CN=store")
    (place / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
    openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-out", "tls.crt", "-extfile", "names")
    for file in [place, *place.iterdir()]:
        give_to_postgres(file)
    (place / "tls.key").chmod(0o600)
    return place


def passwords(place, *users):
    place.mkdir()
    for user in users:
        (place / user).write_text(secrets.token_hex(16))
        give_to_postgres(place / user)
    give_to_postgres(place)
    return place


@pytest.fixture
def members(folder, processes):
    """Three members as in the pods; etcd in place of the API of Kubernetes, seconds in place of half minutes."""
    place = folder / "patroni"
    place.mkdir()
    tls, keys = certificates(place / "tls"), passwords(place / "passwords", "superuser", "replication", "rewind")
    client, peer = free_ports(2)
    processes.append(Process(
        ["etcd", "--data-dir", place / "etcd", "--listen-client-urls", f"http://{LOOPBACK}:{client}",
         "--advertise-client-urls", f"http://{LOOPBACK}:{client}", "--listen-peer-urls", f"http://{LOOPBACK}:{peer}",
         "--unsafe-no-fsync"], place / "etcd.log"))
    wait_until(lambda: get(f"http://{LOOPBACK}:{client}/health"), "etcd answers")
    found = {}
    for number in range(3):
        name = f"postgres-{number}"
        home = place / name
        home.mkdir()
        give_to_postgres(home)
        port, rest = free_ports(2)
        text = CONFIG.read_text().replace("/etc/postgres-tls", str(tls)).replace("/etc/postgres-ca", str(tls))
        text = text.replace("/run/postgresql", str(home)).replace("/var/lib/postgresql/data", str(home))
        config = yaml.safe_load(text)
        del config["kubernetes"]
        config |= {"etcd3": {"hosts": [f"{LOOPBACK}:{client}"]}, "name": name}
        config["bootstrap"]["dcs"] |= {"ttl": 10, "loop_wait": 2, "retry_timeout": 3}
        config["bootstrap"]["dcs"]["postgresql"]["parameters"] |= {"wal_keep_size": "64MB", "max_connections": 50}
        config["restapi"] |= {"listen": f"{LOOPBACK}:{rest}", "connect_address": f"{LOOPBACK}:{rest}"}
        config["postgresql"] |= {"listen": f"{LOOPBACK}:{port}", "connect_address": f"{LOOPBACK}:{port}"}
        config["postgresql"]["parameters"] |= {"shared_buffers": "16MB"}
        (home / "patroni.yml").write_text(yaml.safe_dump(config))
        environment = os.environ | {"CONFIG": str(home / "patroni.yml"), "PASSWORDS": str(keys), "HOME": str(home),
                                    "PATH": f"/usr/lib/postgresql/15/bin:{os.environ['PATH']}"}
        process = Process(as_postgres(["bash", DATA / "postgres/start.sh"]), home / "log", env=environment, cwd="/")
        processes.append(process)
        found[name] = (process, rest, port)
    return found, tls, (keys / "superuser").read_text()


def test_a_lost_primary_loses_no_commit(members, folder):
    found, tls, password = members
    ca = tls / "ca.crt"

    def role(name):
        answer = subprocess.run(["curl", "-s", "--cacert", ca, f"https://{LOOPBACK}:{found[name][1]}/patroni"],
                                capture_output=True, text=True, check=True)
        return yaml.safe_load(answer.stdout)

    def leader(but=None):
        names = [name for name in found if name != but and role(name).get("role") in ("master", "primary")
                 and role(name)["state"] == "running"]
        return names[0] if len(names) == 1 else None

    def address(name):
        return f"host={LOOPBACK} port={found[name][2]} user=postgres password={password} dbname=postgres " \
               f"sslmode=verify-full sslrootcert={ca} connect_timeout=2"

    first = wait_until(leader, "there is a primary")

    def ask(name, question, *values):
        with psycopg.connect(address(name), autocommit=True) as connection:
            cursor = connection.execute(question, values or None)
            return cursor.fetchall() if cursor.description else []

    following = "select count(*), count(*) filter (where sync_state = 'sync') from pg_stat_replication"
    wait_until(lambda: ask(first, following) == [(2, 1)], "both standbys stream, one synchronously")
    assert ask(first, "select slot_type from pg_replication_slots where slot_name = 'wal_archive'") == [("physical",)]
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
        psycopg.connect(address(first).replace("verify-full", "disable"))

    ask(first, "create table commits (number int)")
    answered = 0
    try:
        with psycopg.connect(address(first), autocommit=True) as connection:
            for answered in range(1, 10_000):
                connection.execute("insert into commits values (%s)", (answered,))
                if answered == 300:
                    # The whole pod at once; PostgreSQL's processes end with the first of them.
                    postmaster = (folder / "patroni" / first / "pgdata/postmaster.pid").read_text().split()[0]
                    os.killpg(found[first][0].pid, signal.SIGKILL)
                    os.kill(int(postmaster), signal.SIGKILL)
                    lost_at = time.monotonic()
    except psycopg.Error:
        # The one under way was not answered.
        answered -= 1
    second = wait_until(lambda: leader(first), "another one is the primary")
    wait_until(lambda: ask(second, "insert into commits values (0)") == [], "it takes writes")
    print(f"failover: {time.monotonic() - lost_at:.1f} s with a ttl of 10 s")
    kept = {number for (number,) in ask(second, "select number from commits")}
    assert set(range(1, answered + 1)) <= kept
    wait_until(lambda: ask(second, following)[0][1] == 1, "the other standby is synchronous")


@pytest.fixture
def sentinels(folder, processes):
    """Three pods of Redis and Sentinel."""
    place = folder / "redis-pods"
    place.mkdir()
    tls = certificates(place / "tls")
    keys = passwords(place / "passwords", "gx", "replica", "sentinel", "monitor", "backup")
    ports, watching = free_ports(3), free_ports(3)
    found = {}
    for number, (port, sentinel) in enumerate(zip(ports, watching, strict=True)):
        home = place / f"redis-{number}"
        environment = os.environ | {
            "STATE": str(home), "RUN": str(home), "PASSWORDS": str(keys), "TLS": str(tls), "CA": str(tls / "ca.crt"),
            "ME": LOOPBACK, "FIRST": LOOPBACK, "FIRST_PORT": str(ports[0]), "PORT": str(port),
            "SENTINEL_PORT": str(sentinel), "SENTINELS": " ".join(f"{LOOPBACK}:{one}" for one in watching),
            "DOWN_MS": "1000", "FAILOVER_MS": "5000",
        }
        home.mkdir()
        pod = [Process(["bash", DATA / "redis/start.sh", part], home / f"{part}.log", env=environment)
               for part in ("redis", "sentinel")]
        processes.extend(pod)
        found[port] = pod
    return found, watching, tls, keys


def test_a_lost_redis_is_replaced_while_gx_goes_on(sentinels, folder, gx, processes):
    found, watching, tls, keys = sentinels

    def cli(port, user, *command):
        done = subprocess.run(
            ["redis-cli", "--tls", "--cacert", tls / "ca.crt", "-h", LOOPBACK, "-p", str(port), "--user", user, *command],
            capture_output=True, text=True, check=True, env=os.environ | {"REDISCLI_AUTH": (keys / user).read_text()})
        return done.stdout.strip()

    def primary():
        said = {cli(one, "sentinel", "sentinel", "get-master-addr-by-name", "gx").split()[-1] for one in watching}
        return int(said.pop()) if len(said) == 1 else None

    def replicas(port):
        return cli(port, "monitor", "info", "replication").count("state=online")

    first = wait_until(primary, "the Sentinels know the primary")
    wait_until(lambda: replicas(first) == 2, "two replicas follow")
    wait_until(lambda: all("num-other-sentinels\n2" in cli(one, "sentinel", "sentinel", "master", "gx")
                           for one in watching), "the Sentinels know each other")
    wait_until(lambda: all(cli(one, "sentinel", "sentinel", "replicas", "gx").count("master-link-status\nok") == 2
                           for one in watching), "the Sentinels know both replicas")
    # Only what it needs: gx cannot look at others' keys or flush.
    assert "NOPERM" in cli(first, "gx", "set", "other:key", "1") and "NOPERM" in cli(first, "gx", "flushall")
    assert "NOAUTH" in subprocess.run(
        ["redis-cli", "--tls", "--cacert", tls / "ca.crt", "-p", str(first), "ping"], capture_output=True, text=True,
        check=True).stdout

    home = folder / "with-redis"
    home.mkdir()
    running = Gx(gx, home, (), {
        "GX_REDIS__SENTINELS": ",".join(f"{LOOPBACK}:{one}" for one in watching), "GX_REDIS__SENTINEL_NAME": "gx",
        "GX_REDIS__USER": "gx", "GX_REDIS__PASSWORD_FILE": str(keys / "gx"),
        "GX_REDIS__SENTINEL_USER": "gx", "GX_REDIS__SENTINEL_PASSWORD_FILE": str(keys / "gx"),
        "GX_REDIS__TLS": "true", "GX_REDIS__TLS_CA_FILE": str(tls / "ca.crt"),
    })
    processes.append(running)

    def connected():
        return "gx_redis_connected 1" in get(f"{running.metrics}/metrics")

    wait_until(connected, "gx is connected to Redis")
    running.tool("demo")
    for part in found[first]:
        part.end(signal.SIGKILL)
    lost_at = time.monotonic()
    watching.pop(list(found).index(first))
    second = wait_until(lambda: (now := primary()) != first and now, "the Sentinels have another primary")
    wait_until(lambda: "role:master" in cli(second, "monitor", "info", "replication"), "it is the primary")
    print(f"failover: {time.monotonic() - lost_at:.1f} s with down-after of 1 s")
    wait_until(connected, "gx is connected again")
    refused = cli(second, "sentinel", "info", "errorstats")
    assert "errorstat_NOPERM" not in refused, refused
