"""State files bring back exactly what was saved, and nothing that runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gtr_bench.errors import ResultsError
from gtr_bench.learn.diagnostics import PathProbe
from gtr_bench.learn.distributions import Categorical
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.state_file import load_state, save_state

CPU = torch.device("cpu")


def test_arrays_tensors_and_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    state = {
        "array": np.arange(6, dtype=np.uint64).reshape(2, 3),
        "scalar": np.float64(0.1),
        "zero-dimensional": np.array(3.5),
        "empty": np.zeros((0, 4), np.bool_),
        "tensor": torch.tensor([[1.0, float("nan")]]),
        "list": [1, "two", None, {"deep": np.array([True])}],
    }
    save_state(tmp_path / "c.pt", state)
    found = load_state(tmp_path / "c.pt", CPU)
    assert found["array"].dtype == np.uint64
    np.testing.assert_array_equal(found["array"], state["array"])
    assert found["scalar"] == 0.1
    assert found["zero-dimensional"].shape == ()
    assert found["empty"].shape == (0, 4)
    torch.testing.assert_close(found["tensor"], state["tensor"], equal_nan=True, rtol=0, atol=0)
    assert found["list"][:3] == [1, "two", None]
    assert found["list"][3]["deep"].tolist() == [True]


def test_loaded_arrays_can_be_written_to(tmp_path: Path) -> None:
    save_state(tmp_path / "c.pt", {"array": np.zeros(3)})
    found = load_state(tmp_path / "c.pt", CPU)
    found["array"][0] = 1.0
    assert found["array"].tolist() == [1.0, 0.0, 0.0]


def test_a_file_that_is_gone_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="is missing") as caught:
        load_state(tmp_path / "c.pt", CPU)
    assert caught.value.__cause__ is None


class _Payload:
    def __reduce__(self) -> Any:
        return os.system, ("touch owned",)


def test_a_file_that_would_run_code_is_refused_and_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "state": _Payload()}, tmp_path / "torch.pt")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(_Payload()))
    for name in ("torch.pt", "pickle.pt"):
        with pytest.raises(ResultsError, match="not a readable checkpoint"):
            load_state(tmp_path / name, CPU)
    assert not (tmp_path / "owned").exists()


def test_a_truncated_or_foreign_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    save_state(path, {"tensor": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ResultsError, match="not a readable checkpoint"):
        load_state(path, CPU)
    torch.save({"format": 99, "state": {}}, path)
    with pytest.raises(ResultsError, match="another checkpoint format"):
        load_state(path, CPU)


def test_on_another_device_only_the_learners_tensors_move(tmp_path: Path) -> None:
    state = {"parameters": torch.zeros(2), "generators": [torch.Generator().get_state()], "array": np.zeros(2)}
    save_state(tmp_path / "c.pt", state)
    found = load_state(tmp_path / "c.pt", torch.device("meta"))
    assert found["parameters"].device.type == "meta"
    assert found["generators"][0].device.type == "cpu"
    assert isinstance(found["array"], np.ndarray)


def test_only_the_optimizers_step_counts_stay_behind(tmp_path: Path) -> None:
    probe = PathProbe()
    probe.before_update(torch.zeros(1, 4, 1), Categorical.from_logits(torch.zeros(1, 4, 2)))
    probe.after_update(Categorical.from_logits(torch.ones(1, 4, 2)))
    optimizer = Optimizer("adam", torch.zeros(1, 2), epsilon=1e-5)
    save_state(tmp_path / "c.pt", {"probe": probe.state(), "optimizer": optimizer.state()})
    found = load_state(tmp_path / "c.pt", torch.device("meta"))
    moved = [
        found["probe"]["states"],
        *found["probe"]["policies"],
        *found["probe"]["lengths"],
        found["optimizer"]["first"],
    ]
    assert {tensor.device.type for tensor in moved} == {"meta"}
    assert found["optimizer"]["steps"].device.type == "cpu"
