"""Suites as entries: the question, what is claimed, and how much each scale is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import JsonValue

from gtr_bench.catalogue.entry import Entry
from gtr_bench.errors import SuiteError

if TYPE_CHECKING:
    from gtr_bench.suite import Suite

__all__ = ["brief", "entry", "names"]

Row = dict[str, JsonValue]


def names() -> list[str]:
    """The shipped ones."""
    from gtr_bench.suite.load import shipped_suites

    return list(shipped_suites())


def brief(name: str) -> Entry:
    """What the file says at its top, unchecked."""
    from gtr_bench.suite.load import find_suite

    tree = tomllib.loads(find_suite(name).read_text(encoding="utf-8-sig"))
    return Entry(name=name, meaning=tree["suite"]["question"], package="gtr-bench", facts={"scales": [*tree["scale"]]})


def entry(name: str) -> Entry:
    """A shipped suite or a suite file, at all of its scales; one that cannot be used here says why.

    Raises:
        RequestError: there is no such suite, or it cannot be used at its first scale either.
    """
    from gtr_bench.suite.load import load_suite

    first = load_suite(name)
    scales = {scale: _at(name, scale) for scale in first.scales}
    resolved = [suite for suite in scales.values() if not isinstance(suite, SuiteError)]
    return Entry(
        name=first.name,
        meaning=first.question,
        package="gtr-bench" if name in names() else "",
        facts={"primary_metric": first.primary_metric, "alpha": first.alpha, "scales": list(first.scales)},
        tables={
            "claims": _claims(first),
            "algorithms": _algorithms(resolved),
            "sequences": _sequences(resolved),
            "scales": [_scale(scale, suite) for scale, suite in scales.items()],
        },
    )


def _at(name: str, scale: str) -> Suite | SuiteError:
    """The suite at a scale, or what is wrong with it there, such as a missing extra."""
    from gtr_bench.suite.load import load_suite

    try:
        return load_suite(name, scale=scale)
    except SuiteError as error:
        return error


def _claims(suite: Suite) -> list[Row]:
    rows: list[Row] = [
        {
            "claim": claim.id,
            "kind": claim.kind,
            "better": claim.better,
            "than": claim.than,
            "metric": claim.metric,
            "direction": claim.direction,
            "margin": claim.margin,
        }
        for claim in suite.claims
    ]
    for better, than in suite.comparisons:
        rows.append(
            {
                "claim": f"{better} vs {than}",
                "kind": "comparison",
                "better": better,
                "than": than,
                "metric": suite.primary_metric,
                "direction": suite.metric_direction,
                "margin": 0.0,
            }
        )
    return rows


def _algorithms(resolved: Iterable[Suite]) -> list[Row]:
    """Label, algorithm and the scales at which it takes part, in the order of the largest scale."""
    found: dict[str, Row] = {}
    scales: dict[str, list[JsonValue]] = {}
    for suite in sorted(resolved, key=lambda each: -len(each.algorithms)):
        for cell in suite.cells:
            found.setdefault(
                cell.algorithm, {"label": cell.algorithm, "algorithm": cell.definition["algorithm"]["name"]}
            )
            if suite.scale not in scales.setdefault(cell.algorithm, []):
                scales[cell.algorithm].append(suite.scale)
    return [row | {"scales": scales[label]} for label, row in found.items()]


def _sequences(resolved: Iterable[Suite]) -> list[Row]:
    """Environments and shifts of every sequence, as in the scale that has most phases of it."""
    found: dict[str, Row] = {}
    phases: dict[str, int] = {}
    for suite in resolved:
        shifts = {cell.sequence: cell.definition["sequence"]["shifts"] for cell in suite.cells if cell.role == "run"}
        for world in suite.worlds:
            if len(world.environments) > phases.get(world.id, 0):
                phases[world.id] = len(world.environments)
                found[world.id] = {
                    "sequence": world.id,
                    "phases": len(world.environments),
                    "worlds": list(dict.fromkeys(world.environments)),
                    "shifts": [shift["kind"] for shift in shifts.get(world.id, [])],
                    "references": world.references,
                }
    return list(found.values())


def _scale(scale: str, suite: Suite | SuiteError) -> Row:
    row: Row = {"scale": scale, **dict.fromkeys(("algorithms", "sequences", "seeds", "jobs", "steps", "problem"))}
    if isinstance(suite, SuiteError):
        return row | {"problem": suite.problems[0].sentence}
    steps = [sum(phase["steps"] for phase in cell.definition["sequence"]["phases"]) for cell in suite.cells]
    return row | {
        "algorithms": len(suite.algorithms),
        "sequences": len(suite.worlds),
        "seeds": len(suite.seeds),
        "jobs": len(suite.cells) * len(suite.seeds),
        "steps": sum(steps) * len(suite.seeds),
    }
