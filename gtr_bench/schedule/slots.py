"""Where workers may run: CPU slots (usable cores) and GPU slots (NVML), and the environment a worker gets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gtr_bench.errors import MissingExtraError, RequestError

__all__ = [
    "Device",
    "Gpu",
    "Slot",
    "find_gpus",
    "free_card_bytes",
    "make_slots",
    "usable_cores",
    "worker_environment",
]

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics card. `uuid` is what CUDA_VISIBLE_DEVICES takes; `memory` in bytes."""

    index: int
    uuid: str
    name: str
    memory: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one worker. `gpu` is a card's UUID; None for a CPU slot."""

    number: int
    gpu: str | None = None

    @property
    def device(self) -> str:
        return "cpu" if self.gpu is None else "cuda"


def usable_cores() -> int:
    """Cores this process may use: what affinity (taskset, a container's cpuset) leaves, not what the machine has."""
    return len(os.sched_getaffinity(0))


def find_gpus(environment: Mapping[str, str] = os.environ) -> list[Gpu]:
    """The cards NVML sees, restricted to CUDA_VISIBLE_DEVICES (indices or UUID prefixes) where that is set.

    Empty without a driver. Raises MissingExtraError when nvidia-ml-py is not installed.
    """
    try:
        import pynvml
    except ModuleNotFoundError as error:
        raise MissingExtraError("placing workers on graphics cards", "gpu") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        cards = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            uuid, name = (
                _text(value) for value in (pynvml.nvmlDeviceGetUUID(handle), pynvml.nvmlDeviceGetName(handle))
            )
            cards.append(Gpu(index, uuid, name, int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)))
    finally:
        pynvml.nvmlShutdown()
    return restrict(cards, environment.get("CUDA_VISIBLE_DEVICES"))


def _text(value: str | bytes) -> str:
    """NVML bindings before version 12 return bytes."""
    return value.decode() if isinstance(value, bytes) else value


def free_card_bytes(uuid: str) -> int | None:
    """Memory nobody holds on the card of this UUID; None where NVML does not tell."""
    try:
        import pynvml
    except ModuleNotFoundError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid)).free)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def restrict(cards: Sequence[Gpu], visible: str | None) -> list[Gpu]:
    """The cards CUDA would show under this CUDA_VISIBLE_DEVICES, in its order; None means no restriction.

    As CUDA does, the list ends at the first entry that names no card (so `-1` and the empty string hide all).
    """
    if visible is None:
        return list(cards)
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in visible.split(",")):
        found = [
            card
            for card in cards
            if (entry.isdigit() and card.index == int(entry)) or (entry and card.uuid.startswith(entry))
        ]
        if not found:
            break
        chosen.append(found[0])
    return chosen


def make_slots(
    *,
    device: Device = "auto",
    jobs: int | None = None,
    jobs_per_gpu: int = 1,
    gpus: Callable[[], Sequence[Gpu]] = find_gpus,
    cores: int | None = None,
) -> list[Slot]:
    """The slots of this machine.

    Args:
        device: `auto` takes the cards if there are any, else the cores.
        jobs: workers at once, at most (cuda) or exactly (cpu); default one per core or `jobs_per_gpu` per card.
        jobs_per_gpu: workers sharing one card.
        gpus: the inventory of cards; a fake one in tests.
        cores: usable cores; default by affinity.

    Raises:
        RequestError: `cuda` without a card. MissingExtraError: `cuda` without nvidia-ml-py.
    """
    cards: Sequence[Gpu] = []
    if device != "cpu":
        try:
            cards = gpus()
        except MissingExtraError:
            # Only `auto` may go on without: whoever asks for cuda must hear what is missing.
            if device == "cuda":
                raise
        if device == "cuda" and not cards:
            raise RequestError(
                "no graphics card is usable", hint="`gtr-bench doctor` says why; `--device cpu` needs none"
            )
    if cards:
        # Round robin, so that two workers land on two cards before any card gets a second one.
        places = [card.uuid for _ in range(jobs_per_gpu) for card in cards]
        return [Slot(number, uuid) for number, uuid in enumerate(places[:jobs])]
    return [Slot(number) for number in range(jobs if jobs is not None else cores or usable_cores())]


def worker_environment(slot: Slot, threads: int, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables of a worker: `threads` compute threads, its card only, its driver."""
    environment = dict(base)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(threads)
    # glibc gives freed memory back at once and asks for it again at the next tensor
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        environment.setdefault(name, str(1 << 28))
    environment["PYTHONHASHSEED"] = "0"
    environment["PYTHONUNBUFFERED"] = "1"
    environment["CUDA_VISIBLE_DEVICES"] = slot.gpu or ""
    environment["GTR_BENCH_DRIVER"] = str(os.getpid())
    return environment
