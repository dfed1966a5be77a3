"""The answer above all else: right for every combination of verdicts, and never more than they say."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.headline import headline
from gtr_bench.report.html import render_html
from gtr_bench.report.latex import render_latex
from gtr_bench.report.markdown import render_markdown
from gtr_bench.report.model import Brief, SuiteReport
from gtr_bench.report.terminal import render_terminal

from .conftest import SUITE
from .made_up import made_up

Verdict = Literal["supported", "refuted", "undecided"]
VERDICTS: tuple[Verdict, ...] = ("supported", "refuted", "undecided")


def claim(better: str, than: str, verdict: Verdict, **fields: Any) -> ClaimResult:
    found = ClaimResult(
        id=f"{better} vs {than}",
        declared="comparison",
        text=f"{better} has a higher lifetime_return than {than} in cartpole",
        better=better,
        than=than,
        metric="lifetime_return",
        direction="higher",
        kind="superiority",
        margin=0.0,
        alpha=0.05,
        environments=("cartpole",),
        unit="return",
        verdict=verdict,
        **dict.fromkeys(("effect", "low", "high", "standardised", "seeds_needed")),
        level=0.95,
        interval_method="",
        test="",
        p=0.5,
        p_adjusted=0.5,
        n=8,
        reason="",
        jobs=(),
    )
    return replace(found, **fields)


def suite(*claims: ClaimResult, **fields: Any) -> SuiteReport:
    made = SuiteReport(
        "swap", "full", "Which?", smoke=False, baseline="ppo", algorithms=("ppo", "gtr"), reconstructions=(),
        jobs={"complete": 8}, notes=(), sections={"claims": claims}, brief=Brief(("lifetime_return",), "swap", "", ()),
    )  # fmt: skip
    return replace(made, **fields)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_one_statement_is_repeated_word_by_word_with_its_verdict(verdict: Verdict) -> None:
    said = headline(suite(claim("gtr", "ppo", verdict)))
    whether = "whether " if verdict == "undecided" else ""
    assert said == f"{verdict.capitalize()}: {whether}gtr has a higher lifetime_return than ppo in cartpole."


@pytest.mark.parametrize("verdicts", list(itertools.combinations_with_replacement(VERDICTS, 3)))
def test_three_statements_stand_each_under_its_own_verdict(verdicts: tuple[Verdict, ...]) -> None:
    rivals = ("a", "b", "c")
    said = headline(suite(*(claim("gtr", rival, each) for rival, each in zip(rivals, verdicts, strict=True))))
    parts = {part.partition(": ")[0].lower(): part for part in said.removesuffix(".").split(". ")}
    assert set(parts) == set(verdicts)
    for rival, each in zip(rivals, verdicts, strict=True):
        assert f"than {rival} in cartpole" in parts[each]


def test_many_statements_are_counted_and_only_what_was_decided_is_named() -> None:
    decided = [claim("a", "ppo", "supported"), claim("a", "kl", "supported"), claim("b", "kl", "supported")]
    said = headline(suite(*decided, claim("c", "ppo", "refuted"), claim("d", "ppo", "undecided")))
    assert said == (
        "3 supported, 1 refuted and 1 undecided of 5 statements. Supported: a higher lifetime_return in cartpole: a "
        "than ppo and kl; b than kl. Refuted: a higher lifetime_return in cartpole: c than ppo."
    )


def test_what_statements_say_beside_their_sides_is_kept_word_by_word() -> None:
    where = " on average over 4 environments, by the median of the paired differences"
    text = f"gtr is at most 0.05 worse than ppo in lifetime_return{where}"
    inferior = claim("gtr", "ppo", "supported", kind="non_inferiority", margin=0.05, text=text)
    said = headline(suite(inferior, *(claim("a", name, "supported") for name in "bcd")))
    assert f"Supported: at most 0.05 worse in lifetime_return{where}: gtr than ppo." in said


def test_more_than_fits_is_counted_alone() -> None:
    names = [f"an_algorithm_with_a_long_name_{number}" for number in range(20)]
    said = headline(suite(*(claim(name, "ppo", "supported") for name in names)))
    assert said == "20 supported, 0 refuted and 0 undecided of 20 statements."


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("interim", [False, True])
def test_a_smoke_scale_makes_no_claim_whatever_its_verdicts(verdict: Verdict, *, interim: bool) -> None:
    said = headline(suite(claim("gtr", "ppo", verdict, smoke=True, interim=interim), smoke=True))
    assert said.startswith("No claim: this scale is too small beside the suite's full one")
    assert ("jobs are missing" in said) is interim
    assert "gtr has" not in said
    assert f"1 {verdict}" in said


@pytest.mark.parametrize("verdict", VERDICTS)
def test_an_unfinished_suite_has_no_answer_yet(verdict: Verdict) -> None:
    said = headline(suite(claim("gtr", "ppo", verdict, interim=True), claim("gtr", "kl", "undecided")))
    assert said.startswith("No answer yet: jobs are missing that the verdicts need. So far: ")
    assert "gtr has" not in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "No answer: the suite states no claim and no comparison, so nothing is tested."),
        ({"algorithms": ("ppo",)}, "No answer: fewer than two algorithms were run, so nothing is compared."),
        ({"brief": None}, "No answer: the suite's text cannot be expanded here, so what it claims is not decided."),
        ({"sections": {}}, "No answer: the suite states no claim and no comparison, so nothing is tested."),
    ],
)
def test_without_a_claim_it_says_why_there_is_no_answer(fields: dict[str, Any], said: str) -> None:
    assert headline(suite(**fields)) == said


def test_cautions_follow_the_verdicts() -> None:
    changed = claim("gtr", "ppo", "supported", changed="changed after results: the margin", warnings=("beware",))
    said = headline(suite(changed, claim("gtr", "kl", "undecided", p=None)))
    assert said.endswith(
        "1 statement could not be tested. 1 statement: changed after results. 1 verdict with a warning: see the claims."
    )


def test_every_format_begins_with_it(tmp_path: Path) -> None:
    results = made_up(tmp_path / "results", SUITE, lambda point: (100.0, None))
    report = build_report([results])
    said = headline(report.suites[0])
    assert said.startswith("No claim: ")
    for text in (render_terminal(report), render_markdown(report), render_latex(report)):
        assert said in " ".join(text.split())
        assert text.index("No claim: ") < text.index("Setup")
    page = render_html(report)
    assert page.index('class="headline"') < page.index("<nav") < page.index(">Setup</h2>")
