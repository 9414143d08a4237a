"""Digests come from registries, and mainnet is refused without them."""

import hashlib
import http.server
import json
import re
import subprocess
import sys
import threading

import pytest

import tree as t

sys.path.insert(0, str(t.ROOT / "k8s"))
import pin_images  # noqa: E402

MANIFEST = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


class Registry(http.server.BaseHTTPRequestHandler):
    """Speaks as much of the distribution protocol as a tag's digest takes."""

    says = DIGEST

    def do_GET(self):
        if self.path.startswith("/token?"):
            assert "scope=repository%3Ateam%2Fgx%3Apull" in self.path
            return self.answer(200, b'{"token": "pass"}')
        if self.headers.get("Authorization") != "Bearer pass":
            realm = f"http://{self.headers['Host']}/token"
            return self.answer(401, b"", {
                "WWW-Authenticate": f'Bearer realm="{realm}",service="r",scope="repository:team/gx:pull"'})
        if self.path != "/v2/team/gx/manifests/1.2.3":
            return self.answer(404, b"")
        return self.answer(200, MANIFEST, {"Docker-Content-Digest": self.says})

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def registry():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_digest_is_written_beside_its_tag_and_replaces_an_older_one(registry, tmp_path):
    file = tmp_path / "kustomization.yaml"
    file.write_text(f"images:\n  - name: gx\n    newName: {registry}/team/gx\n    newTag: 1.2.3\n")
    for _ in range(2):
        pin_images.pin_kustomization(file)
        assert file.read_text().count(f"    digest: {DIGEST}\n") == 1
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, image: gx}\n"
    (tmp_path / "pod.yaml").write_text(pod)
    file.write_text("resources: [pod.yaml]\n" + file.read_text())
    done = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=True)
    assert f"image: {registry}/team/gx:1.2.3@{DIGEST}" in done.stdout
    assert pin_images.unpinned(done.stdout) == []


def test_a_containerfile_is_pinned_too(registry, tmp_path):
    file = tmp_path / "Containerfile"
    file.write_text(f"FROM {registry}/team/gx:1.2.3 AS build\nFROM scratch\n")
    for _ in range(2):
        pin_images.pin_containerfile(file)
        assert file.read_text() == f"FROM {registry}/team/gx:1.2.3@{DIGEST} AS build\nFROM scratch\n"


def test_a_registry_that_contradicts_itself_is_not_believed(registry, monkeypatch):
    monkeypatch.setattr(Registry, "says", "sha256:" + "0" * 64)
    with pytest.raises(ValueError, match="the registry says"):
        pin_images.digest(f"{registry}/team/gx", "1.2.3")


@pytest.mark.parametrize(("name", "wanted"), [
    ("docker.io/envoyproxy/envoy", ("registry-1.docker.io", "envoyproxy/envoy")),
    ("postgres", ("registry-1.docker.io", "library/postgres")),
    ("registry.example.org/gx-protocol/gx", ("registry.example.org", "gx-protocol/gx")),
])
def test_names_are_read_as_engines_read_them(name, wanted):
    assert pin_images.parts(name) == wanted


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_an_image_without_a_digest_is_found(environment):
    text = t.text(environment)
    pinned = text.replace(":0.1.0\n", f":0.1.0@{DIGEST}\n")
    left = [image for image in pin_images.unpinned(pinned) if re.search("/(gx|stores):", image)]
    assert left == []
    images = pin_images.unpinned(text)
    assert all(":" in image and not image.endswith(":latest") for image in images)
    # Every image in the manifests is one that `make pin-images` knows.
    known = (t.ROOT / "k8s/images/kustomization.yaml").read_text()
    for image in images:
        name, _, tag = image.rpartition(":")
        assert f"newName: {name}\n    newTag: {tag}\n" in known, image


def test_every_image_that_is_known_runs_somewhere():
    images = {image for environment in t.ENVIRONMENTS for image in pin_images.unpinned(t.text(environment))}
    known = re.findall(r"newName: (\S+)\n    newTag: (\S+)", (t.ROOT / "k8s/images/kustomization.yaml").read_text())
    # The pod that reads the initial password, which no overlay has.
    aside = (t.ROOT / "k8s/cluster/initial-password/pod.yaml").read_text()
    unused = {f"{name}:{tag}" for name, tag in known} - images
    assert all(f"image: {image.rpartition('/')[2].rpartition(':')[0]}\n" in aside for image in unused), unused


def test_all_that_is_built_is_built_from_versions(tmp_path):
    files = sorted((t.ROOT / "k8s").rglob("Containerfile"))
    assert len(files) == 2
    for number, file in enumerate(files):
        copy = tmp_path / str(number)
        copy.write_text(file.read_text())
        wrote = pin_images.pin_containerfile(copy, lambda name, tag: DIGEST)
        assert wrote and all(re.search(r":\d[\w.-]+@sha256:", line) for line in wrote), file
