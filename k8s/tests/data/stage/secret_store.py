"""What the store of secrets holds for an environment, and whom to trust, as k8s/README.md says in steps 3 to 5."""

import re
import secrets

import stores
import tree as t
from servers import run

README = (t.ROOT / "k8s/README.md").read_text()


def fill(network, tree, folder):
    """Makes all of it but Fabric's."""
    held = network.secrets
    for name in [each["metadata"]["name"] for each in t.of_kind(tree, "ExternalSecret")]:
        if name.startswith(("postgres-", "redis-")):
            # Signs that would break a URL, where one may have them.
            held[name] = {"password": secrets.token_urlsafe(12) + ("/=?#" if name.startswith("postgres") else "")}
    for store in ("postgres", "redis"):
        place = folder / f"{store}-tls"
        ca, key = stores.authority(place)
        said = re.search(rf"^\| `{store}-tls` \| `tls.crt`, `tls.key` for (.*?)[;|]", README, re.MULTILINE)[1]
        stores.issue(place / "tls.crt", place / "tls.key", re.findall(r"`(.+?)`", said), ca, key)
        held[f"{store}-tls"] = {name: (place / name).read_text() for name in ("tls.crt", "tls.key")}
        network.configs[f"{store}-ca"] = {"ca.crt": ca.read_text()}
    place = folder / "keys"
    place.mkdir()
    (block,) = re.findall(r"\*\*3\. Keys\*\*.*?```sh\n(.*?)```", README, re.DOTALL)
    run(["bash", "-euc", re.sub(r"KEYS=\$\(.*?\)", f"KEYS={place}", block)])
    held["gx-keys"] = {file.name: file.read_text() for file in place.iterdir()}
