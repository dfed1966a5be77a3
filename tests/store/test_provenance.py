"""Provenance is complete, JSON-ready and light."""

from __future__ import annotations

import json
import subprocess
import sys

from gtr_bench.store.provenance import hardware, packages


def test_packages_name_python_and_what_is_installed() -> None:
    found = packages()
    assert found["python"].startswith("3.")
    assert found["numpy"]
    assert found["pyarrow"]
    assert list(found) == sorted(found)


def test_hardware_is_json_and_says_how_much_there_is() -> None:
    found = json.loads(json.dumps(hardware(), allow_nan=False))
    assert found["memory_bytes"] > 2**20
    assert 1 <= found["usable_cores"] <= found["cores"]
    assert found["processor"]


def test_provenance_does_not_import_torch() -> None:
    code = (
        "import sys; from gtr_bench.store.provenance import hardware, packages; hardware(); packages(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
