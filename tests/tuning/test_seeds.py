"""Tuning seeds are none that the suite reports, at any scale and in any wave."""

from __future__ import annotations

from typing import Any

import pytest

from gtr_bench.errors import RequestError
from gtr_bench.tuning.seeds import reported_seeds, tuning_seeds

SUITE = {"name": "x", "question": "?", "primary_metric": "lifetime_return"}


def tree(**more: Any) -> dict[str, Any]:
    return {"suite": SUITE, "scale": {"laptop": {"seeds": 2}, "full": {"seeds": [7, 9]}}, **more}


def test_the_seeds_of_all_scales_are_reported() -> None:
    assert reported_seeds(tree()) == {0, 1, 7, 9}
    assert reported_seeds({"suite": {**SUITE, "seeds": 2}}) == {0, 1}


def test_the_seeds_of_later_waves_are_reported_too() -> None:
    assert reported_seeds(tree(sequential={"max_seeds": 6, "scale": "full"})) == {0, 1, 7, 9, 10, 11, 12, 13}


@pytest.mark.parametrize(
    ("text", "reported", "wanted"),
    [
        (None, {0, 1}, (9000, 9001, 9002)),
        ("2", {0, 1}, (9000, 9001)),
        ("5,3", {0, 1}, (5, 3)),
        (None, {0, 9001}, (9002, 9003, 9004)),
    ],
)
def test_seeds_start_far_away_or_are_those_asked_for(
    text: str | None, reported: set[int], wanted: tuple[int, ...]
) -> None:
    assert tuning_seeds(text, frozenset(reported)) == wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,9000", "the suite reports seed 1, which tuning must not see"),
        ("x", "should be a count or a list"),
        ("0", "between 1 and 1000"),
        ("9000", "between 1 and 1000"),
        ("5,5", "one twice"),
        ("-1,5", "negative"),
    ],
)
def test_seeds_that_cannot_be_used_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        tuning_seeds(text, frozenset({0, 1}))
