"""Which settings a study tries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.ablation.model import Axis
from gtr_bench.ablation.sampling import at, rows
from gtr_bench.errors import RequestError

RATE = Axis("learning_rate", "float", 0.001, 1e-4, 1e-2, log=True)
CLIP = Axis("clip_range", "float", 0.2, 0.05, 0.8, log=True)
ANCHORS = Axis("anchors", "int", 4, 1, 8, log=True)
FORM = Axis("form", "choice", "saturating", choices=("saturating", "gated_spo"))


def test_quasi_random_settings_are_those_the_findings_were_tuned_with() -> None:
    assert rows([RATE, CLIP], "qmc", 4) == [
        {"learning_rate": 0.001, "clip_range": 0.2},
        {"learning_rate": 0.005025, "clip_range": 0.6614},
        {"learning_rate": 0.0008001, "clip_range": 0.07943},
        {"learning_rate": 0.0003144, "clip_range": 0.2579},
    ]


@pytest.mark.parametrize("sampler", ["qmc", "random"])
def test_more_trials_only_add_settings(sampler: str) -> None:
    few, many = rows([RATE, ANCHORS], sampler, 7), rows([RATE, ANCHORS], sampler, 20)
    assert len(few) == 7
    assert many[:7] == few


def test_a_grid_has_both_ends_and_the_suites_own_value() -> None:
    assert rows([CLIP], "grid", 3) == [
        {"clip_range": 0.2},
        {"clip_range": 0.05},
        {"clip_range": 0.8},
    ]
    assert len(rows([CLIP, FORM], "grid", 3)) == 6


def test_a_grid_has_as_many_values_as_asked_for_with_the_suites_own_among_them() -> None:
    """It used to have one more, so that the reference had another number of settings."""
    for count in (3, 5, 16):
        found = [float(setting["clip_range"]) for setting in rows([replace(CLIP, stated=0.21)], "grid", count)]
        assert len(found) == count
        assert {0.05, 0.21, 0.8} <= set(found)


def test_no_setting_comes_twice() -> None:
    found = rows([ANCHORS], "qmc", 40)
    assert len(found) == len({setting["anchors"] for setting in found}) == 8


def test_a_grid_beyond_reason_is_refused() -> None:
    with pytest.raises(RequestError, match="settings, more than"):
        rows([RATE, CLIP, FORM], "grid", 500)


@given(st.floats(0, 1, exclude_max=True))
def test_values_lie_on_their_axis(u: float) -> None:
    assert 1e-4 * 0.999 <= float(at(RATE, u)) <= 1e-2 * 1.001
    assert at(ANCHORS, u) in range(1, 9)
    assert at(FORM, u) in FORM.choices
