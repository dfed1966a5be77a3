"""What a suite states before the run, claims and comparisons, in one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Metric
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.model import Estimand, Failures, Scope

__all__ = ["Statement", "statements_of"]

MOST_NAMED_ENVIRONMENTS = 3
ESTIMANDS: Mapping[Estimand, str] = {
    "mean": "",
    "iqm": ", by the interquartile mean of the paired differences",
    "median": ", by the median of the paired differences",
}
"""How a sentence ends that names what is compared; a mean needs no word."""


@dataclass(frozen=True)
class Statement:
    """A claim, or a declared comparison read as one on the suite's primary metric.

    `environments` are those of its sequences that are part of the scale.
    """

    id: str
    declared: Literal["claim", "comparison"]
    better: str
    than: str
    metric: type[Metric]
    direction: Literal["higher", "lower", "neutral"]
    kind: Literal["superiority", "non_inferiority"]
    margin: float
    alpha: float
    environments: tuple[str, ...]
    estimand: Estimand
    scope: Scope
    failures: Failures

    @property
    def content(self) -> tuple[object, ...]:
        """What is stated, whatever it is called."""
        about = (self.better, self.than, self.metric.name, self.direction, self.kind, self.margin, self.environments)
        return (*about, self.estimand, self.scope)

    @property
    def text(self) -> str:
        """The statement as a sentence without a full stop."""
        few = 0 < len(self.environments) <= MOST_NAMED_ENVIRONMENTS
        named = ", ".join(self.environments) if few else f"{len(self.environments)} environments"
        alone = "in" if few else "over"
        # A median is that of all environments' differences together, no average over them.
        average = "on average over" if self.estimand != "median" else "over all of"
        over = alone if len(self.environments) < 2 else average if self.scope == "average" else "in each of"
        where = f" {over} {named}{ESTIMANDS[self.estimand]}"
        if self.kind == "non_inferiority":
            return f"{self.better} is at most {self.margin:g} worse than {self.than} in {self.metric.name}{where}"
        by = f" by more than {self.margin:g}" if self.margin else ""
        return f"{self.better} has a {self.direction} {self.metric.name} than {self.than}{by}{where}"


def statements_of(suite: Suite) -> list[Statement]:
    """Claims first; a comparison that a claim states already is not there twice, so it is not tested twice."""
    everywhere = tuple(world.id for world in suite.worlds)
    found = [
        Statement(
            id=claim.id,
            declared="claim",
            better=claim.better,
            than=claim.than,
            metric=metrics.get(claim.metric),
            direction=claim.direction,
            kind=claim.kind,
            margin=claim.margin,
            alpha=claim.alpha or suite.alpha,
            environments=tuple(name for name in everywhere if not claim.sequences or name in claim.sequences),
            estimand=claim.estimand or suite.estimand,
            scope=claim.scope or suite.scope,
            failures=suite.failures,
        )
        for claim in suite.claims
    ]
    stated = {each.content for each in found}
    primary = metrics.get(suite.primary_metric)
    for better, than in suite.comparisons:
        comparison = Statement(
            id=f"{better} vs {than}",
            declared="comparison",
            better=better,
            than=than,
            metric=primary,
            direction=suite.metric_direction or primary.direction,
            kind="superiority",
            margin=0.0,
            alpha=suite.alpha,
            environments=everywhere,
            estimand=suite.estimand,
            scope=suite.scope,
            failures=suite.failures,
        )
        if comparison.content not in stated:
            found.append(comparison)
    return found
