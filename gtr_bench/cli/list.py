"""`gtr-bench list`: algorithms, environments, metrics, suites, published numbers and so on, and all about one."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gtr_bench.errors import RequestError
    from gtr_bench.report.blocks import Block

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_entries)


def list_entries(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="Algorithms, networks, plasticity, environments, sequences, shifts, metrics, suites or published.",
            autocompletion=completion.kinds,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="One of the kind, a task such as gym:CartPole-v1, or a suite file.",
            autocompletion=completion.entries,
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            metavar="NAME",
            help="Of published numbers: only those on environments called so, such as starpilot.",
            autocompletion=completion.published_environments,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a suite can name; with NAME, its parameters and whatever else is known."""
    from gtr_bench.catalogue.kinds import KINDS, kind_of
    from gtr_bench.catalogue.layout import entry_blocks, kind_blocks, list_blocks

    if environment is not None and (kind != "published" or name is not None):
        raise _misplaced(kind, name)
    if kind is None:
        rows = [{"name": each.name, "entries": len(each.names()), "meaning": each.meaning} for each in KINDS.values()]
        _show(json, {"kinds": rows}, kind_blocks())
        return
    found = kind_of(kind)
    if name is None and found.listing is not None:
        content, rows = found.listing(environment)
        _show(json, {"kind": kind, "entries": rows}, content)
        return
    if name is None:
        entries = [found.brief(each) for each in found.names()]
        listed = [
            {"name": each.name, "version": each.version, "package": each.package, "meaning": each.meaning, **each.facts}
            for each in entries
        ]
        _show(json, {"kind": kind, "entries": listed}, list_blocks(found, entries))
        return
    entry = found.entry(name)
    _show(json, {"kind": kind, **asdict(entry)}, entry_blocks(found, entry))


def _misplaced(kind: str | None, name: str | None) -> RequestError:
    from gtr_bench.errors import RequestError

    if kind == "published":
        return RequestError(f"`--environment` narrows a list, and `{name}` is one environment", hint="leave one away")
    return RequestError("`--environment` is for published numbers alone", hint="`gtr-bench list published`")


def _show(json: bool, data: dict[str, object], blocks: Iterable[Block]) -> None:
    from gtr_bench.cli.output import layout, write_text
    from gtr_bench.report.terminal import terminal_text

    if json:
        typer.echo(json_module.dumps(data, allow_nan=False))
        return
    width, colour = layout(None)
    write_text(terminal_text(blocks, width=width, colour=colour), None)
