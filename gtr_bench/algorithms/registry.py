"""Where algorithms are found; third parties register in the entry-point group `gtr_bench.algorithms`."""

from __future__ import annotations

from gtr_bench.registry import Registry

__all__ = ["algorithms"]

algorithms = Registry(
    "algorithm",
    "gtr_bench.algorithms",
    {
        "a2c": "gtr_bench.algorithms.a2c:A2C",
        "gtr": "gtr_bench.algorithms.gtr.algorithm:GTR",
        "oracle": "gtr_bench.algorithms.oracle:Oracle",
        "ppo": "gtr_bench.algorithms.ppo:PPO",
        "ppo_kl": "gtr_bench.algorithms.ppo_kl:PPOKL",
        "spo": "gtr_bench.algorithms.spo:SPO",
        "trpo": "gtr_bench.algorithms.trpo:TRPO",
    },
)
