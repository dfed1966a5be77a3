"""Importances: the parameter that counts comes first, and what cannot be measured is not printed."""

from __future__ import annotations

import numpy as np
import pytest

from gtr_bench.ablation.importance import FOREST_SEEDS, importances
from gtr_bench.ablation.model import Axis, Setting

A, B = Axis("a", "float", 0.5, 0.0, 1.0), Axis("b", "float", 0.5, 0.0, 1.0)
RATE = Axis("rate", "float", 1e-3, 1e-5, 1e-1, log=True)
KIND = Axis("kind", "choice", "z", choices=("x", "y"))


def drawn(count: int) -> list[Setting]:
    points = np.random.default_rng(0).random((count, 2))
    return [{"a": float(a), "b": float(b)} for a, b in points]


@pytest.mark.slow
def test_the_parameter_with_a_hundred_times_the_slope_explains_nearly_everything() -> None:
    """100 a + b over 200 random settings (protocols 14.2)."""
    settings = drawn(200)
    fanova, ped_anova = importances([A, B], settings, [100 * s["a"] + s["b"] for s in settings])  # type: ignore[operator]
    for found in (fanova, ped_anova):
        assert found.shares["a"] > 0.9
        assert sum(found.shares.values()) == pytest.approx(1.0)
    assert fanova.seeds == FOREST_SEEDS
    assert 0 < fanova.spread["a"] < 0.01


def test_one_parameter_has_no_importance() -> None:
    assert importances([A], [{"a": 0.1}, {"a": 0.2}], [1.0, 2.0]) == ()


def test_few_settings_give_a_reason_and_no_number() -> None:
    settings = drawn(7)
    found = importances([A, B], settings, [float(k) for k in range(7)])
    assert [each.shares for each in found] == [{}, {}]
    assert [each.note for each in found] == [
        "needs at least 8 settings with a score, has 7",
        "needs at least 50 settings with a score, has 7",
    ]


def test_equal_scores_everywhere_give_a_reason_and_no_number() -> None:
    found = importances([A, B], drawn(60), [1.0] * 60)
    assert [each.shares for each in found] == [{}, {}]
    assert all("every setting has the same score" in each.note for each in found)


def test_a_logarithmic_axis_is_searched_in_its_logarithm_and_a_stranger_among_choices_is_known() -> None:
    """The score depends on the logarithm alone; on the plain scale nearly all values crowd at one end."""
    points = np.random.default_rng(1).random((60, 2))
    settings: list[Setting] = [{"rate": float(10 ** (-5 + 4 * u)), "kind": "x" if v < 0.5 else "y"} for u, v in points]
    settings.append({"rate": 1e-6, "kind": "z"})
    fanova, ped_anova = importances([RATE, KIND], settings, [float(np.log10(float(s["rate"]))) for s in settings])
    assert fanova.shares["rate"] > 0.9
    assert ped_anova.shares["rate"] > 0.9


def test_higher_is_better_for_the_best_tenth() -> None:
    """Only the upper end of a is informative: the best tenth lies there, the worst is spread over everything."""
    settings = drawn(100)
    values = [max(0.0, float(s["a"]) - 0.8) + 1e-9 * float(s["b"]) for s in settings]
    _, ped_anova = importances([A, B], settings, values)
    assert ped_anova.shares["a"] > 0.9
    assert ped_anova.seeds == ()
