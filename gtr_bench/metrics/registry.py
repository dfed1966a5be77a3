"""Metrics by name; third parties register theirs in the entry-point group `gtr_bench.metrics`."""

from __future__ import annotations

from gtr_bench.registry import Registry

__all__ = ["metrics"]

metrics = Registry(
    "metric",
    "gtr_bench.metrics",
    {
        "lifetime_return": "gtr_bench.metrics.continual:LifetimeReturn",
        "phase_auc": "gtr_bench.metrics.continual:PhaseAuc",
        "phase_final": "gtr_bench.metrics.continual:PhaseFinal",
        "plasticity_ratio": "gtr_bench.metrics.continual:PlasticityRatio",
        "oracle_gap": "gtr_bench.metrics.continual:OracleGap",
        "drop": "gtr_bench.metrics.continual:Drop",
        "recovery_steps": "gtr_bench.metrics.continual:RecoverySteps",
        "recovery_steps.median": "gtr_bench.metrics.continual:RecoveryStepsMedian",
        "test_return": "gtr_bench.metrics.generalisation:TestReturn",
        "generalisation_gap": "gtr_bench.metrics.generalisation:GeneralisationGap",
        "crafter_score": "gtr_bench.metrics.achievements:CrafterScore",
        "performance.cw": "gtr_bench.metrics.continual_world:Performance",
        "forgetting.cw": "gtr_bench.metrics.continual_world:Forgetting",
        "transfer.cw": "gtr_bench.metrics.continual_world:Transfer",
        "forgetting.cora": "gtr_bench.metrics.cora:Forgetting",
        "transfer.cora": "gtr_bench.metrics.cora:Transfer",
    },
)
