"""Numbers of a report as JSON has them, which knows no infinity."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["plain"]


def plain(data: Any) -> Any:
    """The same lists and objects; an infinite number is null, and its object names it in the list `unbounded`."""
    if isinstance(data, dict):
        infinite = [name for name, value in data.items() if isinstance(value, float) and math.isinf(value)]
        named = {"unbounded": infinite} if infinite else {}
        return {name: None if name in infinite else plain(value) for name, value in data.items()} | named
    return [plain(each) for each in data] if isinstance(data, list | tuple) else data
