"""`-k` reads as boolean logic over a job's labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.schedule.selection import parse_selection, select


@pytest.mark.parametrize(
    ("expression", "seeds"),
    [
        ("ppo", [0, 1, 2]),
        ("seed=1", [1]),
        ("not seed=1", [0, 2]),
        ("seed=0 or seed=2", [0, 2]),
        ("(seed=0 or seed=2) and not seed=0", [2]),
        ("CARTPOLE* and seed=2", [2]),
        ("not not seed=2", [2]),
        ("seed=0 or seed=1 and seed=2", [0]),
    ],
)
def test_expressions(jobs: Any, expression: str, seeds: list[int]) -> None:
    assert [job.seed for job in select(jobs(3), expression)] == seeds


def test_a_seed_is_matched_whole(jobs: Any) -> None:
    assert [job.seed for job in select(jobs(12), "seed=1")] == [1]


def test_an_id_selects_its_job(jobs: Any) -> None:
    wanted = jobs(5)
    assert select(wanted, wanted[3].id[:10]) == [wanted[3]]


def test_a_short_word_does_not_select_ids_that_contain_it(jobs: Any) -> None:
    wanted = jobs(5)
    for word in (wanted[3].id[:7], wanted[3].id[2:14]):
        with pytest.raises(UnknownNameError, match="unknown `-k` word"):
            select(wanted, word)


@pytest.mark.parametrize("expression", ["", "and", "a b", "(a", "a)", "not", "a or", "()"])
def test_malformed_expressions_are_refused(jobs: Any, expression: str) -> None:
    with pytest.raises(RequestError, match="malformed"):
        select(jobs(2), expression)


@pytest.mark.parametrize(
    ("word", "hint"), [("pppo", "did you mean `ppo`?"), ("pp", "did you mean `ppo`?"), ("seed=7", "seed=")]
)
def test_a_word_that_means_no_job_is_refused_even_where_others_do(jobs: Any, word: str, hint: str) -> None:
    for expression in (word, f"ppo or {word}", f"not {word}"):
        with pytest.raises(UnknownNameError) as caught:
            select(jobs(2), expression)
        assert hint in str(caught.value.hint)


def test_an_empty_selection_is_refused_with_the_words_it_may_contain(jobs: Any) -> None:
    with pytest.raises(RequestError, match="no job of 2 matches") as caught:
        select(jobs(2), "ppo and not ppo")
    assert "`ppo`" in str(caught.value.hint)


class Label(NamedTuple):
    """What is asked of a job."""

    algorithm: str = "ppo"
    sequence: str = "CartPole-v1"
    seed: int = 1
    id: str = "0123456789abcdef"


@pytest.mark.parametrize(
    ("word", "algorithm", "expected"),
    [
        ("ppo", "ppo", True),
        ("ppo", "ppo_kl", False),
        ("ppo*", "ppo_kl", True),
        ("*kl", "ppo_kl", True),
        ("gtr", "gtr[sigma=0.5,beta=1.0]", True),
        ("gtr[sigma=0.5,beta=1.0]", "gtr[sigma=0.5,beta=1.0]", True),
        ("gtr[sigma=0.5*", "gtr[sigma=0.5,beta=1.0]", True),
        ("gtr[sigma=2*", "gtr[sigma=0.5,beta=1.0]", False),
        ("cartpole", "ppo", False),
        ("CARTPOLE-V1", "ppo", True),
        ("seed=1*", "ppo", True),
    ],
)
def test_words_are_whole_names_and_a_star_stands_for_any_characters(word: str, algorithm: str, expected: bool) -> None:
    assert parse_selection(word)(Label(algorithm)) is expected  # type: ignore[arg-type]


words = st.sampled_from(["ppo", "spo", "seed=0", "seed=1", "cartpole-v1"])
expressions = st.recursive(
    words,
    lambda inner: st.one_of(
        inner.map(lambda a: f"not ({a})"),
        st.tuples(inner, inner).map(lambda ab: f"({ab[0]}) and ({ab[1]})"),
        st.tuples(inner, inner).map(lambda ab: f"({ab[0]}) or ({ab[1]})"),
    ),
    max_leaves=8,
)


@given(expressions)
def test_agrees_with_python_on_every_expression(expression: str) -> None:
    python = expression
    for word in ("ppo", "spo", "seed=0", "seed=1", "cartpole-v1"):
        python = python.replace(word, str(word in ("ppo", "seed=1", "cartpole-v1")))
    assert parse_selection(expression)(Label()) == eval(python)  # type: ignore[arg-type]
