"""A trained policy as a safetensors file, which holds no code: its parameters by name, and the job it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gtr_bench.errors import ResultsError
from gtr_bench.files import read_regular, replace_file
from gtr_bench.learn.learner import Learner

__all__ = ["POLICY_FILE", "fill_learner", "read_description", "save_policy"]

POLICY_FILE = "policy.safetensors"
_FORMAT = 1
_KEY = "gtr-bench"
_MOMENTS = ("observation_normaliser.mean", "observation_normaliser.variance")
_LARGEST = 1 << 33
"""bytes; a policy of this program is smaller"""


def save_policy(learner: Learner, member: int, path: Path, description: Mapping[str, Any]) -> None:
    """Write one member's policy, critic included.

    Args:
        learner: the cohort's.
        member: which one.
        path: of the file, replaced whole.
        description: kept in the header beside the format: at least `definition`.
    """
    from safetensors.torch import save

    tensors = {
        name: learner.model.view(learner.model.data, parameter)[member].detach().cpu().contiguous()
        for name, parameter in learner.model.named_parameters()
        if parameter.numel()
    }
    if learner.observation_normaliser is not None:
        moments = learner.observation_normaliser.moments
        for name, values in zip(_MOMENTS, (moments.mean, moments.variance), strict=True):
            tensors[name] = torch.from_numpy(values[member].copy())
    header = {_KEY: json.dumps({"format": _FORMAT, **description}, sort_keys=True, allow_nan=False)}
    content = save(tensors, metadata=header)
    replace_file(path, lambda file: file.write(content))


def read_description(path: Path) -> dict[str, Any]:
    """What the header says.

    Raises:
        FileNotFoundError: there is no file.
        ResultsError: no policy of this program, or of a newer one.
    """
    return _read(path)[0]


def fill_learner(learner: Learner, path: Path) -> None:
    """Give a learner of one member the parameters and statistics of a file.

    Raises:
        FileNotFoundError: there is no file.
        ResultsError: no policy of this program, or another network's.
    """
    _, tensors = _read(path)
    try:
        for name, parameter in learner.model.named_parameters():
            if parameter.numel():
                own = learner.model.view(learner.model.data, parameter)[0]
                if tensors[name].shape != own.shape or tensors[name].dtype != own.dtype:
                    raise ValueError(name)
                own.copy_(tensors[name])
        if learner.observation_normaliser is not None:
            mean, variance = (tensors[name].numpy()[None] for name in _MOMENTS)
            shape = learner.observation_normaliser.moments.mean.shape
            if mean.shape != shape or variance.shape != shape:
                raise ValueError(_MOMENTS[0])
            learner.observation_normaliser.load_state({"mean": mean, "variance": variance, "count": 1.0})
    except (KeyError, ValueError) as error:
        raise ResultsError(f"`{path}` does not hold the network that its description names") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Description and tensors by name."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = read_regular(path, _LARGEST)
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        found = json.loads(header["__metadata__"][_KEY])
        stored = found["format"]
        if not isinstance(stored, int) or not isinstance(found["definition"], dict):
            raise TypeError("not a description")
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise ResultsError(f"`{path}` is not a policy of this program") from error
    if stored != _FORMAT:
        raise ResultsError(f"`{path}` has format {stored}, this program reads {_FORMAT}")
    return dict(found), tensors
