"""The stage reads manifests, makes certificates and starts the chain as the tests of the cluster do."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "cluster"))
