"""A study's jobs: the suite's own, with the algorithm's parameters replaced, so that `run` and `ablate` share results.

The study is written as a suite file of its own: the same worlds, training and scale, one algorithm with the settings as
`tied` rows. Whatever reads suites (the report, `run`, `plan`) can read it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gtr_bench.ablation.model import Setting
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import load_suite, parse_suite
from gtr_bench.suite.seeds import continued
from gtr_bench.suite.source import parse_source

__all__ = ["SuiteTemplate", "fewest_seeds", "load_template", "study_tables"]

_LEFT_OUT = ("claim", "scale", "algorithm", "sequential")


def fewest_seeds(seeds: Sequence[int]) -> list[int]:
    """At least three seeds: the suite's, continued after its largest."""
    return list(continued(seeds, max(3, len(seeds))))


class SuiteTemplate:
    """A suite at one scale, whose algorithms a study replaces."""

    def __init__(self, suite: Suite, tree: Mapping[str, Any]) -> None:
        self.suite = suite
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

    def stated(self, algorithm: str) -> dict[str, Any]:
        """Every parameter the suite gives the algorithm, defaults included."""
        (cell, *_) = self.suite_of([self.table(algorithm)], name="stated").cells
        return dict(cell.definition["algorithm"]["parameters"])

    def suite_of(
        self,
        tables: Sequence[Mapping[str, Any]],
        *,
        name: str,
        path: Path | None = None,
        seeds: Sequence[int] | None = None,
        tune_fraction: float = 1.0,
        suite: Mapping[str, Any] | None = None,
    ) -> Suite:
        """The template with other algorithms, as a suite that stands in a file of its own.

        Args:
            tables: `[[algorithm]]` tables.
            name: the suite's new name.
            path: where its text will stand; nothing is written.
            seeds: instead of the scale's.
            tune_fraction: share of the phases that are trained; where there is a shift, at least two.
            suite: other keys of `[suite]` to replace.

        Raises:
            SuiteError: what is wrong with the tables.
        """
        import tomli_w

        tree: dict[str, Any] = copy.deepcopy({key: each for key, each in self._tree.items() if key not in _LEFT_OUT})
        head = {key: value for key, value in tree["suite"].items() if key != "comparisons"}
        tree["suite"] = head | {"name": name} | dict(suite or {})
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
        text = tomli_w.dumps(tree)
        return parse_suite(text, path=str(path or f"{name}.toml"), scale=self.suite.scale)


def load_template(path: str, scale: str | None) -> SuiteTemplate:
    """The suite in a file, or the shipped one of that name, as a template. Raises as `load_suite`, and RequestError
    when several environments cannot be compared."""
    suite = load_suite(path, scale=scale)
    bare = [world.id for world in suite.worlds if world.normalise is None]
    if bare and len(suite.worlds) > 1:
        raise RequestError(
            f"the returns of `{bare[0]}` cannot be compared with those of the suite's other sequences",
            hint="give every sequence of the suite `normalise`, or use a scale with one sequence",
        )
    return SuiteTemplate(suite, parse_source(suite.text, suite.path).tree)


def study_tables(
    template: SuiteTemplate, subject: str, settings: Sequence[Setting], reference: str | None, others: Sequence[Setting]
) -> list[dict[str, Any]]:
    """The `[[algorithm]]` tables of a study: the subject's settings as tied rows, then the reference's."""
    tables = []
    for name, tried in ((subject, settings), (reference, others)):
        if name is not None and tried:
            varied = set(tried[0])
            base = {key: value for key, value in template.table(name).items() if key not in varied}
            tables.append(base | {"tied": [dict(setting) for setting in tried]})
    return tables
