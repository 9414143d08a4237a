"""Writes matrix.txt anew: `make k8s-matrix`, whose difference is to be read."""

import reach
import tree as t

if __name__ == "__main__":
    lines = reach.matrix({each: t.objects(each) for each in t.ENVIRONMENTS})
    (t.ROOT / "k8s/tests/cluster/matrix.txt").write_text("\n".join(lines) + "\n")
