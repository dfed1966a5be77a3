"""Where torsos are found; third parties register in the entry-point group `gtr_bench.networks`."""

from __future__ import annotations

from gtr_bench.registry import Registry

__all__ = ["networks"]

networks = Registry(
    "network",
    "gtr_bench.networks",
    {
        "conv": "gtr_bench.networks.conv:Conv",
        "gru": "gtr_bench.networks.gru:GRU",
        "impala_cnn": "gtr_bench.networks.impala_cnn:ImpalaCNN",
        "mlp": "gtr_bench.networks.mlp:MLP",
        "nature_cnn": "gtr_bench.networks.nature_cnn:NatureCNN",
    },
)
