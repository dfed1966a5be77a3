"""Slots from a fake inventory of cards."""

from __future__ import annotations

import os
import sys

import pytest

from gtr_bench.errors import MissingExtraError, RequestError
from gtr_bench.schedule.slots import (
    Gpu,
    find_gpus,
    free_card_bytes,
    make_slots,
    restrict,
    usable_cores,
    worker_environment,
)

CARDS = [Gpu(number, f"GPU-{name}", "card", 8 << 30) for number, name in enumerate(("aaaa", "bbbb", "cccc"))]


def no_library() -> list[Gpu]:
    raise MissingExtraError("placing workers on graphics cards", "gpu")


def test_cpu_slots_are_the_usable_cores_unless_a_number_is_asked_for() -> None:
    assert usable_cores() == len(os.sched_getaffinity(0))
    assert [slot.device for slot in make_slots(device="cpu", cores=3)] == ["cpu"] * 3
    assert len(make_slots(device="cpu", jobs=5, cores=3)) == 5


def test_gpu_slots_go_round_the_cards_before_sharing_one() -> None:
    slots = make_slots(device="cuda", jobs_per_gpu=2, gpus=lambda: CARDS)
    assert [slot.gpu for slot in slots] == [card.uuid for card in CARDS] * 2
    assert {slot.device for slot in slots} == {"cuda"}
    assert len(make_slots(device="cuda", jobs=2, jobs_per_gpu=4, gpus=lambda: CARDS)) == 2


def test_auto_takes_cards_if_there_are_any_and_cores_otherwise() -> None:
    assert make_slots(gpus=lambda: CARDS)[0].device == "cuda"
    assert make_slots(gpus=list, cores=2)[0].device == "cpu"
    assert make_slots(gpus=no_library, cores=2)[0].device == "cpu"


def test_asking_for_cards_that_are_not_there_is_refused() -> None:
    with pytest.raises(RequestError, match="no graphics card is usable"):
        make_slots(device="cuda", gpus=list)
    with pytest.raises(MissingExtraError):
        make_slots(device="cuda", gpus=no_library)


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        (None, [0, 1, 2]),
        ("2,0", [2, 0]),
        ("GPU-bb", [1]),
        ("", []),
        ("-1", []),
        ("0,7,1", [0]),
        (" 1 , GPU-cccc ", [1, 2]),
    ],
)
def test_an_existing_restriction_is_honoured_as_cuda_reads_it(visible: str | None, indices: list[int]) -> None:
    assert [card.index for card in restrict(CARDS, visible)] == indices


def test_a_worker_sees_its_card_only_and_has_one_thread() -> None:
    slot = make_slots(device="cuda", gpus=lambda: CARDS)[1]
    environment = worker_environment(slot, 1, {"MUJOCO_GL": "egl", "CUDA_VISIBLE_DEVICES": "0,1,2"})
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-bbbb"
    assert environment["MUJOCO_GL"] == "egl"
    assert environment["PYTHONHASHSEED"] == "0"
    assert {environment[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "OPENBLAS")} == {"1"}
    assert worker_environment(make_slots(device="cpu", cores=1)[0], 2, {})["CUDA_VISIBLE_DEVICES"] == ""


class FakeNvml:
    """The part of pynvml that is used; `broken` is a machine without a driver."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.open = False

    def nvmlInit(self) -> None:
        if self.broken:
            raise self.NVMLError
        self.open = True

    def nvmlShutdown(self) -> None:
        self.open = False

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> bytes | str:
        return b"GPU-old-bindings" if handle == 0 else "GPU-new-bindings"

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"Card {handle}"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        if uuid != "GPU-new-bindings":
            raise self.NVMLError
        return 1

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> object:
        return type("Memory", (), {"total": 8 << 30, "free": 3 << 30})


def test_cards_are_read_from_nvml_and_it_is_shut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert find_gpus({}) == [
        Gpu(0, "GPU-old-bindings", "Card 0", 8 << 30),
        Gpu(1, "GPU-new-bindings", "Card 1", 8 << 30),
    ]
    assert find_gpus({"CUDA_VISIBLE_DEVICES": "1"})[0].uuid == "GPU-new-bindings"
    assert not nvml.open


def test_free_memory_of_a_card_is_nvmls_and_unknown_where_it_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert free_card_bytes("GPU-new-bindings") == 3 << 30
    assert free_card_bytes("GPU-gone") is None
    assert not nvml.open
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(broken=True))
    assert free_card_bytes("GPU-new-bindings") is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert free_card_bytes("GPU-new-bindings") is None


def test_without_a_driver_there_are_no_cards_and_without_the_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(broken=True))
    assert find_gpus({}) == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(MissingExtraError, match="extra `gpu`"):
        find_gpus({})
