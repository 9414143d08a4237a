"""Who is told of which alert, as Alertmanager itself decides."""

import pytest
from names import MONITORING
from servers import run
from test_rules import alerts

CONFIG = MONITORING / "alertmanager/alertmanager.yml"


def receiver(**labels):
    given = [f"{name}={value}" for name, value in labels.items()]
    return run(["amtool", "config", "routes", "test", f"--config.file={CONFIG}", *given]).strip()


def test_the_configuration_is_valid():
    run(["amtool", "check-config", CONFIG])


@pytest.mark.parametrize(("severity", "namespace", "told"), [
    ("critical", "backend-mainnet", "pagerduty"),
    ("critical", "monitoring", "pagerduty"),
    ("critical", "backend-testnet", "slack"),
    ("critical", "backend-devnet", "slack"),
    ("warning", "backend-mainnet", "slack"),
    ("warning", "backend-testnet", "slack"),
])
def test_who_is_told(severity, namespace, told):
    assert receiver(alertname="Any", severity=severity, namespace=namespace) == told


def test_the_watchdog_goes_to_whoever_waits_for_it():
    assert receiver(alertname="Watchdog", severity="none") == "heartbeat"


def test_the_documents_alerts_are_told_as_it_says():
    severity = {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    critical = ["PodCrashLoop", "PostgreSQLUnavailable", "ProjectorLagHigh", "FabricConnectionLost"]
    warning = ["HighCpuUsage", "HighMemoryUsage", "DiskSpaceLow", "ApiErrorRateHigh"]
    assert {severity[name] for name in critical} == {"critical"}
    assert {severity[name] for name in warning} == {"warning"}
