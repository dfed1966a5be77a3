"""A suite without `[sequential]` gets the table; contradictions are refused with a sentence."""

from __future__ import annotations

import pytest

from gtr_bench.errors import RequestError, SuiteError
from gtr_bench.sequential.rule import in_waves
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite

TEXT = """
[suite]  # what is asked
name = "plain"
question = "Which?"
primary_metric = "lifetime_return"
comparisons = [["spo", "ppo"]]
seeds = 3

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
steps_per_phase = 4096

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "spo"
"""


def plain(text: str = TEXT) -> Suite:
    return parse_suite(text, path="plain.toml")


def test_the_table_is_appended_to_the_text_and_changes_no_job() -> None:
    found = in_waves(plain(), wave=4, max_seeds=8)
    assert found.text == TEXT.rstrip() + '\n\n[sequential]\nwave = 4\nmax_seeds = 8\nscale = "default"\n'
    assert found.seeds == tuple(range(8))
    assert {job.id for job in plain().jobs()} < {job.id for job in found.jobs()}
    assert parse_suite(found.text, path="plain.toml").jobs() == found.jobs()


@pytest.mark.parametrize(
    ("wave", "max_seeds", "table"),
    [(None, None, (5, 25)), (10, None, (10, 25)), (30, None, (30, 30)), (None, 12, (5, 12)), (3, 7, (3, 7))],
)
def test_what_is_not_asked_for_takes_its_default(
    wave: int | None, max_seeds: int | None, table: tuple[int, int]
) -> None:
    rule = in_waves(plain(), wave=wave, max_seeds=max_seeds).sequential
    assert rule is not None
    assert (rule.wave, rule.max_seeds) == table


def test_a_suite_s_own_table_is_kept_and_may_be_repeated_but_not_contradicted() -> None:
    own = plain(TEXT + "\n[sequential]\nwave = 4\nmax_seeds = 8\n")
    assert in_waves(own, wave=None, max_seeds=None) is own
    assert in_waves(own, wave=4, max_seeds=8) is own
    with pytest.raises(RequestError, match=r"`--max-seeds 9` contradicts the suite.*`max_seeds = 8`"):
        in_waves(own, wave=None, max_seeds=9)


def test_numbers_that_cannot_decide_anything_are_refused() -> None:
    with pytest.raises(RequestError, match=r"`--max-seeds 3` is less than one wave of 4"):
        in_waves(plain(), wave=4, max_seeds=3)
    with pytest.raises(RequestError, match="5 seeds can never decide anything here") as raised:
        in_waves(plain(), wave=5, max_seeds=5)
    assert raised.value.hint == "`max_seeds` should be at least 6"


def test_a_suite_without_statements_is_refused() -> None:
    with pytest.raises(RequestError, match=r"nothing to decide: `plain` has neither a `\[\[claim\]\]` nor"):
        in_waves(plain(TEXT.replace('comparisons = [["spo", "ppo"]]', "")), wave=None, max_seeds=None)


def test_a_table_bound_to_a_scale_leaves_the_others_as_they_are() -> None:
    scales = "\n[scale.small]\nseeds = 3\n[scale.large]\nseeds = 7\n"
    found = in_waves(parse_suite(TEXT + scales, path="p.toml", scale="small"), wave=4, max_seeds=8)
    assert found.sequential is not None
    assert found.seeds == tuple(range(8))
    other = parse_suite(found.text, path="p.toml", scale="large")
    assert other.sequential is None
    assert other.seeds == tuple(range(7))


def test_a_table_bound_to_a_scale_that_is_not_there_is_refused() -> None:
    with pytest.raises(SuiteError) as caught:
        plain(TEXT + '\n[scale.small]\nseeds = 3\n[sequential]\nscale = "smal"\n')
    (problem,) = caught.value.problems
    assert (problem.sentence, problem.hint) == ("unknown scale `smal`", "did you mean `small`?")
