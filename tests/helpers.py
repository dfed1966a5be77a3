"""What tests of several rooms, and benchmarks, share: suites, results of made-up jobs, waiting, processes apart."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gtr_bench.store.schema import EVALUATIONS
from gtr_bench.store.writer import write_summary, write_table
from gtr_bench.suite import Job, canonical_json

FAULTS = Path(__file__).parent / "fault_package"

SWAPPED = {"cartpole": 'env = "gym:CartPole-v1"\nphases = 2\nshift = { kind = "action_permutation" }'}
SWAPPED_BACK = {"cartpole": SWAPPED["cartpole"].replace(" }", ", cycle = 2 }")}


def suite_text(
    name: str = "tiny",
    question: str = "Does it run?",
    *,
    tables: str = "",
    seeds: int = 2,
    steps: int = 1024,
    sequences: Mapping[str, str] = SWAPPED,
    algorithms: Sequence[str] = ("ppo",),
) -> str:
    """A suite file; what is appended to it belongs to the table of its last algorithm.

    Args:
        tables: what follows in `[suite]`, and further tables.
        steps: of a phase at the scale `laptop`, the only one.
        sequences: id -> further lines of its table, which name the environment.
    """
    blocks = [
        f'[suite]\nname = "{name}"\nquestion = "{question}"\nprimary_metric = "lifetime_return"\n{tables}',
        f"[scale.laptop]\nseeds = {seeds}\nsteps_per_phase = {steps}\n",
        *(f'[[sequence]]\nid = "{identifier}"\n{lines}\n' for identifier, lines in sequences.items()),
        *(f'[[algorithm]]\nid = "{algorithm}"\n' for algorithm in algorithms),
    ]
    return "\n" + "\n".join(blocks)


def points_of(job: Job) -> list[tuple[int, int, str]]:
    """(step, phase, point) of a job's evaluations, as training takes them."""
    every = job.definition["evaluation"]["every"]
    points, start = [], 0
    for phase, each in enumerate(job.definition["sequence"]["phases"]):
        points.append((start, phase, "after_shift" if phase else "start"))
        points += [(start + step, phase, "grid") for step in range(every, each["steps"] + 1, every)]
        start += each["steps"]
    return points


def job_columns(job: Job, **more: Any) -> dict[str, list[Any]]:
    """The one row of a finished job's `job.parquet`; `more` are further columns, or others' values."""
    row = {name: getattr(job, name) for name in ("suite", "scale", "algorithm", "sequence", "role", "seed")} | {
        "job": job.id,
        "status": "complete",
        "algorithm_name": job.definition["algorithm"]["name"],
        "definition": canonical_json(job.definition),
        "device": "cpu",
        "packages": "{}",
        "finished": "2026-01-01T00:10:00+00:00",
    }
    return {name: [value] for name, value in (row | more).items()}


def write_finished(results: Path, job: Job, returns: Sequence[float], **more: Any) -> None:
    """What a worker leaves of a job, by the program's own writer: `returns` at its first points, and `job_columns`."""
    folder = results / "jobs" / job.id
    folder.mkdir(parents=True, exist_ok=True)
    points = points_of(job)[: len(returns)]
    columns = {
        "job": [job.id] * len(points),
        "step": [step for step, _, _ in points],
        "phase": [phase for _, phase, _ in points],
        "evaluated_phase": [phase for _, phase, _ in points],
        "point": [point for _, _, point in points],
        "episodes": [job.definition["evaluation"]["episodes"]] * len(points),
        "return_mean": returns,
    }
    write_table(folder / "evaluations.parquet", EVALUATIONS, columns)
    write_summary(folder, {name: value for name, (value,) in job_columns(job, **more).items()})


def touch_done(folder: Path) -> None:
    """The least a job's folder has when the job is done: an empty Parquet file as far as `store.state` looks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.parquet").write_bytes(b"PAR1" + bytes(4) + b"PAR1")


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Poll until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in {seconds:g} s"
        time.sleep(0.02)


def execute_light(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which fails with the names of the heavy packages it imported, if any."""
    code = (
        "import sys; from gtr_bench.cli.main import execute; "
        f"code = execute({list(arguments)!r}); "
        "heavy = {'torch', 'pandas', 'mujoco', 'metaworld', 'matplotlib'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or code)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
