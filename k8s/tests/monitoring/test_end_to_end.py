"""A real Prometheus and Alertmanager, as configured, watch a running gx into which faults are put.

Changed are addresses, where secrets are, and how long things are waited for: seconds
in place of minutes.
"""

import http.server
import json
import os
import re
import signal
import threading
import urllib.parse

import pytest
import yaml
from names import MONITORING
from servers import LOOPBACK, Gx, Process, free_ports, get, get_json, run, wait_until

NAMESPACE = "backend-mainnet"


class Receivers:
    """PagerDuty, Slack and the heartbeat in one server, which keeps what it is told."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                told.append((self.path.strip("/"), body))
                self.send_response(202)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def paged(self, action, alert):
        """Whether PagerDuty was told so of an alert."""
        return any(
            path == "pagerduty" and body["event_action"] == action
            and alert in json.dumps(body)
            for path, body in list(self.told)
        )


def seconds_for_minutes(text):
    """The same with waits of seconds."""
    text = re.sub(r"(\bfor: \d+)m\b", r"\1s", text)
    return re.sub(r"((?:group_wait|group_interval|repeat_interval|scrape_interval|scrape_timeout|evaluation_interval): )\w+",
                  r"\g<1>1s", text)


@pytest.fixture(scope="module")
def watched(folder, postgres, gx):
    """Roles of gx that meet in PostgreSQL and a devnet: each by its name."""
    postgres.ask("create database watched")
    settings = {"GX_DATABASE__URL": postgres.address("watched")}
    place = folder / "watched"
    place.mkdir()
    parts = {}
    try:
        parts["devnet"] = Gx(gx, place, ["devnet"])
        for role in ("projector", "submitter"):
            parts[role] = Gx(gx, place, [role], settings)
        run([gx, "bootstrap"], env=parts["projector"].env)
        yield parts
    finally:
        for part in reversed(parts.values()):
            part.end()


@pytest.fixture(scope="module")
def receivers():
    made = Receivers()
    yield made
    made.end()


@pytest.fixture(scope="module")
def prometheus(folder, watched, receivers):
    """Prometheus' address; its configuration is that of the manifests but for addresses."""
    place = folder / "monitoring"
    (place / "rules").mkdir(parents=True)
    (place / "secrets").mkdir()
    http_port, alert_port = free_ports(2)

    config = yaml.safe_load(seconds_for_minutes((MONITORING / "prometheus/prometheus.yml").read_text()))
    backend = next(job for job in config["scrape_configs"] if job["job_name"] == "backend")
    del backend["kubernetes_sd_configs"]
    # As the discovery of pods would tell of them.
    backend["static_configs"] = [{
        "targets": [part.metrics.removeprefix("http://")],
        "labels": {
            "__meta_kubernetes_namespace": NAMESPACE, "__meta_kubernetes_pod_name": f"{role}-0",
            "__meta_kubernetes_pod_phase": phase, "__meta_kubernetes_pod_label_app": role,
            "__meta_kubernetes_pod_container_port_name": port,
        },
    } for role, part in watched.items() if role != "devnet"
        for port, phase in (("metrics", "Running"), ("grpc", "Running"), ("metrics", "Succeeded"))]
    config["scrape_configs"] = [backend]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"{LOOPBACK}:{alert_port}"]
    config["rule_files"] = [str(place / "rules/*.yml")]
    (place / "prometheus.yml").write_text(yaml.safe_dump(config))
    for file in (MONITORING / "prometheus/rules").glob("*.yml"):
        (place / "rules" / file.name).write_text(seconds_for_minutes(file.read_text()))
    run(["promtool", "check", "config", place / "prometheus.yml"])

    for secret, value in {"pagerduty-routing-key": "key", "slack-url": f"{receivers.url}/slack",
                          "heartbeat-token": "token"}.items():
        (place / "secrets" / secret).write_text(value)
    text = seconds_for_minutes((MONITORING / "alertmanager/alertmanager.yml").read_text())
    text = text.replace("/etc/alertmanager/secrets", str(place / "secrets"))
    text = text.replace("https://heartbeat.example.org/gx", f"{receivers.url}/heartbeat")
    (place / "alertmanager.yml").write_text(
        f"global: {{pagerduty_url: '{receivers.url}/pagerduty', resolve_timeout: 5s}}\n{text}")

    started = [
        Process(["prometheus-alertmanager", f"--config.file={place / 'alertmanager.yml'}",
                 f"--storage.path={place / 'alertmanager'}", f"--web.listen-address={LOOPBACK}:{alert_port}",
                 "--cluster.listen-address="], place / "alertmanager.log"),
        Process(["prometheus", f"--config.file={place / 'prometheus.yml'}", f"--storage.tsdb.path={place / 'tsdb'}",
                 f"--web.listen-address={LOOPBACK}:{http_port}", "--rules.alert.resend-delay=1s"], place / "prometheus.log"),
    ]
    address = f"http://{LOOPBACK}:{http_port}"
    try:
        wait_until(lambda: get(f"{address}/-/ready"), f"Prometheus is ready; see {place}/prometheus.log")
        yield address
    finally:
        for one in reversed(started):
            one.end()


def ask(prometheus, expression):
    """What an expression gives now: labels and value of each series."""
    answer = get_json(f"{prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")
    return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]


def test_each_pod_is_read_once_under_its_name(prometheus):
    def up():
        found = ask(prometheus, "up")
        return found if len(found) == 2 and all(value == 1 for _, value in found) else None

    assert {(one["namespace"], one["pod"], one["app"]) for one, _ in wait_until(up, "both are read")} == {
        (NAMESPACE, "projector-0", "projector"), (NAMESPACE, "submitter-0", "submitter")}


def test_the_heartbeat_arrives(prometheus, receivers):
    wait_until(lambda: any(path == "heartbeat" for path, _ in receivers.told), "the watchdog is told")


def test_a_healthy_system_fires_nothing(prometheus):
    wait_until(lambda: ask(prometheus, "gx:supply_qirat:sum > 1.2e18"), "the supply is seen")
    firing = 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
    # What the test does not run is missed rightly; all else is missed until it was read once.
    absent = {"BackupAbsent"}
    wait_until(lambda: {one["alertname"] for one, _ in ask(prometheus, firing)} <= absent, "nothing fires")


def lose_the_ledger(watched):
    os.kill(watched["devnet"].process.pid, signal.SIGSTOP)


def find_the_ledger(watched):
    os.kill(watched["devnet"].process.pid, signal.SIGCONT)


FAULTS = {
    "LaneHeld": ("update lanes set held_reason = 'put by a test' where name = 'staff/0'",
                 "update lanes set held_reason = null where name = 'staff/0'"),
    "ProjectorStopped": ("update projector_state set stopped = 'put by a test' where partition = 1",
                         "update projector_state set stopped = null where partition = 1"),
    "SupplyChanged": ("update supply set total_qirat = total_qirat - 5000000 where bucket = 'SYSTEM_GX_POOL'",
                      "update supply set total_qirat = total_qirat + 5000000 where bucket = 'SYSTEM_GX_POOL'"),
    "FabricConnectionLost": (lose_the_ledger, find_the_ledger),
}


@pytest.mark.parametrize("alert", FAULTS)
def test_a_fault_wakes_somebody_until_it_is_cured(alert, prometheus, receivers, watched, postgres):
    break_it, cure = (
        (lambda done=one: done(watched)) if callable(one) else (lambda done=one: postgres.ask(done, database="watched"))
        for one in FAULTS[alert]
    )
    firing = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    assert ask(prometheus, firing) == []
    break_it()
    wait_until(lambda: ask(prometheus, firing), f"{alert} fires")
    wait_until(lambda: receivers.paged("trigger", f"{alert}.md"), f"PagerDuty is told of {alert}")
    cure()
    wait_until(lambda: ask(prometheus, firing) == [], f"{alert} ends")
    wait_until(lambda: receivers.paged("resolve", f"{alert}"), f"PagerDuty is told that {alert} ended")


def test_a_process_that_ends_is_told_in_slack(prometheus, receivers, watched):
    watched["submitter"].end()
    wait_until(lambda: any(path == "slack" and "TargetDown" in json.dumps(body) for path, body in list(receivers.told)),
               "Slack is told of the submitter")
