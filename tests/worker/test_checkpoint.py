"""Checkpoints are loaded as they were saved or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gtr_bench.errors import EnvironmentFault, ResultsError, disk_fault
from gtr_bench.learn.training import Training
from gtr_bench.worker import checkpoint as module
from gtr_bench.worker.checkpoint import load_checkpoint, origin_of, save_checkpoint

from .conftest import definition

ORIGIN = {"cohort": "c", "git_sha": "abc", "git_dirty": False, "versions": {"torch": "1"}}
SPENT = {"wall_seconds": 1.5, "cpu_seconds": 1.0}
FLIPS = 150


class Run:
    """Keeps one file; `raises` is what loading it meets."""

    step = 7

    def __init__(self, raises: Exception | None = None) -> None:
        self.loaded: bytes | None = None
        self._raises = raises

    def save(self, folder: Path) -> None:
        (folder / "state").write_bytes(b"all there is to know")

    def load(self, folder: Path) -> None:
        if self._raises is not None:
            raise self._raises
        self.loaded = (folder / "state").read_bytes()


def save(path: Path, run: Any = None) -> None:
    save_checkpoint(path, run or Run(), SPENT, ORIGIN)  # type: ignore[arg-type]


def load(path: Path, run: Any, cohort: str = "c") -> dict[str, float] | None:
    return load_checkpoint(path, run, cohort)


def test_a_checkpoint_comes_back_with_what_was_spent_and_says_where_it_is_from(tmp_path: Path) -> None:
    path, run = tmp_path / "checkpoint", Run()
    assert load(path, run) is None
    save(path)
    assert load(path, run) == SPENT
    assert run.loaded == b"all there is to know"
    assert json.loads((path / "worker.json").read_text()) == {"format": 3, **ORIGIN, "step": 7, "spent": SPENT}


def test_the_origin_names_cohort_commit_and_versions() -> None:
    provenance = {"git_sha": "abc", "git_dirty": True, "command": []}
    assert origin_of({"id": "c", "provenance": provenance}, {"torch": "1"}) == ORIGIN | {"git_dirty": True}


def test_no_single_flipped_bit_of_any_file_is_loaded(tmp_path: Path) -> None:
    """Of a real one: 150 bits, evenly over its bytes by a fixed seed, and every bit of the two small files' ends."""
    run = Training([definition("gtr", 0, "gym:CartPole-v1", 128)], torch.device("cpu"))
    run.run(lambda: False)
    whole, path = tmp_path / "whole", tmp_path / "checkpoint"
    save(whole, run)
    files = sorted(each for each in whole.iterdir())
    assert [each.name for each in files] == ["SHA256SUMS", "state.pt", "worker.json"]
    bits = [(each.name, bit) for each in files for bit in range(8 * each.stat().st_size)]
    chosen = random.Random(0).sample(bits, FLIPS)
    chosen += [(name, bit) for name in ("SHA256SUMS", "worker.json") for bit in range(8 * 16)]
    loaded = []
    for name, bit in chosen:
        shutil.copytree(whole, path)
        content = bytearray((path / name).read_bytes())
        content[bit // 8] ^= 1 << bit % 8
        (path / name).write_bytes(content)
        with contextlib.suppress(ResultsError):
            load(path, Run())
            loaded.append((name, bit))
        shutil.rmtree(path)
    assert loaded == []
    load(whole, Training([definition("gtr", 0, "gym:CartPole-v1", 128)], torch.device("cpu")))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "SHA256SUMS").unlink(),
        lambda folder: (folder / "state").unlink(),
        lambda folder: (folder / "state").write_bytes(b""),
        lambda folder: (folder / "more").write_bytes(b"foreign"),
        lambda folder: (folder / "worker.json").write_text("[" * 100_000),
    ],
)
def test_missing_cut_and_foreign_files_are_refused(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    save(tmp_path / "checkpoint")
    damage(tmp_path / "checkpoint")
    with pytest.raises(ResultsError):
        load(tmp_path / "checkpoint", Run())


def resum(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text(module._sums(folder))


@pytest.mark.parametrize(
    "own",
    ["{}", "[" * 100_000, "[]", '{"format": 2}', '{"format": 3, "cohort": "c", "spent": 1}', '{"format": 3}'],
)
def test_whole_files_of_another_meaning_are_refused_too(tmp_path: Path, own: str) -> None:
    save(tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "worker.json").write_text(own)
    resum(tmp_path / "checkpoint")
    with pytest.raises(ResultsError):
        load(tmp_path / "checkpoint", Run())


def test_a_checkpoint_of_another_cohort_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "checkpoint")
    with pytest.raises(ResultsError, match="is of the cohort c"):
        load(tmp_path / "checkpoint", Run(), "d")


@pytest.mark.parametrize("raised", [KeyError("learner"), OSError(errno.EINVAL, "x"), RuntimeError("No space left")])
def test_missing_keys_and_what_a_cut_file_gives_are_damage_whatever_the_words(
    tmp_path: Path, raised: Exception
) -> None:
    save(tmp_path / "checkpoint")
    with pytest.raises(ResultsError, match="is damaged"):
        load(tmp_path / "checkpoint", Run(raised))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT])
def test_what_the_disk_and_memory_and_environments_do_is_no_damage(tmp_path: Path, number: int) -> None:
    save(tmp_path / "checkpoint")
    for raised in (OSError(number, "x"), MemoryError(), EnvironmentFault("`x` raised")):
        with pytest.raises(type(raised)):
            load(tmp_path / "checkpoint", Run(raised))


def test_only_four_errnos_are_the_disks_fault_and_of_an_environment_only_a_full_disk() -> None:
    def caused(error: Exception, by: Exception) -> Exception:
        error.__cause__ = by
        return error

    assert [disk_fault(OSError(number, "x")) for number in (errno.EINVAL, errno.ENOENT, errno.EROFS)] == [None] * 3
    assert disk_fault(RuntimeError("[Errno 28] No space left on device")) is None
    assert disk_fault(caused(ResultsError("x"), OSError(errno.EIO, "x"))) == errno.EIO
    assert disk_fault(caused(EnvironmentFault("x"), OSError(errno.EACCES, "x"))) is None
    assert disk_fault(caused(EnvironmentFault("x"), OSError(errno.ENOSPC, "x"))) == errno.ENOSPC
