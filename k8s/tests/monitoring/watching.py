"""A real Prometheus and Alertmanager, as configured, and those whom they tell.

Changed are addresses, where secrets are, and how long things are waited for: a minute is a
second, and an hour ten.
"""

import http.server
import json
import re
import threading
import time
import urllib.parse

import yaml
from kube import NAMESPACE
from names import MONITORING
from servers import LOOPBACK, Process, free_ports, get, get_json, run, wait_until


class Receivers:
    """PagerDuty, Slack and the heartbeat in one server, which keeps what it is told."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                told.append((self.path.strip("/"), json.loads(body)))
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

    def heard(self, alert, severity, fires, since=0):
        """Whether who is told of alerts of a severity was told that one fires, or that it ended."""
        if severity == "critical":
            action = "trigger" if fires else "resolve"
            return any(path == "pagerduty" and body["event_action"] == action and f"/{alert}.md" in json.dumps(body)
                       for path, body in self.told[since:])
        title = f"{'FIRING' if fires else 'RESOLVED'} {alert} "
        return any(path == "slack" and title in json.dumps(body) for path, body in self.told[since:])


def faster(text):
    """The same configuration or rules, with shorter waits."""
    text = re.sub(r"((?:\bfor: |\[)\d+)m\b", r"\1s", text)
    text = text.replace("[1h]", "[10s]")
    return re.sub(r"((?:group_wait|group_interval|repeat_interval|scrape_interval|scrape_timeout|evaluation_interval): )\w+",
                  r"\g<1>1s", text)


def as_discovered(scraped):
    """The targets as the discovery of pods would tell of them, with such as must be left out."""
    return [{
        "targets": [address],
        "labels": {
            "__meta_kubernetes_namespace": NAMESPACE, "__meta_kubernetes_pod_name": pod,
            "__meta_kubernetes_pod_phase": phase, "__meta_kubernetes_pod_label_app": pod.rsplit("-", 1)[0],
            "__meta_kubernetes_pod_container_port_name": port,
        },
    } for (pod, container), address in scraped.items()
        for port, phase in ((f"{container}metrics", "Running"), ("grpc", "Running"), ("metrics", "Succeeded"))]


class Watching:
    """Prometheus and Alertmanager over a system."""

    def __init__(self, place, scraped, kube, receivers):
        (place / "rules").mkdir(parents=True)
        (place / "secrets").mkdir()
        self.place, self.receivers, self.started, self.begun = place, receivers, [], time.time()
        http_port, alert_port = free_ports(2)
        self.address = f"http://{LOOPBACK}:{http_port}"
        self._prometheus(scraped, kube, f"{LOOPBACK}:{alert_port}")
        self._alertmanager()
        try:
            self.started = [
                Process(["prometheus-alertmanager", f"--config.file={place / 'alertmanager.yml'}",
                         f"--storage.path={place / 'alertmanager'}", f"--web.listen-address={LOOPBACK}:{alert_port}",
                         "--cluster.listen-address="], place / "alertmanager.log"),
                Process(["prometheus", f"--config.file={place / 'prometheus.yml'}",
                         f"--storage.tsdb.path={place / 'tsdb'}", f"--web.listen-address={LOOPBACK}:{http_port}",
                         "--rules.alert.resend-delay=1s"], place / "prometheus.log"),
            ]
            wait_until(lambda: get(f"{self.address}/-/ready"), f"Prometheus is ready; see {place}/prometheus.log")
        except BaseException:
            self.end()
            raise

    def end(self):
        for one in reversed(self.started):
            one.end()

    def _prometheus(self, scraped, kube, alertmanager):
        config = yaml.safe_load(faster((MONITORING / "prometheus/prometheus.yml").read_text()))
        jobs = {job["job_name"]: job for job in config["scrape_configs"]}
        del jobs["backend"]["kubernetes_sd_configs"]
        jobs["backend"]["static_configs"] = as_discovered(scraped)
        jobs["kube-state-metrics"]["static_configs"][0]["targets"] = [kube]
        config["scrape_configs"] = [jobs["backend"], jobs["kube-state-metrics"]]
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
        config["rule_files"] = [str(self.place / "rules/*.yml")]
        (self.place / "prometheus.yml").write_text(yaml.safe_dump(config))
        for file in (MONITORING / "prometheus/rules").glob("*.yml"):
            (self.place / "rules" / file.name).write_text(faster(file.read_text()))
        run(["promtool", "check", "config", self.place / "prometheus.yml"])

    def _alertmanager(self):
        secrets = {"pagerduty-routing-key": "key", "slack-url": f"{self.receivers.url}/slack", "heartbeat-token": "token"}
        for secret, value in secrets.items():
            (self.place / "secrets" / secret).write_text(value)
        text = faster((MONITORING / "alertmanager/alertmanager.yml").read_text())
        text = text.replace("/etc/alertmanager/secrets", str(self.place / "secrets"))
        text = text.replace("https://heartbeat.example.org/gx", f"{self.receivers.url}/heartbeat")
        (self.place / "alertmanager.yml").write_text(
            f"global: {{pagerduty_url: '{self.receivers.url}/pagerduty', resolve_timeout: 5s}}\n{text}")

    def ask(self, expression):
        """What an expression gives now: labels and value of each series."""
        answer = get_json(f"{self.address}/api/v1/query?query={urllib.parse.quote(expression)}")
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def ask_ever(self, expression):
        """What an expression gave at any second since the beginning: labels of each series."""
        query = urllib.parse.urlencode({"query": expression, "start": self.begun, "end": time.time(), "step": "1s"})
        return [one["metric"] for one in get_json(f"{self.address}/api/v1/query_range?{query}")["data"]["result"]]

    def names(self):
        """The names of all metrics that were ever read or made."""
        return get_json(f"{self.address}/api/v1/label/__name__/values")["data"]

    def firing(self):
        """The alerts that fire now, but the one that always does."""
        return {one["alertname"] for one, _ in self.ask('ALERTS{alertstate="firing",alertname!="Watchdog"}')}
