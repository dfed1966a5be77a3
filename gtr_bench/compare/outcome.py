"""What the tests of one metric say together: its outcome, and the interval and the words that go with it."""

from __future__ import annotations

from dataclasses import dataclass

from gtr_bench.compare.limits import Step
from gtr_bench.compare.measure import MeasuredMetric
from gtr_bench.compare.model import Outcome
from gtr_bench.report.text import number, p_value

__all__ = ["Decided"]


@dataclass(frozen=True)
class Decided:
    """A metric with its tests of no difference (`plain`) and of a worsening beyond the margin (`beyond`)."""

    measured: MeasuredMetric
    plain: Step
    beyond: Step
    alpha: float
    margin: float

    @property
    def worse_sign(self) -> float:
        """Turns a difference B - A so that positive is worse."""
        return -1.0 if self.measured.direction == "higher" else 1.0

    @property
    def shown(self) -> bool:
        """There is a difference."""
        return self.plain.adjusted <= self.alpha

    @property
    def worsened(self) -> bool:
        """B is worse on average, if any side is."""
        return self.measured.direction != "neutral" and self.worse_sign * self.measured.difference > 0

    @property
    def _beyond_decides(self) -> bool:
        return self.measured.direction != "neutral" and self.beyond.adjusted <= self.alpha

    @property
    def worse(self) -> bool:
        """B is worse by more than the margin."""
        return self._beyond_decides and self.measured.beyond is not None and self.measured.beyond.statistic > 0

    @property
    def spared(self) -> bool:
        """B is shown not to be worse by more than a margin: what was asked for is decided."""
        return self.margin > 0 and self._beyond_decides and not self.worse

    @property
    def obstacle(self) -> str:
        """Why so few seeds cannot decide what was asked for; empty where they can."""
        if self.spared:
            return ""
        design = self.measured.design
        asked = [] if self.shown else [self.plain]
        if self.measured.direction != "neutral" and self.margin > 0:
            asked.append(self.beyond)
        return next(filter(None, (design.too_few(step, self.alpha) for step in asked)), "")

    @property
    def outcome(self) -> Outcome:
        """The first that holds."""
        if self.worse:
            return "worse"
        if self.shown and not self.worsened and self.measured.direction != "neutral":
            return "better"
        if self.obstacle:
            return "cannot decide"
        return "changed" if self.shown else "no difference found"

    @property
    def interval(self) -> tuple[float, float]:
        """Of B - A, so that it never contradicts the outcome: each bar, 0 and the margin, by the step that decided it.

        The two tests have families of their own, which may stop at different steps.
        """
        measured, alpha = self.measured, self.alpha
        if self.worse:
            return measured.interval(alpha, self.beyond.left)
        low, high = measured.interval(alpha, self.plain.left)
        bar = self.worse_sign * self.margin
        if self.spared:
            nearer = measured.interval(alpha, self.beyond.left)
            low, high = (max(low, nearer[0]), high) if bar < 0 else (low, min(high, nearer[1]))
        elif self.shown and self.worsened and self.margin > 0:
            low, high = (low, max(high, bar)) if bar < 0 else (min(low, bar), high)
        # An end on 0 itself, where a difference is 0, may be computed a rounding error beyond it.
        return (low, high) if self.shown else (min(low, 0.0), max(high, 0.0))

    @property
    def reason(self) -> str:
        """A sentence where the outcome alone says too little."""
        if self.obstacle and self.outcome == "cannot decide":
            return self.obstacle
        if self.outcome == "changed" and self.worsened:
            return "worse, but not shown to be so by more than the margin"
        if self.outcome == "no difference found" and self.measured.equal:
            return "all values are equal"
        if self.outcome == "no difference found" and self.spared:
            return f"shown not to be worse by more than {number(self.margin)}, p (Holm) {p_value(self.beyond.adjusted)}"
        return ""

    def found(self) -> tuple[float | None, float | None]:
        """The worsening that these seeds find with power 0.8, and the one they find to be beyond the margin."""
        if self.outcome != "no difference found" or self.spared:
            return None, None
        plain = self.measured.detectable(self.plain.level(self.alpha))
        if self.margin == 0 or self.measured.direction == "neutral":
            return plain, None
        beyond = self.measured.detectable(self.beyond.level(self.alpha))
        return plain, None if beyond is None else self.margin + beyond
