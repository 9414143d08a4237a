"""The scripts of the jobs, run against a real PostgreSQL and Redis: what they keep can be restored,
and what is damaged is found and told.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from servers import (
    K8S, LOOPBACK, POSTGRES, Gx, Postgres, Process, as_postgres, free_ports, give_to_postgres, run, wait_until)

SCRIPTS = K8S / "data/backup"
DATABASE = "backed_up"
sys.path.insert(0, str(K8S / "tests/monitoring"))


class Backups:
    """The volume of the backups, and the scripts that work on it."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        folder.mkdir()
        give_to_postgres(folder)
        # Where PostgreSQL's user can read them.
        self.scripts = folder.parent / f"{folder.name}-scripts"
        shutil.copytree(SCRIPTS, self.scripts)

    def environment(self, **settings):
        return self.server.environment(DATABASE) | {
            "BACKUP": str(self.folder), "DATABASE": DATABASE, "TMPDIR": str(self.folder), **settings}

    def script(self, name, *arguments, ok=True, **settings):
        done = subprocess.run(as_postgres(["bash", self.scripts / f"{name}.sh", *arguments]), capture_output=True,
                              text=True, check=False, cwd="/", env=self.environment(**settings), timeout=120)
        assert (done.returncode == 0) == ok, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def names(self, kind):
        return sorted(file.stem for file in (self.folder / kind).glob("*.sha256"))

    def figure(self, name, kind="dump"):
        """A figure as node_exporter would show it; None where there is none."""
        text = "".join(file.read_text() for file in (self.folder / "metrics").glob("*.prom"))
        found = re.findall(rf'^{name}{{kind="{kind}"}} (\S+)$', text, re.MULTILINE)
        assert len(found) <= 1, found
        return float(found[0]) if found else None


@pytest.fixture(scope="module")
def source(folder, gx):
    """A PostgreSQL with a database that gx filled, and the devnet that knows the same."""
    place = folder / "source"
    place.mkdir()
    server = Postgres(place, {"wal_level": "replica", "wal_sender_timeout": "5s"}).start()
    server.ask(f"create database {DATABASE}")
    home = folder / "source-gx"
    home.mkdir()
    running = Gx(gx, home, (), {"GX_DATABASE__URL": server.address(DATABASE)})
    running.tool("demo")
    running.end()
    yield server, running
    server.stop()


@pytest.fixture
def backups(source, tmp_path_factory, folder):
    server, _ = source
    made = Backups(folder / f"backup-{len(list(folder.iterdir()))}", server)
    yield made


def rows(server, database):
    """Every row of every table."""
    tables = server.ask("select tablename from pg_tables where schemaname = 'public' order by 1", database=database)
    return {table: sorted(map(repr, server.ask(f'select * from "{table}"', database=database))) for (table,) in tables}


def test_a_dump_is_restored_row_for_row_and_gx_starts_on_it(source, backups, gx, folder):
    server, running = source
    backups.script("dump")
    (name,) = backups.names("dump")
    assert backups.figure("gx_backup_refused") == 0
    assert backups.figure("gx_backup_size_bytes") == (backups.folder / "dump" / name).stat().st_size
    assert "verified" in backups.script("verify")
    assert backups.figure("gx_backup_differences") == 0
    assert backups.figure("gx_backup_verified_timestamp_seconds") > 0

    # As server/OPERATIONS.md restores it.
    server.ask("create database restored")
    run(["pg_restore", "--exit-on-error", "--single-transaction", "--clean", "--if-exists", "--dbname", "restored",
         backups.folder / "dump" / name], env=server.environment("restored"))
    assert rows(server, "restored") == rows(server, DATABASE)
    settings = {"GX_DATABASE__URL": server.address("restored")}
    environment = running.env | settings
    assert "catching up" in run([gx, "restored"], env=environment)
    again = Gx(gx, running.folder, (), settings)
    try:
        asked = [gx, "projector", "status"]
        wait_until(lambda: subprocess.run(asked, env=again.env, check=True, capture_output=True), "it has caught up")
        again.tool("reconcile")
    finally:
        again.end()
        server.ask("drop database restored with (force)")


def test_rows_that_change_during_the_dump_do_not_make_it_differ(source, backups):
    server, _ = source
    writer = subprocess.Popen(
        ["psql", "--no-psqlrc", "--quiet", "--dbname", DATABASE], env=server.environment(DATABASE), text=True,
        stdin=subprocess.PIPE)
    writer.stdin.write("update countries set people = people + 1;\n" * 2000)
    writer.stdin.flush()
    backups.script("dump")
    writer.stdin.close()
    writer.wait()
    assert "verified" in backups.script("verify")


def pg_dump_that(folder, does):
    """A folder with a pg_dump that damages what the real one wrote."""
    place = folder / "damaging"
    place.mkdir(exist_ok=True)
    file = place / "pg_dump"
    file.write_text(f"""#!/bin/bash
{POSTGRES}/pg_dump "$@" || exit 1
for given in "$@"; do case $given in --file=*) file=${{given#--file=}};; esac; done
{does}
""")
    file.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


@pytest.mark.parametrize("does", [': > "$file"', 'truncate --size=20 "$file"', 'truncate --size=-2000 "$file"',
                                  'rm "$file"; exit 1'], ids=["empty", "20 bytes", "truncated", "failed"])
def test_what_is_no_dump_is_refused_and_told(does, backups):
    backups.script("dump")
    before = backups.names("dump")
    backups.script("dump", ok=False, PATH=pg_dump_that(backups.folder, does))
    assert backups.figure("gx_backup_refused") == 1
    assert backups.names("dump") == before
    assert not list((backups.folder / "dump").glob(".*"))
    assert backups.figure("gx_backup_success_timestamp_seconds") > 0
    backups.script("dump")
    assert backups.figure("gx_backup_refused") == 0


def emptied(file):
    file.write_bytes(b"")


def truncated(file):
    file.write_bytes(file.read_bytes()[:-100])


def altered(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [emptied, truncated, altered, lambda file: file.unlink()],
                         ids=["emptied", "truncated", "altered", "removed"])
def test_what_happens_to_a_kept_dump_is_found_and_told(damage, backups):
    backups.script("dump")
    (name,) = backups.names("dump")
    backups.script("inspect")
    assert backups.figure("gx_backup_damaged_files") == 0
    damage(backups.folder / "dump" / name)
    assert f"damaged: {backups.folder}/dump/{name}" in backups.script("inspect", ok=False)
    assert backups.figure("gx_backup_damaged_files") == 1
    backups.script("verify", ok=False)


def test_rows_that_were_altered_in_a_dump_are_found_by_restoring_it(source, backups):
    """A dump of other rows, whole and with a digest that fits: only the rows tell."""
    server, _ = source
    backups.script("dump")
    (name,) = backups.names("dump")
    file = backups.folder / "dump" / name
    server.ask(f"create database altered template {DATABASE}")
    server.ask("update wallets set balance_qirat = balance_qirat + 1", database="altered")
    run(["pg_dump", "--format=custom", "--schema=public", "--file", file, "altered"], env=server.environment())
    (file.with_name(f"{name}.sha256")).write_text(
        run(["sha256sum", file]).split()[0])
    server.ask("drop database altered")
    assert "wallets" in backups.script("verify", ok=False)
    assert backups.figure("gx_backup_differences") == 1


def test_the_newest_thirty_are_kept(backups):
    backups.script("dump")
    (name,) = backups.names("dump")
    for number in range(31):
        for ending in ("", ".sha256", ".rows"):
            shutil.copy(backups.folder / "dump" / f"{name}{ending}",
                        backups.folder / "dump" / f"20200101T0000{number:02}.000Z{ending}")
            give_to_postgres(backups.folder / "dump" / f"20200101T0000{number:02}.000Z{ending}")
    backups.script("dump", KEEP="30")
    left = backups.names("dump")
    assert len(left) == 30 and left[0] == "20200101T000003.000Z" and name in left


def test_a_base_backup_and_the_archive_lead_to_a_point_in_time(source, backups, folder):
    server, _ = source
    archive = Process(as_postgres(["bash", backups.scripts / "archive.sh"]), folder / "archive.log", cwd="/",
                      env=backups.environment(AGAIN_S="1"))
    try:
        connected = "select active from pg_replication_slots where slot_name = 'wal_archive'"
        wait_until(lambda: server.ask(connected) == [(True,)], f"the archive streams; see {archive.log}")
        backups.script("base")
        server.ask("create table moments (at text)", database=DATABASE)
        server.ask("insert into moments values ('before')", database=DATABASE)
        ((target,),) = server.ask("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        server.ask("insert into moments values ('after')", database=DATABASE)
        flushed = "select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), flush_lsn) from pg_stat_replication"
        wait_until(lambda: server.ask(flushed) == [(0,)], "everything is in the archive")
    finally:
        archive.end()
    early = backups.script("recover", backups.folder / "early", "2020-01-01T00:00:00Z", ok=False)
    assert "no base backup ended before" in early
    for number, (when, expected) in enumerate({target: ["before"], "latest": ["before", "after"]}.items()):
        place = backups.folder / f"recovered-{number}"
        place.mkdir()
        give_to_postgres(place)
        backups.script("recover", place / "data", when)
        with recovered(place) as found:
            wait_until(lambda: found.ask("select pg_is_in_recovery()") == [(False,)], "it has recovered")
            assert [at for (at,) in found.ask("select at from moments", database=DATABASE)] == expected
    server.ask("drop table moments", database=DATABASE)


@contextlib.contextmanager
def recovered(place):
    """A PostgreSQL on a data directory that is there."""
    server = Postgres.__new__(Postgres)
    server.folder, server.data, (server.port,) = place, place / "data", free_ports(1)
    server.settings = {"listen_addresses": LOOPBACK, "port": server.port, "unix_socket_directories": place, "fsync": "off"}
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_what_happens_to_a_copy_of_redis_is_found_and_told(backups, folder, processes):
    """How one is restored is shown by the environment's own Redis, in test_mainnet.py."""
    (port,) = free_ports(1)
    (folder / "redis").mkdir()
    processes.append(Process(["redis-server", "--port", port, "--bind", LOOPBACK, "--dir", folder / "redis", "--save", ""],
                             folder / "redis.log"))
    cli = f"redis-cli -p {port}"
    wait_until(lambda: subprocess.run([*cli.split(), "set", "gx:answer", "42"], check=True), "it is set")
    backups.script("redis", REDIS_CLI=cli)
    (name,) = backups.names("redis")
    altered(backups.folder / "redis" / name)
    backups.script("inspect", ok=False)
    assert backups.figure("gx_backup_damaged_files", "redis") == 1
    backups.script("redis", ok=False, REDIS_CLI="true")
    assert backups.figure("gx_backup_refused", "redis") == 1


def test_what_the_scripts_tell_raises_the_alerts(backups, tmp_path):
    """The very lines that the scripts write, as a series to the rules."""
    from test_rules import only

    backups.script("dump")
    backups.script("dump", ok=False, PATH=pg_dump_that(backups.folder, ': > "$file"'))
    (name,) = backups.names("dump")
    altered(backups.folder / "dump" / name)
    backups.script("inspect", ok=False)
    backups.script("verify", ok=False)
    text = "".join(file.read_text() for file in (backups.folder / "metrics").glob("*.prom"))
    for file in (backups.folder / "metrics").iterdir():
        assert file.suffix == ".prom"
        subprocess.run(["promtool", "check", "metrics"], input=file.read_text(), text=True, check=True)
    series = [{"series": line.rsplit(" ", 1)[0].replace("{", '{namespace="backend-mainnet",'), "values": f"{line.rsplit(' ', 1)[1]}x20"}
              for line in text.splitlines() if not line.startswith("#")]
    for alert in ("BackupRefused", "BackupDamaged", "BackupDiffers"):
        test = tmp_path / "test.yml"
        test.write_text(yaml.safe_dump({"rule_files": [str(file) for file in only(tmp_path, alert)], "tests": [{
            "interval": "1m", "input_series": series, "promql_expr_test": [{
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})', "eval_time": "10m",
                "exp_samples": [{"labels": "{}", "value": 1}]}]}]}))
        run(["promtool", "test", "rules", test])
