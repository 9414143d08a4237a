"""The image's file tree, made as the Containerfile makes it, and run as the manifests do."""

import os
import re
import subprocess

import pytest

import gx
import sandbox
import tree as t
from pod import Pod

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: chroot, mounts, a network of its own")


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    made = sandbox.Sandbox(tmp_path_factory.mktemp("image"))
    yield made
    made.close()


def test_the_image_is_one_program_and_what_it_loads(box):
    files = sorted(str(path.relative_to(box.image)) for path in box.image.rglob("*") if path.is_file())
    settings = ["etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/certs/ca-certificates.crt"]
    others = [file for file in files if file not in settings]
    assert [file for file in others if not re.search(r"\.so(\.\d+)*$", file)] == ["usr/local/bin/gx"]
    for path in box.image.rglob("*"):
        assert not path.stat().st_mode & 0o7022, path


def test_the_containerfile_makes_this_tree_for_a_user_without_rights():
    text = (t.ROOT / "k8s/image/Containerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    assert final.split() == "scratch COPY --from=build /tree / USER 65532:65532 ENTRYPOINT [\"/usr/local/bin/gx\"]".split()
    assert "k8s/image/tree.sh target/release/gx /tree" in text
    for line in re.findall(r"^FROM (\S+)", text, re.M):
        assert line == "scratch" or re.search(r":\d[\w.-]+(@sha256:[0-9a-f]{64})?$", line), line


def filled(box, tree):
    """Every secret and setting that pods want, with something in it."""
    for _, pod in t.workloads(tree):
        for volume in pod.get("volumes", []):
            if "secret" in volume:
                box.secrets.setdefault(volume["secret"]["secretName"], {"a": "a"})
            for source in volume.get("projected", {}).get("sources", []):
                ((kind, given),) = source.items()
                held = box.secrets if kind == "secret" else box.configs
                held.setdefault(given["name"], {}).update({item["key"]: "x" for item in given["items"]})


def test_every_container_starts_with_its_mounts_alone(box):
    tree = t.objects("mainnet")
    filled(box, tree)
    for workload, pod, container in gx.gx_containers(tree):
        arguments = ["config", "check"]
        if container["args"][0] == "gateway":
            arguments = container["args"]
        status, told = Pod(box, tree, workload).run(container["name"], arguments)
        assert status == 0, f"{t.title(workload)} {container['name']}: {told}"


def test_the_root_cannot_be_written(box):
    tree = t.objects("mainnet")
    filled(box, tree)
    pod = Pod(box, tree, t.named(tree, "Deployment", "svc-wallet"))
    status, told = pod.run("gx", ["descriptor", "--output", "/usr/local/bin/other"])
    assert status == 1 and "Read-only file system" in told
    status, told = pod.run("gx", ["descriptor", "--output", "/etc/gx/other"])
    assert status == 1 and "Read-only file system" in told


def test_the_contract_serves_and_stops(box, tmp_path):
    tree = t.objects("mainnet")
    filled(box, tree)
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=gx-chaincode", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    box.secrets["gx-chaincode-tls"] = {
        "tls.crt": certificate.read_text(), "tls.key": key.read_text(), "ca.crt": certificate.read_text(),
    }
    status, told = gx.run(
        ["chaincode", "package", "--label", "gx_1.0", "--address", "gx-chaincode:9999", "--out",
         str(tmp_path / "gx.tgz")], {"GX_DATA_DIR": str(tmp_path)},
    )
    assert status == 0, told
    box.configs["gx-chaincode-package"] = {"id": told.strip()}
    pod = Pod(box, tree, t.named(tree, "Deployment", "gx-chaincode"))
    pod.serve("gx")
    pod.end()
