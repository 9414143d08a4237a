"""What must hold of every environment's manifests. Each check takes the environment and
its objects, and answers with faults; `test_mutations` looks that they find what is taken
away. A file a subject."""

import importlib

CHECKS = []
# The label of what only an administrator applies.
ADMINISTRATION = "gx-protocol/applied-by"


def check(function):
    """Lists a check."""
    CHECKS.append(function)
    return function


for _subject in ("environment", "pods", "references", "ports", "rights"):
    importlib.import_module(f"checks.{_subject}")
