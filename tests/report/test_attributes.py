"""Reports ask algorithms what they are, and survive results of algorithms that are not installed here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gtr_bench.algorithms.oracle import Oracle
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.compare.build import compare
from gtr_bench.compare.render import render_comparison
from gtr_bench.plasticity.base import AddOn
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.report.attributes import oracle_of, those_with, told_boundaries
from gtr_bench.report.build import build_report
from gtr_bench.report.formats import render
from gtr_bench.report.text import boundaries_line, reconstruction_line, suite_lines
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from . import conftest
from .conftest import SUITE

Fill = Callable[..., Path]


class Afresh(Oracle):
    """Another algorithm that starts anew."""

    name: ClassVar[str] = "afresh"


class Reset(AddOn):
    """An add-on that acts at boundaries."""

    name: ClassVar[str] = "reset"
    needs_boundaries: ClassVar[bool] = True


class Guess(PPO):
    """Somebody's reading of a method."""

    name: ClassVar[str] = "guess"
    reconstruction: ClassVar[bool] = True


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`afresh` and `guess`, as if a package had registered them."""
    monkeypatch.setattr(algorithms, "_loaded", {"afresh": Afresh, "guess": Guess})
    names = algorithms.names()
    monkeypatch.setattr(algorithms, "names", lambda: [*names, "afresh", "guess"])


def test_those_with_an_attribute_are_found_by_name() -> None:
    assert those_with("reconstruction", ["ppo", "gtr", "oracle", "gtr"]) == {"gtr"}
    assert those_with("starts_anew_at_shift", ["ppo", "gtr", "oracle"]) == {"oracle"}


def test_an_algorithm_that_is_not_installed_says_nothing() -> None:
    assert those_with("reconstruction", ["stranger"]) == frozenset()


def test_the_oracle_is_the_one_labelled_so_else_the_first_that_starts_anew(installed: None) -> None:
    assert oracle_of([("ppo", "ppo"), ("new", "afresh"), ("oracle", "oracle")]) == "oracle"
    assert oracle_of([("ppo", "ppo"), ("other", "oracle"), ("new", "afresh")]) == "other"
    assert oracle_of([("oracle", "ppo")]) is None


def test_reconstructions_are_named_by_what_is_registered() -> None:
    assert reconstruction_line(["gtr"]) == "gtr is this project's reconstruction of the published method"
    several = "guess and gtr are this project's reconstructions of the published methods"
    assert reconstruction_line(["gtr", "guess", "gtr"]) == several.replace("guess and gtr", "gtr and guess")


def test_an_algorithm_or_an_add_on_may_be_told_the_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add_ons, "_loaded", {"reset": Reset})
    assert told_boundaries({"algorithm": {"name": "oracle"}})
    assert not told_boundaries({"algorithm": {"name": "ppo"}, "plasticity": [{"name": "redo"}, {"name": "stranger"}]})
    assert told_boundaries({"algorithm": {"name": "ppo"}, "plasticity": [{"name": "redo"}, {"name": "reset"}]})
    assert not told_boundaries({"algorithm": {"name": "stranger"}})


def test_whoever_meets_a_shift_that_names_the_task_is_told_the_boundaries() -> None:
    plain: dict[str, Any] = {"algorithm": {"name": "ppo"}, "sequence": {"shifts": [{"kind": "reward_flip"}]}}
    assert not told_boundaries(plain)
    assert told_boundaries(plain | {"sequence": {"shifts": [{"kind": "reward_flip"}, {"kind": "task_id"}]}})
    assert not told_boundaries(plain | {"sequence": {"shifts": [{"kind": "stranger"}]}})


def test_those_told_the_boundaries_are_named_by_their_labels() -> None:
    assert boundaries_line(["new"]) == "new is told where phases begin"
    assert boundaries_line(["new", "b", "a"]) == "new, b and a are told where phases begin"


def test_who_is_told_the_boundaries_is_marked_and_named_in_one_line_and_only_where_there_is_one(
    fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite,) = build_report([fill(jobs)]).suites
    assert suite.told_boundaries == ()
    assert "‡" not in "".join(suite_lines(suite))
    monkeypatch.setitem(conftest.RATES, "new", 1000.0)
    text = SUITE + '\n[[algorithm]]\nid = "new"\nuse = "oracle"\n'
    found = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    report = build_report([fill(found, text=text, name="told")])
    assert report.suites[0].told_boundaries == ("new",)
    assert suite_lines(report.suites[0])[-1] == "‡ new is told where phases begin"
    shown = render(report, "terminal")
    assert "new ‡" in shown
    assert "ppo ‡" not in shown


def test_another_algorithm_that_starts_anew_is_what_oracle_gap_is_measured_by(
    installed: None, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(conftest.RATES, "new", 1000.0)
    text = SUITE.replace('comparisons = [["gtr", "ppo"]]', "comparisons = []")
    text = text.replace('primary_metric = "recovery_steps"', 'primary_metric = "oracle_gap"')
    text += '\n[[algorithm]]\nid = "new"\nuse = "afresh"\n'
    found = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    (suite,) = build_report([fill(found, text=text)], metric_names=["oracle_gap", "lifetime_return"]).suites
    gaps, returns = ({(c.sequence, c.algorithm): c.value for c in table.cells} for table in suite.tables)
    for environment, algorithm in gaps:
        own, oracle = returns[environment, algorithm], returns[environment, "new"]
        assert gaps[environment, algorithm] == pytest.approx(oracle - own)


def test_results_of_an_algorithm_that_is_not_installed_are_reported_with_one_warning(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SUITE.replace('id = "gtr"\nsigma = 0.5', 'id = "gtr"\nuse = "guess"')
    with monkeypatch.context() as patch:
        patch.setattr(algorithms, "_loaded", {"guess": Guess})
        names = algorithms.names()
        patch.setattr(algorithms, "names", lambda: [*names, "guess"])
        found: list[Job] = parse_suite(text, path="swap.toml", scale="laptop").jobs()
        results = fill(found, text=text)
        assert build_report([results]).suites[0].reconstructed == ("guess",)
        algorithms._loaded.pop("guess")
    warnings: list[str] = []
    report = build_report([results], warn=warnings.append)
    assert [each for each in warnings if "not installed" in each] == [
        "algorithm `guess` is not installed here: what it says about itself is unknown"
    ]
    (suite,) = report.suites
    assert (suite.reconstructions, suite.reconstructed) == ((), ())
    assert re.search(r"gtr .*\d", render(report, "terminal"))
    warnings.clear()
    same = compare(str(results), str(results), warn=warnings.append)
    assert "reconstruction of" not in render_comparison(same, "terminal")
    assert sum("not installed" in each for each in warnings) == 1
