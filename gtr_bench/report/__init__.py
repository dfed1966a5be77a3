"""Reports: what results folders say, decided and rendered.

The package can be called: `gtr_bench.report("results")` is `gtr_bench.api.report`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from gtr_bench.api import report

        return report(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
