"""Workers of this machine start only where a slot is free and the memory they will need is there."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gtr_bench.errors import UnknownNameError
from gtr_bench.files import write_json
from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.claims import FlockClaim, is_held
from gtr_bench.schedule.executors import local
from gtr_bench.schedule.executors.base import Demand, Exit
from gtr_bench.schedule.executors.local import LocalExecutor
from gtr_bench.schedule.executors.registry import executors, open_executor
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.slots import Slot
from tests.schedule.conftest import make_job

MB = 1 << 20
CARDS = ("GPU-aaaa", "GPU-bbbb")


@dataclass
class Process:
    """A worker that takes what it is told to take."""

    host_bytes: int = 0
    device_bytes: int = 0
    ended: bool = False


class Machine:
    """A local executor whose processes and memory are made up. `free` is memory of the host, `cards` of each card."""

    def __init__(self, slots: Sequence[Slot], monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 1000 * MB
        self.cards: dict[str, int | None] = dict.fromkeys(CARDS, 8000 * MB)
        self.said: list[str] = []
        self.used: list[str] = []
        self.executor = LocalExecutor(
            slots,
            Settings(unknown_worker_bytes=600 * MB),
            self.said.append,
            host_memory=lambda: self.free,
            card_memory=lambda uuid: self.cards[uuid],
        )
        monkeypatch.setattr(local, "start_process", self.start)
        job = make_job()
        self.assignment = Assignment("c", (job,), (job_record(job),))

    def start(self, document: Path, *, environment: Any, **rest: Any) -> Any:
        self.used.append(environment["CUDA_VISIBLE_DEVICES"])
        return Process()

    def submit(self, demand: Demand, *, host: int = 0, device: int = 0) -> Process:
        """Start a worker that takes so many bytes at present."""
        process: Any = self.executor.submit(self.assignment, Path("c/cohort.json"), demand, [])
        process.host_bytes, process.device_bytes = host, device
        return process  # type: ignore[no-any-return]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    """machine(slots=3, cards=()): slots go round the cards."""

    def make(slots: int = 3, cards: Sequence[str] = ()) -> Machine:
        places = [cards[number % len(cards)] if cards else None for number in range(slots)]
        return Machine([Slot(number, card) for number, card in enumerate(places)], monkeypatch)

    return make


def test_every_slot_takes_one_worker_and_is_free_again_after_it(machine: Any) -> None:
    here = machine(2)
    here.free = 1 << 50
    first = here.submit(Demand(1))
    here.submit(Demand(1))
    assert not here.executor.room(Demand(1))
    with pytest.raises(ValueError, match="no room"):
        here.submit(Demand(1))
    first.ended = True
    assert here.executor.room(Demand(1))


def test_a_worker_of_unknown_size_is_taken_for_the_default(machine: Any) -> None:
    here = machine()
    here.submit(Demand(1, 300 * MB), host=300 * MB)
    here.free = 599 * MB
    assert not here.executor.room(Demand(1))
    here.free = 600 * MB
    assert here.executor.room(Demand(1))


def test_what_running_workers_will_still_take_is_kept_free(machine: Any) -> None:
    here = machine()
    worker = here.submit(Demand(1), host=500 * MB)
    assert here.executor.room(Demand(1))
    worker.host_bytes = 100 * MB
    assert not here.executor.room(Demand(1))
    worker.host_bytes = 900 * MB
    assert here.executor.room(Demand(1))


def test_with_nothing_running_a_worker_too_large_is_tried_and_that_is_said_once(machine: Any) -> None:
    here = machine()
    here.free = 100 * MB
    assert here.executor.room(Demand(1, 700 * MB))
    here.submit(Demand(1, 700 * MB))
    assert here.said == ["less memory is free than the 700 MB a worker may need; running one at a time"]
    assert not here.executor.room(Demand(1, 200 * MB))


def test_workers_on_a_card_are_as_many_as_its_memory_holds(machine: Any) -> None:
    here = machine(6, CARDS)
    need = Demand(1, 10 * MB, 3000 * MB)
    workers = [here.submit(need) for _ in range(4)]
    assert here.used == [*CARDS, *CARDS]
    assert not here.executor.room(need)
    # A third one fits once it is known to fit what is left: the first two hold all they will ever hold.
    workers[0].device_bytes = workers[2].device_bytes = 3000 * MB
    here.cards[CARDS[0]] = 2999 * MB
    assert not here.executor.room(need)
    here.cards[CARDS[0]] = 3000 * MB
    assert here.executor.room(need)
    here.submit(need)
    assert here.used[-1] == CARDS[0]
    assert here.said == []


def test_a_card_another_program_has_filled_is_passed_over(machine: Any) -> None:
    here = machine(2, CARDS)
    here.cards[CARDS[0]] = 10 * MB
    here.submit(Demand(1, 10 * MB, 3000 * MB))
    assert here.used == [CARDS[1]]
    assert not here.executor.room(Demand(1, 10 * MB, 3000 * MB))


def test_full_cards_and_nothing_running_is_tried_and_said(machine: Any) -> None:
    here = machine(2, CARDS)
    here.cards = dict.fromkeys(CARDS, 10 * MB)
    assert here.executor.room(Demand(1, 10 * MB, 3000 * MB))
    assert here.said == ["less memory is free than the 3000 MB of a card a worker like it took; running one at a time"]


def test_memory_of_a_card_that_is_unknown_is_said_to_be_and_its_slots_are_used(machine: Any) -> None:
    here = machine(3, CARDS[:1])
    here.submit(Demand(1, 10 * MB))
    assert here.said == []
    here.submit(Demand(1, 10 * MB))
    here.cards[CARDS[0]] = None
    here.submit(Demand(1, 10 * MB, 3000 * MB))
    assert here.said == [
        "how much memory of a card these workers take is unknown until one has finished",
        "how much memory of a card is free cannot be read",
    ]


def test_a_worker_inherits_claims_and_tells_its_pid_its_memory_and_how_it_ended(tmp_path: Path) -> None:
    program = "import time; x = bytearray(50 << 20); print('hello', flush=True); time.sleep(60)"
    executor = LocalExecutor([Slot(0)], Settings(), print, command=(sys.executable, "-c", program))
    job = make_job()
    claim = FlockClaim.take(tmp_path / "lock", job.id)
    assert claim is not None
    document = tmp_path / "cohort.json"
    handle = executor.submit(Assignment("c", (job,), (job_record(job),)), document, Demand(1), [claim])
    claim.release()
    assert is_held(tmp_path / "lock")
    assert not handle.waiting
    assert handle.usage().host_bytes is None
    while not (tmp_path / "log.txt").exists():
        time.sleep(0.02)
    write_json(tmp_path / "heartbeat.json", {"state": "running", "time": 0.0, "peak_device_memory_bytes": 7})
    assert handle.poll() is None
    usage = handle.usage()
    assert usage.host_bytes is not None
    assert usage.host_bytes > 50 * MB
    assert usage.device_bytes == 7
    os.kill(handle.pid, 0)
    handle.stop()
    while (end := handle.poll()) is None:
        time.sleep(0.02)
    assert end == handle.poll() == Exit(-15)
    assert not is_held(tmp_path / "lock")
    handle.stop()
    handle.kill()
    assert executor.room(Demand(1))


def test_a_package_registers_an_executor_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", f"{__name__}:given", "gtr_bench.executors")
    monkeypatch.setattr("gtr_bench.registry.entry_points", lambda group: [point] if group == point.group else [])
    monkeypatch.setattr(executors, "_loaded", {})
    settings = Settings(executor="mine", threads=3)
    monkeypatch.setitem(sys.modules, __name__, SimpleNamespace(given=lambda *arguments: arguments))
    opened: Any = open_executor(settings, print)
    assert opened == (settings, print)
    assert executors.names() == ["local", "mine"]


def test_the_settings_name_the_executor_and_what_it_uses() -> None:
    opened = open_executor(Settings(device="cpu", jobs=3), print)
    assert (opened.slots, opened.device, opened.detached) == (3, "cpu", False)
    assert opened.attach(Path()) is None
    assert "local" in executors.names()
    with pytest.raises(UnknownNameError, match="unknown executor `locl`"):
        open_executor(Settings(executor="locl"), print)
