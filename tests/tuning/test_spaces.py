"""Which parameters are searched, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import GtrBenchError
from gtr_bench.tuning.spaces import range_text
from tests.tuning.conftest import Tuner

PAGE = Path(__file__).parents[2] / "docs" / "tuning.md"
OWN = algorithms.own_names()


def searched(tune: Tuner, **more: tuple[str, ...]) -> dict[str, dict[str, str]]:
    found = tune.request(**more).spaces  # type: ignore[arg-type]
    return {name: {axis.name: range_text(axis) for axis in axes} for name, axes in found.items()}


@pytest.mark.parametrize("name", [name for name in OWN if name != "ppo"])
def test_every_algorithm_searches_two_parameters_with_ranges_of_their_own(tune: Tuner, name: str) -> None:
    tune.path.write_text(tune.path.read_text().replace('id = "gtr"\nsigma = 0.5', f'id = "mine"\nuse = "{name}"'))
    assert [len(ranges) for ranges in searched(tune).values()] == [2, 2]
    assert algorithms.get(name).tuned == tuple(searched(tune)["mine"])


def test_the_page_says_what_every_algorithm_searches() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)`, `(\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: (one, other) for name, one, other in rows} == {name: algorithms.get(name).tuned for name in OWN}


def test_a_range_holds_for_all_and_one_for_an_algorithm_wins(tune: Tuner) -> None:
    found = searched(tune, ranges=("learning_rate=1e-4:1e-2:log", "gtr.learning_rate=1e-3:2e-3"))
    assert found["ppo"] == {"learning_rate": "0.0001:0.01:log", "clip_range": "0.05:0.8:log"}
    assert found["gtr"] == {"learning_rate": "0.001:0.002", "sigma": "0.05:2:log"}


def test_parameters_asked_for_replace_the_algorithms_own_choice(tune: Tuner) -> None:
    found = searched(tune, params=("gtr.beta", "gtr.sustain"))
    assert found["gtr"] == {"beta": "0.03:10:log", "sustain": "false,true"}
    assert list(found["ppo"]) == ["learning_rate", "clip_range"]


def test_a_range_is_written_as_it_is_read(tune: Tuner) -> None:
    first = searched(tune, params=("gtr.sigma", "gtr.anchors"), ranges=("gtr.anchors=1,2,4", "gtr.sigma=0.1:1:log"))
    texts = tuple(f"{name}.{key}={text}" for name, ranges in first.items() for key, text in ranges.items())
    assert searched(tune, params=("gtr.sigma", "gtr.anchors"), ranges=texts) == first


def test_the_longest_id_is_meant_where_ids_hold_dots(tune: Tuner) -> None:
    text = tune.path.read_text() + '\n[[algorithm]]\nid = "gtr.v2"\nuse = "gtr"\nanchors = 1\n'
    tune.path.write_text(text)
    assert list(searched(tune, params=("gtr.v2.beta",))["gtr.v2"]) == ["beta"]


@pytest.mark.parametrize(
    ("params", "ranges", "sentence"),
    [
        (("sigma",), (), "`--param sigma` names no algorithm"),
        (("gtrr.sigma",), (), "unknown algorithm `gtrr`"),
        (("gtr.sigmma",), (), "unknown parameter `sigmma`"),
        (("gtr.sigma", "gtr.sigma"), (), "names `gtr.sigma` twice"),
        ((), ("gtr.beta=1:2",), "`gtr.beta`, which no algorithm searches"),
        ((), ("beta=1:2",), "`beta`, which no algorithm searches"),
        ((), ("gtr.sigma=2:1",), "the first number should be below the second"),
        ((), ("gtr.sigma=-1:1",), "`sigma` cannot be `-1.0`"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    tune: Tuner, params: tuple[str, ...], ranges: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(GtrBenchError, match=re.escape(sentence)):
        searched(tune, params=params, ranges=ranges)


def test_a_grid_leaves_nothing_to_choose(tune: Tuner) -> None:
    tune.path.write_text(tune.path.read_text().replace("sigma = 0.5", "grid = { sigma = [0.1, 0.5] }"))
    with pytest.raises(GtrBenchError, match="`gtr` has a `grid` or `tied` rows"):
        searched(tune)


def test_algorithms_that_differ_only_in_what_is_tuned_are_refused(tune: Tuner) -> None:
    text = tune.path.read_text() + '\n[[algorithm]]\nid = "wide"\nuse = "gtr"\nsigma = 2.0\n'
    tune.path.write_text(text)
    with pytest.raises(GtrBenchError, match="`wide` differs from `gtr` only in what is tuned"):
        searched(tune)
    assert searched(tune, params=("wide.learning_rate", "wide.beta"))["wide"].keys() == {"learning_rate", "beta"}
    tune.path.write_text(text.replace("sigma = 2.0", "anchors = 1"))
    assert len(searched(tune)) == 3
