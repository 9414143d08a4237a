"""Pins images by digest: asks each image's registry what its tag is now, and writes that
beside the tag.

    pin_images.py                     writes into k8s/**/kustomization.yaml and Containerfiles
    pin_images.py --check FILE        fails if a rendered manifest runs an image by its tag

A digest is what a registry answered and the manifest's bytes have; none is made up.
"""

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

K8S = Path(__file__).resolve().parent
MANIFESTS = ", ".join((
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
))
PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")


def parts(name):
    """Registry and repository of an image's name, as engines read it."""
    first, _, rest = name.partition("/")
    if not rest or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", name
    if first == "docker.io":
        return "registry-1.docker.io", rest if "/" in rest else f"library/{rest}"
    return first, rest


def credentials(registry):
    """What an engine's login has left for a registry, if anything."""
    file = Path.home() / ".docker/config.json"
    known = json.loads(file.read_text()).get("auths", {}) if file.exists() else {}
    return known.get(registry, {}).get("auth")


def token(challenge, registry):
    """A token, as the registry's challenge says."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urllib.parse.urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
    request = urllib.request.Request(f"{fields['realm']}?{query}")
    login = credentials(registry)
    if login:
        request.add_header("Authorization", f"Basic {login}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        told = json.load(answer)
    return told.get("token") or told["access_token"]


def digest(name, tag):
    """The digest of what a tag names, checked against the manifest's own bytes."""
    registry, repository = parts(name)
    local = registry.partition(":")[0] in ("localhost", "127.0.0.1")
    url = f"{'http' if local else 'https'}://{registry}/v2/{repository}/manifests/{tag}"
    request = urllib.request.Request(url, headers={"Accept": MANIFESTS})
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or not challenge.startswith("Bearer"):
            raise
        request.add_header("Authorization", f"Bearer {token(challenge, registry)}")
        answer = urllib.request.urlopen(request, timeout=30)
    with answer:
        body, said = answer.read(), answer.headers.get("Docker-Content-Digest")
    found = "sha256:" + hashlib.sha256(body).hexdigest()
    if said and said != found:
        raise ValueError(f"{name}:{tag}: the registry says {said}, its manifest is {found}")
    return found


def pin_kustomization(file, ask=digest):
    """Writes the digests of a kustomization's images; answers with what it wrote."""
    lines, name, wrote = file.read_text().splitlines(), None, []
    out = []
    for line in lines:
        key, _, value = line.strip().removeprefix("- ").partition(": ")
        if key == "digest":
            continue
        out.append(line)
        if key == "newName":
            name = value
        if key == "newTag" and name:
            found = ask(name, value.strip('"'))
            out.append(f"{line[: len(line) - len(line.lstrip())]}digest: {found}")
            wrote.append(f"{name}:{value}@{found}")
    if wrote:
        file.write_text("\n".join(out) + "\n")
    return wrote


def pin_containerfile(file, ask=digest):
    """Writes the digests of the images that the image is built from."""
    wrote = []

    def pinned(match):
        name, tag = match[1], match[2]
        wrote.append(f"{name}:{tag}@{ask(name, tag)}")
        return f"FROM {wrote[-1]}"

    text = re.sub(r"^FROM ([^\s@]+):([\w.-]+)(?:@sha256:[0-9a-f]+)?(?=\s)", pinned, file.read_text(), flags=re.M)
    file.write_text(text)
    return wrote


def unpinned(text):
    """The images of a rendered manifest that have no digest."""
    images = re.findall(r"^\s*(?:- )?image: [\"']?([^\s\"']+)", text, re.M)
    return sorted({image for image in images if not PINNED.search(image)})


def main():
    """As the command line says."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--check", type=Path, metavar="FILE")
    given = options.parse_args()
    if given.check:
        found = unpinned(given.check.read_text())
        for image in found:
            print(f"{image} has no digest", file=sys.stderr)
        return 1 if found else 0
    for file in sorted(K8S.rglob("kustomization.yaml")):
        print(*pin_kustomization(file), sep="\n")
    for file in sorted(K8S.rglob("Containerfile")):
        print(*pin_containerfile(file), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
