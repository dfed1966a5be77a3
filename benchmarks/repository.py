"""What benchmarks share with the tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

__all__ = ["helpers"]


def helpers() -> ModuleType:
    """This repository's `tests/helpers.py`, by its path: any installed package that brings a `tests` wins by name."""
    path = Path(__file__).parents[1] / "tests" / "helpers.py"
    spec = importlib.util.spec_from_file_location("gtr_bench_tests_helpers", path)
    assert spec is not None, "a file that ends in .py has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
