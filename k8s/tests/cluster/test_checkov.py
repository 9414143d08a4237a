"""checkov finds nothing, once images are pinned."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tree as t

@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_checkov_finds_nothing(environment, tmp_path):
    # As `make pin-images` leaves it.
    pinned = re.sub(r"^(\s*(?:- )?image: \S+)$", r"\1@sha256:" + "0" * 64, t.text(environment), flags=re.M)
    file = tmp_path / "all.yaml"
    file.write_text(pinned)
    done = subprocess.run(
        [Path(sys.executable).with_name("checkov"), "--file", file, "--framework", "kubernetes",
         "--skip-download", "--compact", "--quiet", "--output", "json"],
        capture_output=True, text=True, check=False, timeout=120,
    )
    found = json.loads(done.stdout)
    assert found["summary"]["parsing_errors"] == 0 and found["summary"]["passed"] > 500
    failed = {(each["check_id"], each["check_name"], each["resource"]) for each in found["results"]["failed_checks"]}
    assert failed == set()
