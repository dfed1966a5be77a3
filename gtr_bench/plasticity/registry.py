"""Where plasticity add-ons are found; third parties register in the entry-point group `gtr_bench.plasticity`."""

from __future__ import annotations

from gtr_bench.registry import Registry

__all__ = ["add_ons"]

add_ons = Registry(
    "plasticity add-on",
    "gtr_bench.plasticity",
    {
        "l2_init": "gtr_bench.plasticity.l2_init:L2Init",
        "redo": "gtr_bench.plasticity.redo:ReDo",
    },
)
