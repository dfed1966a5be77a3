"""gtr-bench: benchmarking and ablation of reinforcement learning in changing worlds (docs/python.md)."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtr_bench.api import Results, load, render, report
    from gtr_bench.policies import Policy, load_policy
    from gtr_bench.report.model import Report

__version__ = "0.1.0"
__all__ = ["Policy", "Report", "Results", "__version__", "load", "load_policy", "render", "report"]

_PLACES = {
    "Policy": "gtr_bench.policies",
    "load_policy": "gtr_bench.policies",
    "Report": "gtr_bench.report.model",
    "Results": "gtr_bench.api",
    "load": "gtr_bench.api",
    "render": "gtr_bench.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import gtr_bench` stays light."""
    if name == "report":
        # The package itself, which can be called: importing it would replace a function of that name.
        return import_module("gtr_bench.report")
    if name not in _PLACES:
        # With the name and the module Python suggests the nearest attribute.
        raise AttributeError(f"module `gtr_bench` has no attribute `{name}`", name=name, obj=sys.modules[__name__])
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
