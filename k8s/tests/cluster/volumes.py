"""A pod's volumes, made as the kubelet makes them: claims that outlive it, folders of its own, and in them the files
of Secrets and ConfigMaps, all of them the pod's group's."""

import os


def made(volume, claims, own, group, held):
    """The folder of a volume, below `claims` or `own`; `held` has Secrets and ConfigMaps by their kind and name."""
    claim = volume.get("persistentVolumeClaim", {}).get("claimName")
    place = claims / claim if claim else own / volume["name"]
    place.mkdir(parents=True, exist_ok=True)
    mode = volume.get("projected", volume.get("secret", {})).get("defaultMode", 0o644)
    for path, text in _files(volume, held):
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.chown(file, 0, group)
        file.chmod(mode)
    share(place, group)
    return place


def share(place, group):
    """Lets whoever is of the group write, and gives it what they write."""
    os.chown(place, 0, group)
    place.chmod(0o2777)


def _files(volume, held):
    """Where files of Secrets and ConfigMaps are, and what is in them."""
    sources = volume.get("projected", {}).get("sources", [])
    for kind, key in (("secret", "secretName"), ("configMap", "name")):
        if kind in volume:
            sources = [{kind: {"name": volume[kind][key], "items": volume[kind].get("items")}}]
    for source in sources:
        ((kind, given),) = source.items()
        texts = held[kind][given["name"]]
        items = given.get("items") or [{"key": key, "path": key} for key in texts]
        yield from ((item["path"], texts[item["key"]]) for item in items)
