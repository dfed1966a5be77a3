"""`gtr-bench train`: one algorithm in one world, without a suite file."""

from __future__ import annotations

from typing import Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import (
    DEFAULT_RESULTS,
    DeviceChoice,
    DeviceOption,
    JobsOption,
    JsonOption,
    NoProgressOption,
    PoliciesOption,
    ResultsOption,
    RetryFailedOption,
)

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    algorithm: Annotated[
        str, typer.Option("--algorithm", metavar="NAME", help="What trains.", autocompletion=completion.algorithms)
    ],
    env: Annotated[str, typer.Option("--env", metavar="NAME", help="Its world, such as gym:CartPole-v1.")],
    steps: Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Environment steps of each seed.")],
    seeds: Annotated[str, typer.Option("--seeds", metavar="N|LIST", help="How many runs, or such as 0,1,2.")] = "1",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter, such as learning_rate=1e-3; may be repeated."),
    ] = None,
    torso: Annotated[
        str | None,
        typer.Option("--torso", metavar="NAME", help="The network's body, such as nature_cnn.  [default: mlp]"),
    ] = None,
    results: ResultsOption = DEFAULT_RESULTS,
    jobs: JobsOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    policies: PoliciesOption = True,
    retry_failed: RetryFailedOption = False,
    no_progress: NoProgressOption = False,
    json: JsonOption = False,
) -> None:
    """Train one algorithm in one world, without a suite file.

    Its suite is kept in the results folder, as a start for one of your own. Safe to repeat: the same command continues.
    """
    from gtr_bench.cli.given import seed_numbers
    from gtr_bench.cli.run import run
    from gtr_bench.suite.single import single_suite, stated_values

    suite = single_suite(
        algorithm,
        env,
        steps,
        seed_numbers(seeds),
        results,
        parameters=stated_values(set_ or [], "--set"),
        torso=torso,
    )
    run(
        suite.path,
        results=results,
        jobs=jobs,
        device=device,
        policies=policies,
        retry_failed=retry_failed,
        no_progress=no_progress,
        json=json,
    )
