"""What the shell offers after Tab: `gtr-bench --install-completion`. Reads names only; a mistake offers nothing."""

from __future__ import annotations

import functools
import itertools
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

__all__ = [
    "algorithms",
    "baselines",
    "cells",
    "components",
    "entries",
    "environments",
    "jobs",
    "kinds",
    "known_suites",
    "metrics",
    "parameters",
    "published_environments",
    "ranges",
    "scales",
    "selection",
    "suites",
    "tuned_parameters",
    "tuned_ranges",
]

MOST_COHORTS_READ = 50
"""of a results folder: whoever presses Tab waits"""

Complete = Callable[[typer.Context, str], list[str]]


def _completion(names: Callable[[typer.Context, str], Iterable[str]]) -> Complete:
    """A function of names as a typer callback: what begins as typed, each once; never an exception."""

    @functools.wraps(names)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return [name for name in dict.fromkeys(names(ctx, incomplete)) if name.startswith(incomplete)]
        except Exception:
            return []  # what is wrong is said when the command runs, not into a half-typed line

    return complete


@_completion
def suites(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Shipped suites by name, and TOML files."""
    return [*_shipped(), *_files(incomplete)]


@_completion
def known_suites(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """As `suites`, after those the results folders hold jobs of."""
    return [*(job["suite"] for job in _trained(ctx)), *_shipped(), *_files(incomplete)]


@_completion
def scales(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The scales of the suite on the line."""
    return list(_suite(ctx).get("scale", {}))


@_completion
def selection(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The next word of a `-k` expression: algorithms and sequences of the suite on the line, and operators."""
    tree = _suite(ctx)
    before, space, _ = incomplete.rpartition(" ")
    operand_before = before.split()[-1:] not in ([], ["and"], ["or"], ["not"], ["("])
    words = ["and", "or"] if operand_before else [*_ids(tree, "algorithm"), *_ids(tree, "sequence"), "seed=", "not"]
    return [f"{before}{space}{word}" for word in words]


@_completion
def algorithms(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Algorithms of the suite on the line, then all registered ones."""
    from gtr_bench.algorithms.registry import algorithms as registered

    return [*_ids(_suite(ctx), "algorithm"), *registered.names()]


@_completion
def baselines(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Algorithms of the results folders, as suites call them."""
    return [job["algorithm"] for job in _trained(ctx)]


@_completion
def environments(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The next name of a list: environments of the results folders, as reports call them."""
    before, comma, _ = incomplete.rpartition(",")
    return [f"{before}{comma}{job['sequence']}" for job in _trained(ctx)]


@_completion
def metrics(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Registered metrics."""
    from gtr_bench.metrics.registry import metrics as registered

    return registered.names()


@_completion
def parameters(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Parameters of the algorithm on the line."""
    return _parameters(ctx)


@_completion
def ranges(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The beginning of a `--range`."""
    return [f"{name}=" for name in _parameters(ctx)]


@_completion
def tuned_parameters(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Parameters of the algorithms of the suite on the line, as `ALGORITHM.NAME`."""
    return _tuned_parameters(ctx)


@_completion
def tuned_ranges(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The beginning of a `--range` for one algorithm of the suite on the line."""
    return [f"{name}=" for name in _tuned_parameters(ctx)]


@_completion
def components(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """The next component of a path from PPO to GTR."""
    from gtr_bench.ablation.path import COMPONENTS

    before, comma, _ = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in COMPONENTS if name not in before.split(",")]


@_completion
def kinds(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """What `list` lists."""
    from gtr_bench.catalogue.kinds import KINDS

    return KINDS


@_completion
def entries(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the kind on the line; suite files too where those are listed."""
    from gtr_bench.catalogue.kinds import KINDS

    kind = _given(ctx, "kind")
    return [*KINDS[kind].names(), *(_files(incomplete) if kind == "suites" else [])]


@_completion
def published_environments(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Environments somebody published a number on."""
    from gtr_bench.published.rows import environments as published

    return published()


@_completion
def jobs(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Ids of the jobs in the results folder."""
    from gtr_bench.schedule.folders import ResultsFolder

    return itertools.chain.from_iterable(ResultsFolder(folder).job_ids() for folder in _results(ctx))


@_completion
def cells(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Claims, and ids of a report's cells: for each algorithm and environment those of the metrics of the suite."""
    for job in _trained(ctx):
        yield from job["claims"]
        for metric in job["metrics"]:
            yield "/".join((job["suite"], job["scale"], metric, job["sequence"], job["algorithm"]))


def _shipped() -> list[str]:
    from gtr_bench.suite.load import shipped_suites

    return list(shipped_suites())


def _files(incomplete: str) -> Iterator[str]:
    """TOML files, and folders to look further in, beside what has been typed."""
    folder, slash, _ = incomplete.rpartition("/")
    for path in sorted(Path(f"{folder}{slash}" or ".").glob("*")):
        if path.name.startswith("."):
            continue
        if path.suffix == ".toml":
            yield f"{folder}{slash}{path.name}"
        elif slash and path.is_dir():
            yield f"{folder}{slash}{path.name}/"


def _suite(ctx: typer.Context) -> dict[str, Any]:
    """The tables of the suite on the line as written, unchecked; empty without one."""
    from gtr_bench.suite.load import find_suite

    given = _given(ctx, "suite")
    if given is None:
        return {}
    return tomllib.loads(find_suite(given).read_text(encoding="utf-8-sig"))


def _given(ctx: typer.Context, name: str) -> Any:
    """The value of an option or argument on the line; None where there is none."""
    # The parser stops at an option whose value is still to come, before it has given the arguments their names.
    first = next((each for each in ctx.command.params if each.param_type_name == "argument"), None)
    if ctx.args and first is not None and first.name == name:
        return ctx.args[0] if first.nargs == 1 else ctx.args
    return ctx.params.get(name)


def _ids(tree: dict[str, Any], kind: str) -> list[str]:
    return [table["id"] for table in tree.get(kind, [])]


def _parameters(ctx: typer.Context) -> list[str]:
    from gtr_bench.algorithms.registry import algorithms as registered

    name: str = ctx.params["algorithm"]
    uses = {table["id"]: table.get("use", table["id"]) for table in _suite(ctx).get("algorithm", [])}
    return list(registered.get(uses.get(name, name)).Parameters.model_fields)


def _tuned_parameters(ctx: typer.Context) -> list[str]:
    from gtr_bench.algorithms.registry import algorithms as registered

    uses = {table["id"]: table.get("use", table["id"]) for table in _suite(ctx).get("algorithm", [])}
    return [f"{name}.{field}" for name, use in uses.items() for field in registered.get(use).Parameters.model_fields]


def _results(ctx: typer.Context) -> list[Path]:
    given: list[Any] = []
    for name in ("results", "more_results"):
        found = _given(ctx, name) or []
        given += found if isinstance(found, list | tuple) else [found]
    return [Path(folder) for folder in given or ["results"]]


def _trained(ctx: typer.Context) -> Iterator[dict[str, Any]]:
    """Labels of jobs in the results folders, and the metrics their suite names, from the newest cohorts' files."""
    from gtr_bench.errors import ResultsError
    from gtr_bench.store.cohorts import cohort_files, read_cohort

    wanted: str | None = _given(ctx, "suite")
    if wanted is not None and Path(wanted).is_file():
        wanted = _suite(ctx)["suite"]["name"]
    for folder in _results(ctx):
        files = sorted(cohort_files(folder), key=lambda path: -path.lstat().st_mtime)
        for path in files[:MOST_COHORTS_READ]:
            try:
                cohort = read_cohort(path)
                tree = tomllib.loads(cohort["provenance"]["suite_text"])
                named = [tree["suite"]["primary_metric"], *(claim["metric"] for claim in tree.get("claim", []))]
                claims = [claim["id"] for claim in tree.get("claim", [])]
                found = [
                    {**job, "metrics": named, "claims": claims}
                    for job in cohort["jobs"]
                    if wanted in (None, job["suite"])
                ]
            except (ResultsError, ValueError, KeyError, TypeError, AttributeError):
                continue  # the other cohorts may still help
            yield from found
