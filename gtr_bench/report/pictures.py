"""A small picture of each world of a report, drawn by a child process: whatever a simulator does costs a sentence.

Results are not trusted: worlds that would import a module a suite names, or open a file it names, are not drawn.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from gtr_bench.report.model import Picture, Report, SuiteReport
from gtr_bench.suite.identity import canonical_json
from gtr_bench.wording import one_line

__all__ = ["with_pictures"]

MOST_OF_A_SUITE, MOST = 6, 12
"""Pictures of one suite, and of one page; 12 have at most 0.64 MB as text."""
MOST_BYTES = 40_000
"""Of one picture."""
SECONDS = 60.0
"""For all of them together, start of the simulators included."""


@dataclass(frozen=True)
class _World:
    """An environment with its options, and the sequences that begin with it or go through it."""

    environment: str
    options: Mapping[str, Any]
    sequences: tuple[str, ...]


def with_pictures(report: Report, *, seconds: float = SECONDS) -> Report:
    """The report with a picture, or why there is none, of each distinct world that its setup names.

    Args:
        report: any report; without the section `setup` there are no worlds to draw.
        seconds: how long drawing may take altogether.
    """
    chosen = [_worlds(suite)[:MOST_OF_A_SUITE] for suite in report.suites]
    distinct = {_key(world): world for worlds in chosen for world in worlds}
    wanted = dict(list(distinct.items())[:MOST])
    refused = {key: why for key, world in wanted.items() if (why := _refusal(world))}
    drawn = _drawn([world for key, world in wanted.items() if key not in refused], seconds)
    found: dict[str, bytes | str] = {**refused, **drawn}
    suites = [
        replace(suite, pictures=tuple(_picture(world, found[key]) for world in worlds if (key := _key(world)) in found))
        for suite, worlds in zip(report.suites, chosen, strict=True)
    ]
    return replace(report, suites=tuple(suites))


def _worlds(suite: SuiteReport) -> list[_World]:
    """First the first world of every sequence, then the other environments that sequences go through."""
    setup = suite.sections.get("setup")
    if setup is None:
        return []
    firsts: list[_World] = []
    others: list[_World] = []
    for each in setup.worlds:
        seen: set[str] = set()
        for number, phase in enumerate(each.sequence["phases"]):
            if phase["environment"] not in seen:
                seen.add(phase["environment"])
                world = _World(phase["environment"], phase.get("options", {}), (each.id,))
                (others if number else firsts).append(world)
    merged: dict[str, _World] = {}
    for world in (*firsts, *others):
        known = merged.get(_key(world))
        merged[_key(world)] = replace(world, sequences=(*known.sequences, *world.sequences)) if known else world
    return list(merged.values())


def _key(world: _World) -> str:
    return canonical_json([world.environment, world.options])


def _refusal(world: _World) -> str | None:
    """Why a world is not even tried; None where it is."""
    if world.environment.count(":") != 1:
        return "a package's own module is not imported for a picture"
    if any(mark in canonical_json(world.options) for mark in ("/", "\\\\")):
        return "its options may name a file"
    return None


def _picture(world: _World, found: bytes | str) -> Picture:
    if isinstance(found, bytes) and len(found) > MOST_BYTES:
        found = "it is too large"
    png, why = (found, "") if isinstance(found, bytes) else (None, one_line(found, 200))
    return Picture(world.environment, world.sequences, png, why)


def _drawn(worlds: Sequence[_World], seconds: float) -> dict[str, bytes | str]:
    """Each world's PNG, or why it has none. One that takes the process down is left out, the rest is tried again."""
    if not worlds:
        return {}
    end = monotonic() + seconds
    with TemporaryDirectory(prefix="gtr-bench-pictures-") as name:
        folder = Path(name)
        listed = folder / "worlds.json"
        phases = [{"environment": each.environment, "options": each.options} for each in worlds]
        listed.write_text(canonical_json(phases))
        for _ in worlds:
            crashed = _draw(listed, folder, end - monotonic())
            left = [number for number in range(len(worlds)) if not _done(folder, number)]
            if not left:
                break
            if not crashed:
                for number in left:
                    (folder / f"{number}.txt").write_text(f"drawing took longer than {seconds:g} s")
                break
            (folder / f"{left[0]}.txt").write_text("the simulator crashed")
        return dict(_found(folder, worlds))


def _draw(listed: Path, folder: Path, seconds: float) -> bool:
    """Let a child draw what is not drawn yet; whether it ended by itself."""
    # A session of its own: simulators have processes too, and all of them go with it.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gtr_bench.report.picture_child", str(listed), str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path if place)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(max(seconds, 0.0))
        return True
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _done(folder: Path, number: int) -> bool:
    return any((folder / f"{number}.{kind}").exists() for kind in ("png", "txt"))


def _found(folder: Path, worlds: Sequence[_World]) -> Iterator[tuple[str, bytes | str]]:
    for number, world in enumerate(worlds):
        png, text = folder / f"{number}.png", folder / f"{number}.txt"
        yield _key(world), png.read_bytes() if png.exists() else text.read_text()
