"""What exporters show, asked of real ones."""

import os

import names
import pytest
from servers import K8S, LOOPBACK, ROOT, Process, free_ports, get, postgres_exporter, run, wait_until

BACKUP = K8S / "data/backup"


@pytest.fixture(scope="session")
def exporters(folder, postgres, migrated):
    """The names that the exporters of PostgreSQL and Redis show, as the manifests start them."""
    postgres.ask("create extension if not exists pg_stat_statements", database=migrated)
    pg_port, redis, redis_port = free_ports(3)
    started = [
        Process(postgres_exporter(pg_port), folder / "postgres-exporter.log",
                env=os.environ | {"DATA_SOURCE_NAME": postgres.address(migrated) + "?sslmode=disable"}),
        Process(["redis-server", "--port", redis, "--bind", LOOPBACK, "--save", "", "--dir", folder],
                folder / "redis.log"),
        Process(["prometheus-redis-exporter", "-web.listen-address", f"{LOOPBACK}:{redis_port}",
                 "-redis.addr", f"redis://{LOOPBACK}:{redis}"], folder / "redis-exporter.log"),
    ]

    def page(port, sign):
        text = get(f"http://{LOOPBACK}:{port}/metrics")
        return text if sign in text else None

    try:
        of_postgres = wait_until(lambda: page(pg_port, "pg_up 1"), "postgres_exporter tells of PostgreSQL")
        of_redis = wait_until(lambda: page(redis_port, "redis_up 1"), "redis_exporter tells of Redis")
        assert "pg_exporter_last_scrape_error 0" in of_postgres
        yield names.shown(of_postgres) | names.shown(of_redis)
    finally:
        for one in started:
            one.end()


@pytest.fixture(scope="session")
def backups():
    """The names that the backup's scripts write, as the file says that is the only one to write them."""
    return names.shown(run(["bash", BACKUP / "metrics.sh", "names"], cwd=ROOT))


@pytest.fixture(scope="session")
def known(exporters, backups):
    """Every name that rules and dashboards may use."""
    return set(names.gx()) | exporters | backups | names.documented()
