"""Each user of the database may do what its process does, and nothing else."""

import os
import pathlib
import secrets

import psycopg
import pytest
import yaml
from servers import K8S, Gx, run

DATA = K8S / "data/postgres"
GOLDEN = pathlib.Path(__file__).with_name("grants.golden")
USERS = ["gx_migrate", "gx_identity", "gx_wallet", "gx_tokenomics", "gx_submitter", "gx_projector", "gx_bootstrap",
         "gx_operator", "gx_reconcile", "gx_backup", "gx_monitor"]
DATABASE = "gx_protocol"


@pytest.fixture(scope="module")
def owned(postgres, gx, tmp_path_factory):
    """The database as the manifests make it: users, schema, rights. Users log in without passwords."""
    place = tmp_path_factory.mktemp("secrets")
    for user in USERS:
        (place / user).write_text(secrets.token_urlsafe(24) + "/=")
    environment = postgres.environment() | {"SECRETS": str(place)}
    for _ in range(2):
        run(["bash", DATA / "users.sh"], env=environment)
    run([gx, "migrate"], env=os.environ | {"GX_DATABASE__URL": postgres.address(DATABASE, "gx_migrate")})
    for _ in range(2):
        run(["psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", DATA / "grants.sql"],
            env=postgres.environment(DATABASE, "gx_migrate"))
    return postgres


def tables(postgres):
    found = postgres.ask("select tablename from pg_tables where schemaname = 'public' order by 1", database=DATABASE)
    return [name for (name,) in found]


def matrix(postgres):
    """Each table with what each user may do with it: whole rights, or those on columns."""
    lines = []
    connection = postgres.connect(DATABASE)
    for table in tables(postgres):
        lines.append(f"{table}\n")
        for user in USERS[1:]:
            rights = []
            for right in ("select", "insert", "update", "delete", "truncate"):
                whole = "select has_table_privilege(%s, %s, %s)"
                ((may,),) = connection.execute(whole, (user, table, right)).fetchall()
                columns = [] if may or right in ("delete", "truncate") else connection.execute(
                    "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped "
                    "and has_column_privilege(%s, attrelid, attnum, %s) order by 1",
                    (table, user, right)).fetchall()
                if may:
                    rights.append(right)
                elif columns:
                    rights.append(f"{right} ({', '.join(name for (name,) in columns)})")
            lines.append(f"  {user.removeprefix('gx_'):<11}{', '.join(rights) or '-'}\n")
    connection.close()
    return "".join(lines)


def test_the_rights_are_those_of_the_golden_file(owned):
    """Written anew with GOLDEN=write."""
    found = matrix(owned)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_a_table_without_a_line_is_refused(owned):
    owned.ask("create table forgotten (id int)", database=DATABASE, user="gx_migrate")
    try:
        with pytest.raises(AssertionError, match="no rights are given on forgotten"):
            run(["psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", DATA / "grants.sql"],
                env=owned.environment(DATABASE, "gx_migrate"))
    finally:
        owned.ask("drop table forgotten", database=DATABASE, user="gx_migrate")


@pytest.mark.parametrize(("user", "statement"), [
    ("gx_wallet", "update wallets set balance_qirat = 1"),
    ("gx_wallet", "insert into control (id, partner_lanes, partitions) values (1, 16, 2)"),
    ("gx_identity", "insert into lanes select * from lanes"),
    ("gx_tokenomics", "insert into projector_state select * from projector_state"),
    ("gx_wallet", "insert into entries select * from entries"),
    ("gx_wallet", "update supply set total_qirat = 0"),
    ("gx_wallet", "select * from documents"),
    ("gx_wallet", "update sessions set revoked_ms = null"),
    ("gx_tokenomics", "update countries set people = 0"),
    ("gx_tokenomics", "update users set roles = 'ROLE_SUPER_ADMIN'"),
    ("gx_identity", "update wallets set status = 1"),
    ("gx_identity", "update operations set state = 3"),
    ("gx_identity", "delete from audit_log"),
    ("gx_projector", "insert into sessions select * from sessions"),
    ("gx_projector", "update sessions set revoked_ms = null"),
    ("gx_projector", "update users set password_hash = ''"),
    ("gx_submitter", "update wallets set balance_qirat = 1"),
    ("gx_submitter", "delete from entries"),
    ("gx_backup", "update wallets set balance_qirat = 1"),
    ("gx_monitor", "select body from outbox"),
    ("gx_reconcile", "update wallets set balance_qirat = 1"),
    ("gx_bootstrap", "update users set roles = ''"),
    ("gx_wallet", "create table mine (id int)"),
])
def test_what_is_not_theirs_is_refused(user, statement, owned):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owned.ask(statement, database=DATABASE, user=user)


def test_nobody_moves_the_control_row(owned):
    owned.ask("insert into control (id, partner_lanes, partitions) values (1, 16, 2) on conflict do nothing",
              database=DATABASE, user="gx_projector")
    with pytest.raises(psycopg.errors.CheckViolation):
        owned.ask("update control set id = 2", database=DATABASE, user="gx_wallet")
    # The first start makes it, with lanes and partitions: none of it shall be found here.
    owned.ask("delete from control", database=DATABASE)


def test_every_process_does_its_work_with_its_own_rights(owned, folder, gx):
    """People register, pay, are audited and reconciled; nobody is refused by PostgreSQL."""
    place = folder / "own-rights"
    place.mkdir()
    before = len((owned.folder / "log").read_text())
    parts = []

    def settings(user):
        return {"GX_DATABASE__URL": owned.address(DATABASE, user), "GX_DATABASE__MIGRATE": "false"}

    def tool(user, *arguments):
        return run([gx, *arguments], env=os.environ | {"GX_DATA_DIR": str(place)} | settings(user))

    try:
        parts.append(Gx(gx, place, ["devnet"]))
        for role in ("projector", "submitter"):
            parts.append(Gx(gx, place, [role], settings(f"gx_{role}")))
        tool("gx_bootstrap", "bootstrap")
        for role in ("identity", "wallet", "tokenomics"):
            parts.append(Gx(gx, place, [role], settings(f"gx_{role}")))
        tool("gx_operator", "demo")
        tool("gx_reconcile", "reconcile")
        tool("gx_operator", "projector", "rebuild")
        tool("gx_operator", "partitions", "set", "3")
        tool("gx_operator", "audit", "verify")
        tool("gx_operator", "outbox", "list")
        tool("gx_operator", "restored")
        tool("gx_operator", "users", "unlock", "root")
    finally:
        for part in reversed(parts):
            part.end()
        said = (owned.folder / "log").read_text()[before:]
        refused = sorted({line for line in said.splitlines() if "permission denied" in line})
        assert refused == [], said[-6000:]


def test_the_exporter_may_ask_its_questions(owned):
    questions = yaml.safe_load((DATA / "queries.yaml").read_text())
    for name, question in questions.items():
        assert owned.ask(question["query"], database=DATABASE, user="gx_monitor"), name


def test_the_backup_may_read_everything_and_stream(owned, tmp_path):
    environment = owned.environment(DATABASE, "gx_backup")
    run(["pg_dump", "--format=custom", "--schema=public", "--file", tmp_path / "dump"], env=environment)
    counted = run(["bash", K8S / "data/backup/rows.sh", DATABASE], env=environment)
    assert [line.split()[0] for line in counted.splitlines()] == tables(owned)
    run(["pg_receivewal", "--create-slot", "--slot=rights"], env=environment)
    run(["pg_receivewal", "--drop-slot", "--slot=rights"], env=environment)
