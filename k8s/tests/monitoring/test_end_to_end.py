"""A real Prometheus and Alertmanager, as configured, watch a running gx into which faults are put."""

import contextlib
import re

import names
import promql_parser
import pytest
from kube import NAMESPACE
from real_faults import GROUPS, lines_that_are_refused
from servers import get, wait_until
from system import System
from test_rules import alerts
from watching import Receivers, Watching

RULES_OF_GX = names.MONITORING / "prometheus/rules/gx.yml"
# What the test does not run is missed rightly: backups, standbys, the archive.
MISSED = {"BackupAbsent", "PostgreSQLReplicaMissing", "PostgreSQLNotSynchronous", "WalArchiveDisconnected"}
# It is seen a minute after its fault, so that is put in before all others.
LOST_LINES = "AuditLinesDropped"


@pytest.fixture(scope="module")
def system(folder, postgres, gx):
    made = System(gx, folder, postgres)
    yield made
    made.end()


@pytest.fixture(scope="module")
def receivers():
    made = Receivers()
    yield made
    made.end()


@pytest.fixture(scope="module")
def prometheus(folder, system, receivers):
    made = Watching(folder / "monitoring", system.scraped, system.jobs.address, receivers)
    yield made
    made.end()


@pytest.fixture(scope="module")
def used(system, prometheus):
    """A system that has done all that it is there for, and that is about to lose a line of its audit log."""
    assert system.jobs.run()[0]
    system.tool("demo")
    system.staff.first("gx.ledger.v1.LedgerService/StreamBlocks")
    system.staff.call("gx.tokenomics.v1.TokenomicsService/GetSupply")
    with system.caller("identity") as nobody:
        while nobody.code("gx.identity.v1.IdentityService/StartRegistration") != "RESOURCE_EXHAUSTED":
            pass
    system.peer.ask(system.certificate)
    with lines_that_are_refused(system):
        yield system


def quiet(prometheus):
    return prometheus.firing() - {LOST_LINES} <= MISSED


def test_each_pod_is_read_once_under_its_name(system, prometheus):
    def up():
        found = prometheus.ask('up{job="backend"}')
        return found if len(found) == len(system.scraped) and all(value == 1 for _, value in found) else None

    found = wait_until(up, "all are read")
    assert sorted((one["namespace"], one["pod"], one["app"]) for one, _ in found) == sorted(
        (NAMESPACE, pod, pod.rsplit("-", 1)[0]) for pod, _ in system.scraped)


def test_the_heartbeat_arrives(prometheus, receivers):
    wait_until(lambda: any(path == "heartbeat" for path, _ in receivers.told), "the watchdog is told")


def test_a_healthy_system_fires_nothing(prometheus, used):
    wait_until(lambda: prometheus.ask("gx:supply_qirat:sum > 1.2e18"), "the supply is seen")
    # All but these are missed until they were read once.
    wait_until(lambda: quiet(prometheus), "nothing fires")


def test_every_rule_of_gx_has_a_fault():
    assert set(alerts([RULES_OF_GX])) == set.union({LOST_LINES}, *(found for _, found, _ in GROUPS.values())) - {"TargetDown"}


@pytest.mark.parametrize("group", GROUPS)
def test_faults_wake_somebody_until_they_are_cured(group, prometheus, receivers, used):
    faults, expected, follow = GROUPS[group]
    severity = {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    wait_until(lambda: quiet(prometheus), f"nothing fires before: {group}")
    before = len(receivers.told)

    def unheard(fires):
        return {name for name in expected if not receivers.heard(name, severity[name], fires, before)}

    with contextlib.ExitStack() as broken:
        for fault in faults:
            broken.enter_context(fault(used))
        wait_until(lambda: expected <= prometheus.firing(), lambda: f"not firing: {expected - prometheus.firing()}")
        wait_until(lambda: not unheard(fires=True), lambda: f"nobody was told of {unheard(fires=True)}")
        assert prometheus.firing() - MISSED - {LOST_LINES} <= expected | follow
        assert not any(receivers.heard(name, severity[name], True, before) for name in follow)
    wait_until(lambda: quiet(prometheus), lambda: f"still firing: {prometheus.firing() - MISSED}")
    wait_until(lambda: not unheard(fires=False), lambda: f"nobody was told of the end of {unheard(fires=False)}")


def test_lines_of_the_audit_log_that_are_lost_are_told_of(receivers, used):
    for fires in (True, False):
        wait_until(lambda: receivers.heard(LOST_LINES, "warning", fires), f"Slack is told of lost lines: {fires}", 120)


@pytest.fixture(scope="module")
def exposed(used):
    """What all processes of gx expose after all that: one text."""
    return "\n".join(get(f"http://{address}/metrics") for (pod, _), address in used.scraped.items() if pod != "postgres-0")


def test_every_metric_that_is_listed_is_exposed_and_no_other(exposed):
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:{(.*)})? ", exposed, re.MULTILINE):
        found.setdefault(name, set()).update(set(re.findall(r'(\w+)="', labels)) - {"le"})
    assert found == names.gx()


def test_a_metric_that_is_exposed_no_more_is_missed(exposed):
    of_gx = set(names.gx())
    others = set(names.used()) - of_gx
    for name in of_gx & set(names.used()):
        rest = re.sub(rf"^{name}\b.*$", "", exposed, flags=re.MULTILINE)
        assert set(names.unknown(others | names.shown(rest))) == {name}


def test_every_panel_shows_what_there_is(prometheus, used):
    there = set(prometheus.names())
    assert set(names.gx()) <= there
    for place, text in names.panels():
        found = prometheus.ask_ever(text.replace("$namespace", NAMESPACE))
        asked = {one.name for one in names.selectors(promql_parser.parse(text))}
        assert found or not asked <= there, place
