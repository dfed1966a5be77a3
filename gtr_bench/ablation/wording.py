"""How values and settings of a study read."""

from __future__ import annotations

from gtr_bench.ablation.model import Setting, Value

__all__ = ["setting_text", "value_text"]


def value_text(value: Value) -> str:
    """A parameter's value as a suite writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_text(setting: Setting) -> str:
    """A setting in one line."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in setting.items())
