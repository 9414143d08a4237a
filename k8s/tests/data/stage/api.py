"""As much of the API server and of kube-proxy as the stores' pods need: pods and ConfigMaps, which Patroni lists,
watches and changes over TLS with no more than its Role gives, and Services, which lead to the ready pods of a selector.

`api.py JSON`: address, certificate, key, rules of the Role, Services, and the socket of the one who runs the pods.
"""

import contextlib
import copy
import http.server
import json
import random
import re
import socket
import socketserver
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

VERBS = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE


class Refused(Exception):
    """An answer of another status than success."""


class Objects:
    """What is there, and every change of it in order."""

    def __init__(self):
        self.changed = threading.Condition()
        self.version, self.held, self.events = 0, {}, []

    def _put(self, kind, event, found):
        self.version += 1
        found["metadata"]["resourceVersion"] = str(self.version)
        self.events.append((self.version, kind, {"type": event, "object": copy.deepcopy(found)}))
        self.changed.notify_all()
        return found

    def get(self, kind, name):
        """An object, or a refusal."""
        if (kind, name) not in self.held:
            raise Refused(404)
        return self.held[kind, name]

    def create(self, kind, body):
        """A new one."""
        with self.changed:
            key = (kind, body["metadata"]["name"])
            if key in self.held:
                raise Refused(409)
            self.held[key] = {"kind": kind, **body}
            return self._put(kind, "ADDED", self.held[key])

    def patch(self, kind, name, body):
        """Merges labels, annotations and status; refused where the object is no longer the version that was seen."""
        with self.changed:
            found = self.get(kind, name)
            given = body.get("metadata", {})
            if given.get("resourceVersion", found["metadata"]["resourceVersion"]) != found["metadata"]["resourceVersion"]:
                raise Refused(409)
            for part in ("labels", "annotations"):
                merged = found["metadata"].get(part, {}) | (given.get(part) or {})
                found["metadata"][part] = {key: value for key, value in merged.items() if value is not None}
            found["status"] = found.get("status", {}) | body.get("status", {})
            return self._put(kind, "MODIFIED", found)

    def delete(self, kind, name):
        """Removes one."""
        with self.changed:
            found = self.get(kind, name)
            del self.held[kind, name]
            return self._put(kind, "DELETED", found)

    def list(self, kind, selector):
        """Those with some labels, and the version of which that is true."""
        with self.changed:
            items = [found for (of, _), found in self.held.items() if of == kind and matches(found, selector)]
            return {"metadata": {"resourceVersion": str(self.version)}, "items": copy.deepcopy(items)}

    def watch(self, kind, selector, version):
        """Every later change, for as long as somebody listens; now and then nothing, to notice that nobody does."""
        at = 0
        while True:
            with self.changed:
                if at == len(self.events):
                    self.changed.wait(5)
                later, at = self.events[at:], len(self.events)
            yield [event for number, of, event in later
                   if number > version and of == kind and matches(event["object"], selector)]


def matches(found, selector):
    """Whether an object has all labels of a selector."""
    return selector.items() <= found["metadata"].get("labels", {}).items()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers requests: of pods with the rights of a Role, of the one who runs them with all."""

    protocol_version = "HTTP/1.1"
    objects, rules = Objects(), []

    def log_message(self, *_):
        """Says nothing."""

    def address_string(self):
        """Names nobody: a socket of files has no peer's address."""
        return "-"

    def _allowed(self, verb, kind):
        return isinstance(self.server, Local) or any(
            verb in rule["verbs"] and kind in rule["resources"] for rule in self.rules)

    def _body(self):
        return json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")

    def _send(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _answer(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        body = self._body()
        try:
            if isinstance(self.server, Local) and path in ASKED:
                return self._send(200, ASKED[path](body))
            found = re.fullmatch(r"/api/v1/namespaces/[^/]+/(pods|configmaps)(?:/([^/]+))?", path)
            if not found:
                raise Refused(404)
            kind, name = found.groups()
            selector = dict(each.split("=") for each in asked.get("labelSelector", "").split(",") if each)
            verb = VERBS[self.command] if name or self.command != "GET" else "watch" if "watch" in asked else "list"
            if not self._allowed(verb, kind):
                raise Refused(403)
            if verb == "watch":
                return self._watch(kind, selector, int(asked["resourceVersion"]))
            answers = {
                "get": lambda: self.objects.get(kind, name), "list": lambda: self.objects.list(kind, selector),
                "create": lambda: self.objects.create(kind, body),
                "patch": lambda: self.objects.patch(kind, name, body),
                "delete": lambda: self.objects.delete(kind, name),
            }
            return self._send(200, answers[verb]())
        except Refused as refused:
            return self._send(refused.args[0], {"kind": "Status", "code": refused.args[0]})

    def _watch(self, kind, selector, version):
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(OSError):
            for events in self.objects.watch(kind, selector, version):
                lines = "".join(json.dumps(event) + "\n" for event in events).encode() or b"\n"
                self.wfile.write(f"{len(lines):x}\r\n".encode() + lines + b"\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = _answer


class Secure(http.server.ThreadingHTTPServer):
    """Where pods ask."""

    daemon_threads = True


class Local(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Where the one asks who runs the pods."""

    daemon_threads = True


def probe(asked):
    """Whether a probe of the kubelet succeeds."""
    if "path" in asked:
        url = f"{asked['scheme'].lower()}://{asked['host']}:{asked['port']}{asked['path']}"
        return fetch({"url": url, "seconds": 3})[0] == 200
    try:
        socket.create_connection((asked["host"], asked["port"]), 3).close()
    except OSError:
        return False
    return True


def fetch(asked):
    """The status and the text of an answer; 0 if nobody answers. With a body it is a POST of JSON."""
    body = json.dumps(asked["body"]).encode() if asked.get("body") is not None else None
    request = urllib.request.Request(asked["url"], body, asked.get("headers", {}))
    try:
        answer = urllib.request.urlopen(request, timeout=asked.get("seconds", 60), context=UNVERIFIED)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError:
        return 0, ""
    return answer.status, answer.read().decode()


def lead(objects, address, port, target, selector):
    """Carries each connection of a Service to a ready pod of its selector, and refuses where there is none."""
    listening = socket.create_server((address, port), backlog=64)

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def carry(client):
        ready = [pod["status"]["podIP"] for pod in objects.list("pods", selector)["items"] if pod["status"]["ready"]]
        with client, contextlib.suppress(OSError, IndexError):
            with socket.create_connection((random.choice(ready), target), 5) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()

    while True:
        threading.Thread(target=carry, args=(listening.accept()[0],), daemon=True).start()


ASKED = {"/probe": probe, "/fetch": fetch}


def main(given):
    """Serves until it is ended."""
    Handler.rules = given["rules"]
    for service in given["services"]:
        threading.Thread(target=lead, args=(Handler.objects, *service), daemon=True).start()
    secure = Secure((given["address"], given["port"]), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given["certificate"], given["key"])
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=secure.serve_forever, daemon=True).start()
    Local(given["socket"], Handler).serve_forever()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
