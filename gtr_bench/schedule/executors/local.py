"""Workers as processes of this machine: one to a slot, as long as its memory and that of its cards last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gtr_bench.schedule.executors import process as processes
from gtr_bench.schedule.executors.base import Demand
from gtr_bench.schedule.executors.process import WorkerProcess, start_process
from gtr_bench.schedule.resources import available_memory_bytes
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.slots import Slot, free_card_bytes, make_slots, worker_environment

if TYPE_CHECKING:
    from gtr_bench.schedule.assignments import Assignment
    from gtr_bench.schedule.claims import Claim

__all__ = ["LocalExecutor", "open_local"]


def open_local(settings: Settings, say: Callable[[str], None]) -> LocalExecutor:
    """The executor on this machine's slots; raises RequestError or MissingExtraError where the device is not there."""
    slots = make_slots(device=settings.device, jobs=settings.jobs, jobs_per_gpu=settings.jobs_per_gpu)
    return LocalExecutor(slots, settings, say)


@dataclass(frozen=True, slots=True)
class _Placed:
    slot: Slot
    demand: Demand
    process: WorkerProcess


class LocalExecutor:
    """Places workers on slots; they stop when the driver dies."""

    detached = False

    def __init__(
        self,
        slots: Sequence[Slot],
        settings: Settings,
        say: Callable[[str], None],
        *,
        command: Sequence[str] | None = None,
        host_memory: Callable[[], int] = available_memory_bytes,
        card_memory: Callable[[str], int | None] = free_card_bytes,
    ) -> None:
        """At least one slot, all of one device.

        `command` starts a worker, by default ours; the last two say how much memory is free, here and on a card.
        """
        self._slots = list(slots)
        self._settings = settings
        self._say = say
        self._command = tuple(command or processes.WORKER_COMMAND)
        self._host_memory = host_memory
        self._card_memory = card_memory
        self._workers: list[_Placed] = []
        self._told: set[str] = set()

    @property
    def slots(self) -> int:
        return len(self._slots)

    @property
    def device(self) -> str:
        return self._slots[0].device

    def room(self, demand: Demand) -> bool:
        """Whether a slot is free and memory suffices, counting what running workers will still grow by.

        With none running waiting would be for ever, so there is room, and the user is told.
        """
        return self._place(demand) is not None

    def submit(self, assignment: Assignment, document: Path, demand: Demand, claims: Sequence[Claim]) -> WorkerProcess:
        """Start a process; it inherits the claims. Raises ValueError where there is no room."""
        slot = self._place(demand)
        if slot is None:
            raise ValueError("there is no room for another worker")
        process = start_process(
            document,
            command=self._command,
            environment=worker_environment(slot, demand.cores),
            descriptors=[claim.descriptor for claim in claims if claim.descriptor is not None],
            log_limit=self._settings.log_limit,
            memory_limit=self._settings.memory_limit_bytes,
        )
        self._workers.append(_Placed(slot, demand, process))
        return process

    def attach(self, cohort: Path) -> None:
        """No worker outlives its driver."""

    def _place(self, demand: Demand) -> Slot | None:
        self._workers = [worker for worker in self._workers if not worker.process.ended]
        taken = {worker.slot for worker in self._workers}
        free = [slot for slot in self._slots if slot not in taken]
        if not free:
            return None
        short = None if self._fits_host(demand) else f"the {self._host_bytes(demand) >> 20} MB a worker may need"
        if short is None:
            for slot in free:
                if self._fits_card(demand, slot):
                    return slot
            short = f"the {(demand.device_bytes or 0) >> 20} MB of a card a worker like it took"
        if self._workers:
            return None
        self._tell(f"less memory is free than {short}; running one at a time")
        return free[0]

    def _host_bytes(self, demand: Demand) -> int:
        return self._settings.unknown_worker_bytes if demand.host_bytes is None else demand.host_bytes

    def _fits_host(self, demand: Demand) -> bool:
        growth = sum(max(0, self._host_bytes(other.demand) - other.process.host_bytes) for other in self._workers)
        return self._host_bytes(demand) + growth <= self._host_memory()

    def _fits_card(self, demand: Demand, slot: Slot) -> bool:
        """What is unknown of a card fits: its slots are then as many as the user asked for."""
        if slot.gpu is None:
            return True
        beside = [other for other in self._workers if other.slot.gpu == slot.gpu]
        if demand.device_bytes is None:
            if beside:
                self._tell("how much memory of a card these workers take is unknown until one has finished")
            return True
        free = self._card_memory(slot.gpu)
        if free is None:
            self._tell("how much memory of a card is free cannot be read")
            return True
        growth = sum(max(0, (other.demand.device_bytes or 0) - other.process.device_bytes) for other in beside)
        return demand.device_bytes + growth <= free

    def _tell(self, sentence: str) -> None:
        """Each kind of trouble once."""
        kind = sentence.partition(" than ")[0]
        if kind not in self._told:
            self._told.add(kind)
            self._say(sentence)
