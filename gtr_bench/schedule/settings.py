"""What a user may ask of a run, with the bounds the command line names."""

from __future__ import annotations

from dataclasses import dataclass

from gtr_bench.schedule.slots import Device

__all__ = ["MINIMUM_FREE_BYTES", "UNKNOWN_WORKER_BYTES", "Settings"]

MINIMUM_FREE_BYTES = 200 * 1024**2
"""Below this much free disk nothing new starts: a checkpoint and a Parquet file must still fit for every worker."""

UNKNOWN_WORKER_BYTES = 600 * 1024**2
"""Memory expected of a worker whose like has not been seen yet: torch and MuJoCo take about 400 MB, data the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run schedules; nothing here changes a number in the results.

    Attributes:
        executor: where workers run, by its registered name.
        device, jobs, jobs_per_gpu: as `slots.make_slots` takes them.
        cohort: members per cohort at most; None lets the planner choose.
        threads: compute threads per worker.
        checkpoint_seconds: seconds between checkpoints.
        timeout: seconds a worker may run; None is for ever.
        stall_timeout: seconds a worker may go without a heartbeat.
        memory_limit_bytes: resident memory of a worker and its children at most; None is without limit.
        retries: how often a job is tried again after `killed`, `oom` or `error`.
        fail_fast: stop everything at the first failure.
        retry_failed: also run jobs that failed in an earlier run.
        log_limit: bytes a worker's log may take.
        profile: ask workers for the shares of their time.
        poll_seconds: how often the driver looks.
        grace_seconds: from asking a worker to stop until it is killed.
        hung_seconds: a worker over its time that has been silent for so long is killed without being waited for.
        same_startup_failures: that many equal start-up failures in a row pause the suite.
        minimum_free_bytes, unknown_worker_bytes: see the constants of this module.
    """

    executor: str = "local"
    device: Device = "auto"
    jobs: int | None = None
    jobs_per_gpu: int = 1
    cohort: int | None = None
    threads: int = 1
    checkpoint_seconds: float = 60.0
    timeout: float | None = None
    stall_timeout: float = 600.0
    memory_limit_bytes: int | None = None
    retries: int = 1
    fail_fast: bool = False
    retry_failed: bool = False
    log_limit: int = 1_000_000
    profile: bool = False
    poll_seconds: float = 0.1
    grace_seconds: float = 60.0
    hung_seconds: float = 5.0
    same_startup_failures: int = 3
    minimum_free_bytes: int = MINIMUM_FREE_BYTES
    unknown_worker_bytes: int = UNKNOWN_WORKER_BYTES
