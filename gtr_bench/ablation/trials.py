"""A study's jobs: the suite's own, with the algorithm's parameters replaced, so that `run` and `ablate` share results.

The study is written as a suite file of its own: the same worlds, training and scale, one algorithm with the settings as
`tied` rows. Whatever reads suites (the report, `run`, `plan`) can read it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gtr_bench.ablation.model import Setting
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import RequestError, SuiteError, UnknownNameError
from gtr_bench.metrics.registry import metrics
from gtr_bench.suite.bars import BEST
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.identity import parameters_of
from gtr_bench.suite.load import load_suite, parse_suite
from gtr_bench.suite.seeds import continued
from gtr_bench.suite.source import parse_source

__all__ = ["DEFAULT_METRIC", "SuiteTemplate", "fewest_seeds", "load_template", "study_tables"]

DEFAULT_METRIC = "lifetime_return"
_LEFT_OUT = ("claim", "scale", "algorithm", "sequential", "tuned")


def fewest_seeds(seeds: Sequence[int]) -> list[int]:
    """At least three seeds: the suite's, continued after its largest."""
    return list(continued(seeds, max(3, len(seeds))))


class SuiteTemplate:
    """A suite at one scale, whose algorithms a study replaces.

    Args:
        suite: the suite.
        tree: what its file says.
        metric: what settings are judged by.
        direction: which of its sides is better.
    """

    def __init__(
        self, suite: Suite, tree: Mapping[str, Any], *, metric: str, direction: Literal["higher", "lower"]
    ) -> None:
        self.suite = suite
        self.metric = metric
        self.direction = direction
        self._tree = tree

    def table(self, algorithm: str) -> dict[str, Any]:
        """The suite's table of an algorithm without its grids; an empty one for an algorithm it does not have.

        Raises UnknownNameError when neither the suite nor the program knows it.
        """
        for table in self._tree["algorithm"]:
            if table["id"] == algorithm:
                return {key: value for key, value in table.items() if key not in ("grid", "tied")}
        if algorithm in algorithms.names():
            return {"id": algorithm}
        raise UnknownNameError(
            "algorithm", algorithm, [*(table["id"] for table in self._tree["algorithm"]), *algorithms.names()]
        )

    def registered(self, algorithm: str) -> str:
        """The name of the algorithm behind a label; raises as `table` does."""
        return str(self.table(algorithm).get("use", algorithm))

    def stated(self, algorithm: str) -> dict[str, Any]:
        """Every parameter the suite gives the algorithm, defaults included; those of its add-ons as `name.field`."""
        (cell, *_) = self.suite_of([self.table(algorithm)], name="stated").cells
        return parameters_of(cell.definition)

    def suite_of(
        self,
        tables: Sequence[Mapping[str, Any]],
        *,
        name: str,
        path: Path | None = None,
        seeds: Sequence[int] | None = None,
        tune_fraction: float = 1.0,
        references: bool = True,
        suite: Mapping[str, Any] | None = None,
    ) -> Suite:
        """The template with other algorithms, as a suite that stands in a file of its own.

        Args:
            tables: `[[algorithm]]` tables.
            name: the suite's new name.
            path: where its text will stand; nothing is written.
            seeds: instead of the scale's.
            tune_fraction: share of the phases that are trained; where there is a shift, at least two.
            references: keep the reference runs that sequences ask for.
            suite: other keys of `[suite]` to replace.

        Raises:
            SuiteError: what is wrong with the tables.
        """
        import tomli_w

        tree: dict[str, Any] = copy.deepcopy({key: each for key, each in self._tree.items() if key not in _LEFT_OUT})
        head = {key: value for key, value in tree["suite"].items() if key != "comparisons"}
        judged = {"primary_metric": self.metric, "metric_direction": self.direction}
        # The suite's own bar is an algorithm that a study may not have; a setting must not be measured by itself.
        judged["reference"] = BEST
        tree["suite"] = head | {"name": name} | judged | dict(suite or {})
        scale = copy.deepcopy(self._tree.get("scale", {}).get(self.suite.scale, {}))
        scale.pop("algorithms", None)
        scale["seeds"] = list(seeds if seeds is not None else self.suite.seeds)
        if tune_fraction < 1:
            for world in self.suite.worlds:
                phases = len(world.environments)
                kept = min(phases, max(2, math.ceil(tune_fraction * phases)))
                scale.setdefault("sequence", {}).setdefault(world.id, {})["max_phases"] = kept
        tree["scale"] = {self.suite.scale: scale}
        tree["algorithm"] = [dict(table) for table in tables]
        if not references:
            tree["sequence"] = [table | {"references": False} for table in tree["sequence"]]
        text = tomli_w.dumps(tree)
        return parse_suite(text, path=str(path or f"{name}.toml"), scale=self.suite.scale)


def load_template(path: str, scale: str | None, metric: str = DEFAULT_METRIC) -> SuiteTemplate:
    """The suite in a file, or the shipped one of that name, as a template whose settings are judged by a metric.

    Raises:
        SuiteError: what is wrong with the suite.
        UnknownNameError: a metric that does not exist.
        RequestError: several environments that cannot be compared, or a metric that cannot judge settings.
    """
    suite = load_suite(path, scale=scale)
    bare = [world.id for world in suite.worlds if world.normalise is None]
    if bare and len(suite.worlds) > 1:
        raise RequestError(
            f"the returns of `{bare[0]}` cannot be compared with those of the suite's other sequences",
            hint="give every sequence of the suite `normalise`, or use a scale with one sequence",
        )
    tree = parse_source(suite.text, suite.path).tree
    refusal = _refusal(suite, tree, metric)
    if refusal is not None:
        able = ", ".join(f"`{name}`" for name in metrics.names() if _refusal(suite, tree, name) is None)
        raise RequestError(refusal, hint=f"these can: {able}" if able else None)
    return _judged_by(suite, tree, metric)


def _judged_by(suite: Suite, tree: Mapping[str, Any], metric: str) -> SuiteTemplate:
    return SuiteTemplate(
        suite, tree, metric=metric, direction="lower" if _better(suite, metric) == "lower" else "higher"
    )


def _better(suite: Suite, metric: str) -> Literal["higher", "lower", "neutral"]:
    """Which side of a metric is better; the suite may say it of its own."""
    own: Literal["higher", "lower", "neutral"] = metrics.get(metric).direction
    return suite.metric_direction or own if metric == suite.primary_metric else own


def _refusal(suite: Suite, tree: Mapping[str, Any], metric: str) -> str | None:
    """Why a metric cannot judge settings on a suite."""
    if _better(suite, metric) == "neutral":
        return f"`--metric {metric}` cannot judge settings: neither side of it is better"
    try:
        # Any algorithm will do: a study has no algorithms but those it varies, and so no oracle.
        _judged_by(suite, tree, metric).suite_of([{"id": "ppo"}], name="judged")
    except SuiteError as error:
        # Another problem is one of this algorithm, which the study may not have.
        own = [problem.sentence for problem in error.problems if problem.sentence.startswith(f"`{metric}` ")]
        if own:
            return f"`--metric {metric}` cannot judge settings on suite `{suite.name}`: {own[0]}"
    return None


def study_tables(
    template: SuiteTemplate, subject: str, settings: Sequence[Setting], reference: str | None, others: Sequence[Setting]
) -> list[dict[str, Any]]:
    """The `[[algorithm]]` tables of a study: the subject's settings as tied rows, then the reference's."""
    tables = []
    for name, tried in ((subject, settings), (reference, others)):
        if name is not None and tried:
            base = _without(template.table(name), set(tried[0]))
            tables.append(base | {"tied": [dict(setting) for setting in tried]})
    return tables


def _without(table: Mapping[str, Any], varied: set[str]) -> dict[str, Any]:
    """A table that says nothing of some parameters; those of an add-on stand in its entry of `plasticity`."""
    kept = {key: value for key, value in table.items() if key not in varied}
    if "plasticity" in kept:
        kept["plasticity"] = [
            entry
            if isinstance(entry, str)
            else {key: value for key, value in entry.items() if f"{entry['use']}.{key}" not in varied}
            for entry in kept["plasticity"]
        ]
    return kept
