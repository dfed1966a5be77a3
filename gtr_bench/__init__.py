"""gtr-bench: benchmarking and ablation of reinforcement learning in changing worlds."""

__version__ = "0.1.0"
__all__ = ["__version__"]
