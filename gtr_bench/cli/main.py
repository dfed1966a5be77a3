"""The command line: `gtr-bench COMMAND`. Commands are thin modules; heavy imports happen inside them."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, NoReturn, TextIO, cast

import typer

from gtr_bench import __version__
from gtr_bench.cli.failures import explain
from gtr_bench.cli.group import Commands
from gtr_bench.screen import CleanStream

__all__ = ["app", "execute", "main"]

app = typer.Typer(
    name="gtr-bench",
    cls=Commands,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gtr-bench {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Benchmark and take apart reinforcement learning in changing worlds."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


# In the order in which a newcomer meets them; typer keeps it.
for _command in (
    "run",
    "train",
    "init",
    "plan",
    "status",
    "logs",
    "report",
    "watch",
    "compare",
    "ablate",
    "tune",
    "export",
    "list",
    "show_env",
    "play",
    "doctor",
):
    import_module(f"gtr_bench.cli.{_command}").register(app)


def execute(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Whatever goes wrong is explained on stderr (`failures.explain`)."""
    out, err = cast(TextIO, CleanStream(sys.stdout)), cast(TextIO, CleanStream(sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            given = None if arguments is None else list(arguments)
            result = app(args=given, prog_name="gtr-bench", standalone_mode=False)
            sys.stdout.flush()
        except BaseException as error:
            return explain(error)
    return result if isinstance(result, int) else 0


def main() -> NoReturn:
    """Entry point of the `gtr-bench` script."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no `±` shows `?` instead of no report
    sys.exit(execute())
