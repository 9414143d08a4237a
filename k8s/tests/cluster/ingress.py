"""NGINX as the cluster's ingress controller makes it from the Ingress objects: a real one,
which ends TLS and names the client, and somebody outside who comes through it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import stores
import tree as t

ADDRESS = "10.42.0.30"
CLIENT = "198.51.100.7"
# Each annotation, as the controller's template has it where the gateway speaks HTTP/2.
DIRECTIVES = {
    "proxy-read-timeout": "grpc_read_timeout {}s;",
    "proxy-send-timeout": "grpc_send_timeout {}s;",
    "proxy-body-size": "client_max_body_size {};",
}
# What the controller tells whoever is behind it. A client's word of where it is counts nothing.
HEADERS = {
    "Host": "$host", "X-Request-ID": "$req_id", "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$remote_addr", "X-Forwarded-Host": "$host", "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https", "X-Forwarded-Scheme": "https", "X-Scheme": "https",
}


def configuration(tree, folder, gateways):
    """NGINX's configuration, with these gateways behind it."""
    ingress, service = t.named(tree, "Ingress", "api-gateway"), t.named(tree, "Service", "api-gateway")
    notes = {name.rpartition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()}
    assert (notes.pop("backend-protocol"), notes.pop("ssl-redirect")) == ("GRPC", "true")
    host, port = ingress["spec"]["rules"][0]["host"], service["spec"]["ports"][0]["port"]
    location = [DIRECTIVES[name].format(value) for name, value in notes.items()]
    location += [f"grpc_set_header {name} {value};" for name, value in HEADERS.items()]
    servers = [f"server {gateway}:{port};" for gateway in gateways]
    temporary = [f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    return f"""
daemon off; user root; worker_processes 1; worker_shutdown_timeout 240s;
pid {folder}/pid; error_log {folder}/error.log notice;
events {{ worker_connections 4096; }}
http {{
  log_format json escape=json '{{"agent": "$http_user_agent", "path": "$uri", "status": $status}}';
  access_log {folder}/access.jsonl json;
  {" ".join(temporary)}
  map $http_x_request_id $req_id {{ default $http_x_request_id; "" $request_id; }}
  upstream gateways {{ {" ".join(servers)} keepalive 320; keepalive_requests 10000; }}
  server {{ listen {ADDRESS}:80; server_name {host}; return 308 https://$host$request_uri; }}
  server {{
    listen {ADDRESS}:443 ssl http2; server_name {host};
    ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
    location / {{ {" ".join(location)} grpc_pass grpc://gateways; }}
  }}
}}
"""


class Ingress:
    """The controller, and a client of it."""

    def __init__(self, box, tree, folder):
        self.box, self.tree, self.folder = box, tree, folder
        self.host = t.named(tree, "Ingress", "api-gateway")["spec"]["rules"][0]["host"]
        self.url = f"https://{self.host}"
        self.trust, key = stores.authority(folder)
        stores.issue(folder / "tls.crt", folder / "tls.key", [self.host], self.trust, key)
        self.network = box.connected(ADDRESS, "198.51.100.0/24")
        self.client = box.connected(CLIENT, "10.42.0.0/24")
        (folder / "hosts").write_text(f"{ADDRESS} {self.host}\n")
        self.nginx = None

    def follow(self, *gateways):
        """Sends to these gateways from now on; what is under way stays where it is."""
        (self.folder / "nginx.conf").write_text(configuration(self.tree, self.folder, gateways))
        if self.nginx:
            self.nginx.send_signal(signal.SIGHUP)
            return
        with (self.folder / "nginx.log").open("wb") as log:
            command = ["nginx", "-c", self.folder / "nginx.conf"]
            self.nginx = self.box.start(command, at=self.network, stdout=log, stderr=log)
        self.box.wait(lambda: self.call("/healthz")[0] == 200, self.nginx)

    def outside(self, command):
        """A command line that runs another where a client is: it knows the ingress by its
        name alone, and whom to trust."""
        script = f'mount --bind {self.folder}/hosts /etc/hosts; exec "$@"'
        trust = [f"{name}={self.trust}" for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")]
        return self.box.enter(
            ["unshare", "--mount", "--propagation", "private", "env", *trust, "sh", "-euc", script, "sh", *command],
            at=self.client)

    def call(self, path, body=None, token=None, url=None):
        """The status and the text of an answer."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        asked = subprocess.run(
            self.outside([sys.executable, Path(__file__).with_name("fetch.py")]),
            input=json.dumps([(url or self.url) + path, body, headers]), text=True, stdout=subprocess.PIPE, check=True)
        return tuple(json.loads(asked.stdout))

    def requests(self):
        """What it was asked: agent, path and status of each request that has ended."""
        return [json.loads(line) for line in (self.folder / "access.jsonl").read_text().splitlines()]
