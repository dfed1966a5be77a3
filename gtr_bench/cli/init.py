"""`gtr-bench init`: a commented suite to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

_START = Path(__file__).parents[1] / "suite" / "start.toml"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(init)


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The suite's name; the file is NAME.toml.")],
) -> None:
    """Write a commented suite to start from.

    It is NAME.toml in the current folder.
    """
    from gtr_bench.errors import RequestError
    from gtr_bench.names import why_unusable

    name = name.removesuffix(".toml")
    reason = why_unusable(name)
    if reason is not None:
        raise RequestError(reason)
    path = Path(f"{name}.toml")
    text = _START.read_text(encoding="utf-8").replace("NAME", name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RequestError(f"`{path}` is there already", hint="choose another name, or move it away") from None
    print(f"wrote {path}\nnext: gtr-bench plan {path}", file=sys.stderr)
