"""What kube-state-metrics would tell of the CronJob `reconcile` and of the Jobs that it made."""

import http.server
import subprocess
import threading
import time

from servers import LOOPBACK

NAMESPACE = "backend-mainnet"


class Jobs:
    """Runs the CronJob's command when it is told to, and serves what came of it."""

    def __init__(self, command, environment):
        self.command, self.environment = command, environment
        # Before its first time it counts from when it was made.
        self.created, self.succeeded, self.jobs = time.time(), None, []
        jobs = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = jobs.page().encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.address = f"{LOOPBACK}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self):
        """One Job of it."""
        created = time.time()
        done = subprocess.run(self.command, env=self.environment, capture_output=True, check=False, timeout=120)
        if done.returncode == 0:
            self.succeeded = time.time()
        self.jobs.append((f"reconcile-{len(self.jobs)}", created, done.returncode == 0))
        return done.returncode == 0, (done.stdout + done.stderr).decode()

    def missed(self, seconds):
        """As if the schedule had not been kept for so long."""
        self.created -= seconds
        if self.succeeded:
            self.succeeded -= seconds

    def page(self):
        lines = [f'kube_cronjob_created{{namespace="{NAMESPACE}",cronjob="reconcile"}} {self.created}']
        if self.succeeded:
            lines.append(f'kube_cronjob_status_last_successful_time{{namespace="{NAMESPACE}",cronjob="reconcile"}}'
                         f' {self.succeeded}')
        for name, created, good in list(self.jobs):
            labels = f'namespace="{NAMESPACE}",job_name="{name}"'
            lines += [
                f"kube_job_created{{{labels}}} {created}",
                f"kube_job_status_succeeded{{{labels}}} {int(good)}",
                f"kube_job_status_failed{{{labels}}} 0" if good else
                f'kube_job_status_failed{{{labels},reason="BackoffLimitExceeded"}} 1',
            ]
        return "\n".join(lines) + "\n"

    def end(self):
        self.server.shutdown()
        self.server.server_close()
