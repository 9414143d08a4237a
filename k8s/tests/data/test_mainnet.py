"""Mainnet's own pods, under a load of payments, lose their stores' primaries, and runbooks are walked on them."""

import os
import time

import pytest

from stage.environment import PODS, Environment, Failed
from stage.people import People
from stage.runbook import shell, walk

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, networks and processes of their own")
STREAMING = "select count(*), count(*) filter (where sync_state = 'sync') from pg_stat_replication " \
    "where application_name like 'postgres-%'"


@pytest.fixture(scope="module")
def mainnet():
    with Environment.running("mainnet") as made:
        yield made


@pytest.fixture(scope="module")
def people(mainnet):
    return People(mainnet)


def whole(there):
    """Waits until two standbys stream, one of them synchronously, and Patroni has written down which; the primary."""
    found = []

    def holds():
        found[:] = [there.leader()]
        who = there.api("GET", "configmaps/postgres-sync")["metadata"]["annotations"]
        return there.sql(STREAMING, pod=found[0]) == "2 1" and who["leader"] == found[0] and who["sync_standby"]

    there.wait(holds, "two standbys stream, one synchronously")
    return found[0]


def test_scenario_1_a_pod_fails(mainnet, people):
    """The primary's container and a worker end at once, while people pay; nothing that was accepted is lost, and the
    runbook sees why they ended, and that all is well again."""
    leader = whole(mainnet)
    with people.paying() as load:
        load.goes_on()
        for name in (leader, "projector"):
            mainnet.pods[name].kill()
        for name in (leader, "projector"):
            mainnet.wait(lambda name=name: not mainnet.pods[name].ready.is_set(), f"{name} has ended")
        mainnet.ready(leader, "projector")
        load.goes_on()
    print(f"no command was accepted for {load.longest_pause():.1f} s as the primary crashed; {load}")
    people.settled()
    whole(mainnet)
    other = next(f"postgres-{number}" for number in range(3) if leader != f"postgres-{number}")
    told = walk(mainnet, 1, pod=leader, container="postgres", another_postgres=other)
    assert f"I am ({leader}), the leader" in told and "chain and read model agree" in told
    assert told.count("| Leader ") == 1 and told.count("Sync Standby") == 1 and told.count("| Replica ") == 1, told


def test_scenario_2_a_node_fails(mainnet, people):
    """The primary's node is lost while people pay, and comes back; then a standby's, for good, with the backups."""
    first = whole(mainnet)
    with people.paying() as load:
        load.goes_on()
        lost = time.monotonic()
        mainnet.pods.pop(first).remove()
        mainnet.wait(lambda: mainnet.leader(first), "another one leads")
        load.goes_on()
    print(f"no command was accepted for {load.longest_pause(lost):.1f} s as the primary was lost; {load}")
    people.settled()
    mainnet.replace(first)
    leader = whole(mainnet)
    lost = [first, f"redis-{first[-1]}", "postgres-backup-0"]
    for name in lost:
        mainnet.pods.pop(name).remove()
    walk(mainnet, 2, node="node-1", postgres=first, redis=lost[1], another_postgres=leader)
    whole(mainnet)
    mainnet.ready()
    people.settled()


def redis(there, name, user, *command, container="redis", port=6379):
    """What Redis, or with its port the Sentinel, of a pod answers to a user."""
    asked = f'REDISCLI_AUTH=$(< /etc/redis-passwords/{user}) redis-cli --tls --cacert /etc/redis-ca/ca.crt ' \
        f'-p {port} --user {user} "$@"'
    return there.inside_of(name, container, ["bash", "-c", asked, "-", *command]).strip()


def redis_primary(there):
    """The pod that all Sentinels hold for the primary; None while they differ."""
    asked = ("sentinel", "get-master-addr-by-name", "gx")
    said = {redis(there, name, "sentinel", *asked, container="sentinel", port=26379).split(".")[0]
            for name in there.pods if name.startswith("redis-")}
    return said.pop() if len(said) == 1 else None


def agreed(there):
    """The same, once they agree."""
    found = []
    there.wait(lambda: found.append(redis_primary(there)) or found[-1], "the Sentinels agree")
    return found[-1]


def connected(there, name):
    """Whether a process of GX has Redis."""
    return "gx_redis_connected 1" in there.fetch(f"http://{PODS[name]}:9090/metrics")[1]


def test_a_lost_redis_is_replaced_while_calls_go_on(mainnet, people):
    first = agreed(mainnet)
    with people.paying() as load:
        load.goes_on()
        lost = time.monotonic()
        mainnet.pods.pop(first).remove()
        mainnet.wait(lambda: redis_primary(mainnet) not in (None, first), "the Sentinels have another primary")
        taken = time.monotonic() - lost
        load.goes_on()
    assert load.told["again"] == {}
    print(f"another primary of Redis {taken:.1f} s after the loss; payments paused for {load.longest_pause():.1f} s at most")
    mainnet.wait(lambda: all(connected(mainnet, name) for name in ("svc-wallet", "projector")), "gx is connected again")
    people.settled()
    mainnet.replace(first)
    mainnet.ready(first)
    # Nobody was refused what belongs to its work.
    for name in ("redis-0", "redis-1", "redis-2"):
        assert "errorstat_NOPERM" not in redis(mainnet, name, "sentinel", "info", "errorstats")


def test_redis_is_restored_where_its_aof_is_on(mainnet, people):
    """What the copy has is there again in all of them, in place of what came later; and it stays."""
    servers = [f"redis-{number}" for number in range(3)]

    def all_have(value):
        return lambda: all(redis(mainnet, name, "gx", "get", "gx:restored") == value for name in servers)

    redis(mainnet, agreed(mainnet), "gx", "set", "gx:restored", "copied")
    mainnet.wait(all_have("copied"), "all have it")
    shell(mainnet, "kubectl -n $NAMESPACE create job redis --from=cronjob/redis-backup && "
                   "kubectl -n $NAMESPACE wait --for=condition=complete --timeout=5m job/redis")
    copy = mainnet.inside_of("postgres-backup-0", "archive", ["bash", "-c", "ls /backup/redis | grep Z$"]).strip()
    redis(mainnet, agreed(mainnet), "gx", "set", "gx:restored", "later")
    mainnet.wait(all_have("later"), "all have that")
    walk(mainnet, "k8s/data/README.md", copy=copy)
    mainnet.ready(*servers)
    mainnet.wait(all_have("copied"), "all have the copy")
    # Without the copy, from the AOF that it became.
    mainnet.pods["redis-0"].kill()
    mainnet.wait(lambda: not mainnet.pods["redis-0"].ready.is_set(), "it has ended")
    mainnet.ready("redis-0")
    mainnet.wait(all_have("copied"), "all have it still")


def test_stores_take_nobody_without_tls_and_give_no_more_than_is_needed(mainnet):
    asked = ["psql", "host=postgres-primary user=gx_backup dbname=gx_protocol sslmode=disable", "-c", "select 1"]
    with pytest.raises(Failed, match="no encryption"):
        mainnet.inside_of("postgres-backup-0", "archive", asked)
    primary = agreed(mainnet)
    assert "NOPERM" in redis(mainnet, primary, "gx", "set", "other:key", "1")
    assert "NOPERM" in redis(mainnet, primary, "gx", "flushall")
    plain = mainnet.inside_of(primary, "redis", ["redis-cli", "--tls", "--cacert", "/etc/redis-ca/ca.crt", "ping"])
    assert "NOAUTH" in plain


def test_scenario_3_the_database_is_damaged(mainnet, people):
    """To a moment before the damage, of what came after which only the chain knows; then from the newest dump. The
    backups are those that scenario 2 made."""
    whole(mainnet)
    with people.paying() as load:
        load.goes_on()
    people.settled()
    moment = mainnet.sql("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    with people.paying() as load:
        load.goes_on()
    people.settled()
    mainnet.sql("update wallets set balance_qirat = balance_qirat + 1; delete from sessions")
    with pytest.raises(Failed, match="differ"):
        mainnet.gx("reconcile")
    for taken in ((1, 2, 3, 4, 5), (1, 2, 6)):
        walk(mainnet, 3, steps=taken, moment=moment)
        walk(mainnet, 3, steps=range(7, 14), leader=whole(mainnet))
        mainnet.ready()
        assert not mainnet.suspended
        people.settled()
        people.log_in()
        with people.paying() as load:
            load.goes_on()
        people.settled()
