"""`gtr-bench play`: what a trained policy does, in numbers and as an animation."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import DEFAULT_RESULTS, JsonOption, ResultsOption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtr_bench.environments.sequence import SequenceEnvironment
    from gtr_bench.policies import Policy

__all__ = ["register"]

FRAME_MILLISECONDS = 40
LONGEST = 2000
"""frames of an animation at most"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("play")(play)


def play(
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="Id of a finished job or its beginning, or a policy file.",
            autocompletion=completion.jobs,
        ),
    ],
    results: ResultsOption = DEFAULT_RESULTS,
    phase: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="In which phase's world, from 0.  [default: the last]")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, max=10_000, metavar="N", help="How many.  [default: as it was evaluated]")
    ] = None,
    gif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an episode here.")] = None,
    json: JsonOption = False,
) -> None:
    """Play episodes with a trained policy.

    Prints what they returned. Without options these are the episodes of the job's last evaluation again.
    """
    from gtr_bench.policies import load_policy

    policy = load_policy(job, results)
    if gif is not None:
        _film(policy, phase, gif)
    found = policy.evaluate(phase, episodes)
    policy.close()
    numbers: dict[str, Any] = {
        "job": policy.description["job"],
        "phase": policy.phases - 1 if phase is None else phase,
        "episodes": episodes or policy.episodes,
        "return_mean": float(found.return_mean[0]),
        "return_std": float(found.return_std[0]),
        "length_mean": float(found.length_mean[0]),
        "success_rate": None if found.success_rate is None else float(found.success_rate[0]),
    }
    if json:
        typer.echo(json_module.dumps(numbers, allow_nan=False))
        return
    for name, value in numbers.items():
        if value is not None:
            typer.echo(f"{name:<12}  {value:.4g}" if isinstance(value, float) else f"{name:<12}  {value}")


def _film(policy: Policy, phase: int | None, path: Path) -> None:
    """One episode of its own as an animation."""
    from gtr_bench.environments.pictures import drawn, write_gif
    from gtr_bench.errors import RequestError

    frames: list[Any] = []

    def watch(world: SequenceEnvironment, observation: NDArray[Any]) -> None:
        if len(frames) < LONGEST:
            frames.append(drawn(world, observation[0, 0]))

    found = policy.evaluate(phase, 1, watch=watch)
    try:
        write_gif(path, frames, milliseconds=FRAME_MILLISECONDS)
    except OSError as error:
        raise RequestError(f"`{path}` cannot be written: {error.strerror or error}") from error
    length = f"{found.length_mean[0]:.0f} steps" + (f", the first {LONGEST} shown" if len(frames) == LONGEST else "")
    print(f"{path}: an episode of its own, return {found.return_mean[0]:.4g}, {length}", file=sys.stderr)
