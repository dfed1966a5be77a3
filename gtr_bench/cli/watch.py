"""`gtr-bench watch`: the report in a browser, renewed while jobs train."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import JsonOption, folders_given

if TYPE_CHECKING:
    from gtr_bench.watch.renewal import Renewal
    from gtr_bench.watch.server import Server

__all__ = ["REPORT_COMMAND", "register"]

REPORT_COMMAND = (sys.executable, "-P", "-m", "gtr_bench", "report")

_PORTS_TRIED = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


def watch(
    suite: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUITE]",
            help="Only this suite; a file's text counts as it is now.",
            autocompletion=completion.known_suites,
        ),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", metavar="DIR", help="Results folder; may be repeated.", show_default="results"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="N", help="Where to serve.  [default: 8000, or the next free one]"),
    ] = None,
    every: Annotated[
        float,
        typer.Option(min=0.1, max=3_600, metavar="SECONDS", help="Time between two looks at the results, at least."),
    ] = 2.0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    json: JsonOption = False,
) -> None:
    """Serve the HTML report and renew it while jobs train; Ctrl-C ends.

    Only this machine can reach it. The results need not be there yet.
    """
    from gtr_bench.watch.changes import fingerprint
    from gtr_bench.watch.renewal import Renewal

    folders = folders_given(None, results)
    named = ["--suite", suite] if suite is not None else []
    command = [*REPORT_COMMAND, *(f"--results={folder}" for folder in folders), *named, "--format", "html"]
    file = Path(suite) if suite is not None else None
    renewal = Renewal(
        command, lambda: fingerprint(folders, file), every, lambda line: print(line, file=sys.stderr, flush=True)
    )
    with _server(port, renewal, every) as server:
        address = f"http://{server.server_name}:{server.server_port}/"
        shown = ", ".join(f"`{folder}`" for folder in folders)
        print(f"serving the report on {shown} at {address}; Ctrl-C ends", file=sys.stderr, flush=True)
        print(json_module.dumps({"url": address}) if json else address, flush=True)
        if open_browser:
            _open(address)
        renewal.start()
        try:
            server.serve_forever()
        finally:
            renewal.stop()


def _server(port: int | None, renewal: Renewal, every: float) -> Server:
    """At the port that was asked for, or the first that is free from the usual one on."""
    from gtr_bench.errors import RequestError
    from gtr_bench.watch.server import FIRST_PORT, Server

    asked = [*range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED), 0] if port is None else [port]
    for number in asked:
        try:
            return Server(number, renewal, every)
        except OSError as error:
            refusal = error
    raise RequestError(
        f"port {asked[-1]} cannot be used: {refusal.strerror}",
        hint="without `--port` the first free one is taken" if port is not None else None,
    ) from refusal


def _open(address: str) -> None:
    """In the user's browser, which may take the terminal until it ends: so beside the server."""
    import threading
    import webbrowser

    def show() -> None:
        if not webbrowser.open(address):
            print("warning: no browser could be opened", file=sys.stderr)

    threading.Thread(target=show, daemon=True).start()
