"""`gtr-bench show-env`: the phases of a world in words, and one of them as an animation."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import JsonOption, ScaleOption
from gtr_bench.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtr_bench.catalogue.show import Tour
    from gtr_bench.report.blocks import Block

__all__ = ["register"]

FRAME_MILLISECONDS = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show-env")(show_env)


def show_env(
    world: Annotated[
        str,
        typer.Argument(
            metavar="WORLD",
            help="An environment such as gym:CartPole-v1, a named sequence, a suite file or a shipped suite.",
            autocompletion=completion.suites,
        ),
    ],
    sequence: Annotated[str | None, typer.Option(metavar="ID", help="Which sequence of a suite.")] = None,
    scale: ScaleOption = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="The job's seed: the shifts' values follow.")] = 0,
    phase: Annotated[int, typer.Option(metavar="N", min=0, help="Which phase --gif shows, from 0.")] = 0,
    gif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write random play of a phase here.")] = None,
    steps: Annotated[int, typer.Option(metavar="N", min=1, max=2000, help="Frames of the animation.")] = 100,
    json: JsonOption = False,
) -> None:
    """Show what changes between the phases of a world; with --gif, how a phase looks under random actions."""
    from gtr_bench.catalogue.show import sequence_of, tour
    from gtr_bench.cli.output import layout, write_text
    from gtr_bench.report.terminal import terminal_text

    found = tour(
        sequence_of(world, sequence=sequence, scale=scale), seed=seed, phase=None if gif is None else phase, steps=steps
    )
    if gif is not None:
        from gtr_bench.environments.pictures import write_gif

        try:
            write_gif(gif, list(found.frames), milliseconds=FRAME_MILLISECONDS)
        except OSError as error:
            raise RequestError(f"`{gif}` cannot be written: {error.strerror or error}") from error
        typer.echo(f"{gif}: phase {phase}, {steps} random steps, seed {seed}", err=True)
    if json:
        data = {
            "observations": found.observations,
            "actions": found.actions,
            "phases": [asdict(each) for each in found.phases],
        }
        typer.echo(json_module.dumps(data, allow_nan=False))
        return
    width, colour = layout(None)
    write_text(terminal_text(_blocks(world, found), width=width, colour=colour), None)


def _blocks(world: str, found: Tour) -> Iterator[Block]:
    from gtr_bench.report.blocks import Heading, Lines, grid

    yield Heading(1, world)
    yield Lines((f"a learner sees {found.observations} and acts with {found.actions}",))
    rows = [
        [
            str(each.phase),
            each.environment,
            json_module.dumps(each.options) if each.options else "-",
            ", ".join(each.adapters) or "-",
            f"{each.steps:,}" if each.steps else "-",
            "; ".join(each.changes) or "nothing",
        ]
        for each in found.phases
    ]
    names = ["phase", "environment", "options", "adapters", "steps", "what shifts change"]
    used = [place for place in range(len(names)) if any(row[place] != "-" for row in rows)]
    yield grid("", [names[place] for place in used], [[row[place] for place in used] for row in rows])
