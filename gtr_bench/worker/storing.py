"""What a worker leaves behind: rows while it runs, and each job's summary when it is done."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import gtr_bench
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.files import write_json
from gtr_bench.learners.base import Run
from gtr_bench.learners.columns import columns_of
from gtr_bench.store.provenance import hardware, packages, peak_memory_bytes
from gtr_bench.store.schema import EVALUATIONS, iterations_schema
from gtr_bench.store.writer import write_summary, write_table
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.seeds import derive_seeds
from gtr_bench.worker.device_memory import peak_device_memory_bytes

__all__ = ["Storing"]


class Storing:
    """Writes the Parquet files of a cohort's jobs; a job whose job.parquet exists is never touched again."""

    def __init__(self, cohort: Mapping[str, Any], results: Path) -> None:
        self._cohort = cohort
        self._folders = [results / "jobs" / job["id"] for job in cohort["jobs"]]
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
        # members differ in nothing that declares a column
        self._iterations = iterations_schema(columns_of(cohort["jobs"][0]["definition"]))
        self._started = _now()
        self._clocks = (time.monotonic(), time.process_time())
        self.earlier = {"wall_seconds": 0.0, "cpu_seconds": 0.0}

    @cached_property
    def packages(self) -> dict[str, str]:
        """Versions of what is installed; looked up once, which takes 0.1 s and more."""
        return packages()

    def spent(self) -> dict[str, float]:
        """Wall and CPU seconds of the cohort so far, earlier workers included."""
        return {
            "wall_seconds": self.earlier["wall_seconds"] + time.monotonic() - self._clocks[0],
            "cpu_seconds": self.earlier["cpu_seconds"] + time.process_time() - self._clocks[1],
        }

    def rows(self, run: Run) -> None:
        """Replace every unfinished job's evaluations and iterations by what is known now."""
        for member, folder in enumerate(self._folders):
            if (folder / "job.parquet").exists():
                continue
            evaluations, iterations = run.rows_of(member)
            names = [self._cohort["jobs"][member]["id"]]
            write_table(
                folder / "evaluations.parquet", EVALUATIONS, {"job": names * len(evaluations["step"]), **evaluations}
            )
            write_table(
                folder / "iterations.parquet", self._iterations, {"job": names * len(iterations["step"]), **iterations}
            )

    def finish(self, run: Run) -> None:
        """Write the rows and then, last, each job's summary: from that instant the job is done."""
        self.rows(run)
        shared = self._shared(run)
        for member, folder in enumerate(self._folders):
            if (folder / "job.parquet").exists():
                continue
            diverged = int(run.diverged[member])
            if diverged >= 0:
                self._note_divergence(member, folder, run.messages[member], diverged)
            else:
                (folder / "failure.json").unlink(missing_ok=True)
            row = (
                shared
                | self._own(member)
                | {
                    "status": "diverged" if diverged >= 0 else "complete",
                    "message": run.messages[member] or None,
                    "diverged_step": diverged if diverged >= 0 else None,
                    "steps": diverged if diverged >= 0 else run.step,
                }
            )
            if diverged < 0:
                self._keep_policy(run, member, folder)
            write_summary(folder, row)

    def _keep_policy(self, run: Run, member: int, folder: Path) -> None:
        """What was learned, where the learner kind has a form for it and nobody asked to save the disk."""
        keep = getattr(run, "keep", None)
        if keep is not None and self._cohort.get("policies", True):
            job = self._cohort["jobs"][member]
            labels = ("suite", "scale", "algorithm", "sequence", "seed")
            keep(member, folder, {"job": job["id"], **{name: job[name] for name in labels}})

    def _note_divergence(self, member: int, folder: Path, message: str, step: int) -> None:
        job = self._cohort["jobs"][member]
        content = {
            "reason": "diverged",
            "message": message,
            "log": f"cohorts/{self._cohort['id']}/log.txt",
            "step": step,
            "time": time.time(),
            "environment": _environment_at(job["definition"], step),
            "at_fault": job["id"],
        }
        write_json(folder / "failure.json", content)

    def _own(self, member: int) -> dict[str, Any]:
        job = self._cohort["jobs"][member]
        seeds = derive_seeds(job["definition"])
        return {
            "job": job["id"],
            "suite": job["suite"],
            "scale": job["scale"],
            "algorithm": job["algorithm"],
            "algorithm_name": job["definition"]["algorithm"]["name"],
            "learner": algorithms.get(job["definition"]["algorithm"]["name"]).learner,
            "sequence": job["sequence"],
            "role": job["role"],
            "seed": job["seed"],
            "learner_seed": seeds.learner,
            "environment_seed": seeds.environment,
            "shift_seed": seeds.shift,
            "definition": canonical_json(job["definition"]),
            "member": member,
        }

    def _shared(self, run: Run) -> dict[str, Any]:
        provenance, spent = self._cohort["provenance"], self.spent()
        return spent | {
            "cohort": self._cohort["id"],
            "members": run.members,
            "device": self._cohort["device"],
            "steps_per_second": run.step * run.members / max(spent["wall_seconds"], 1e-9),
            "started": self._started,
            "finished": _now(),
            "gtr_bench_version": gtr_bench.__version__,
            "git_sha": provenance.get("git_sha"),
            "git_dirty": provenance.get("git_dirty"),
            "packages": json.dumps(self.packages, sort_keys=True),
            "hardware": json.dumps(hardware(), sort_keys=True),
            "command": " ".join(provenance.get("command") or []),
            "suite_path": provenance.get("suite_path"),
            "suite_text": provenance.get("suite_text"),
            "peak_memory_bytes": peak_memory_bytes(),
            "peak_device_memory_bytes": peak_device_memory_bytes(),
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _environment_at(definition: Mapping[str, Any], step: int) -> str:
    """The one whose steps ended at or contain environment step `step` of the run, counted from 1."""
    phases = definition["sequence"]["phases"]
    for phase in phases:
        if step <= phase["steps"]:
            return str(phase["environment"])
        step -= phase["steps"]
    return str(phases[-1]["environment"])
