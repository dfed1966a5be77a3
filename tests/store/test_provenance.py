"""Provenance is complete, JSON-ready and light."""

from __future__ import annotations

import json
import os
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


def test_the_vector_level_is_what_torch_computes_with_and_unknown_without_torch() -> None:
    code = (
        "import json; from gtr_bench.store.provenance import hardware; before = hardware(); import torch; "
        "print(json.dumps([before['vector_level'], hardware()['vector_level']]))"
    )
    lowered = os.environ | {"ATEN_CPU_CAPABILITY": "default"}
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=lowered)
    assert json.loads(run.stdout) == [None, "DEFAULT"]
