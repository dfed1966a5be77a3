"""`gtr-bench doctor`: what works here, and for what does not, the one command that makes it work."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from gtr_bench.cli.options import DEFAULT_RESULTS, JsonOption, ResultsOption

if TYPE_CHECKING:
    from gtr_bench.schedule.doctor import Diagnosis

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(results: ResultsOption = DEFAULT_RESULTS, json: JsonOption = False) -> None:
    """Check this machine: environments, devices, memory, disk. Changes nothing."""
    from gtr_bench.schedule.doctor import diagnose

    found = diagnose(results)
    if json:
        typer.echo(json_module.dumps(asdict(found), allow_nan=False))
        return
    for line in _lines(found):
        typer.echo(line)


def _lines(found: Diagnosis) -> list[str]:
    from gtr_bench.wording import size

    lines = [
        f"gtr-bench {found.version}, Python {found.python}",
        f"cores     {found.usable_cores} usable of {found.cores}",
        f"memory    {size(found.available_memory_bytes)} available of {size(found.memory_bytes)}",
        f"disk      {size(found.free_disk_bytes)} free for results",
        "",
    ]
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        state = "ok     " if check.usable else "missing"
        detail = check.detail if check.usable else f"-> {check.hint}"
        lines.append(f"{check.name:<{width}}  {state}  {detail}".rstrip())
    return lines
