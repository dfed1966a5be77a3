"""`-k` reads as boolean logic over a job's labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.errors import RequestError
from gtr_bench.schedule.selection import parse_selection, select


@pytest.mark.parametrize(
    ("expression", "seeds"),
    [
        ("ppo", [0, 1, 2]),
        ("seed=1", [1]),
        ("not seed=1", [0, 2]),
        ("seed=0 or seed=2", [0, 2]),
        ("(seed=0 or seed=2) and not seed=0", [2]),
        ("CARTPOLE and seed=2", [2]),
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
    with pytest.raises(RequestError, match="no job of 5"):
        select(wanted, wanted[3].id[:7])
    with pytest.raises(RequestError, match="no job of 5"):
        select(wanted, wanted[3].id[2:14])


@pytest.mark.parametrize("expression", ["", "and", "a b", "(a", "a)", "not", "a or", "()"])
def test_malformed_expressions_are_refused(jobs: Any, expression: str) -> None:
    with pytest.raises(RequestError, match="malformed"):
        select(jobs(2), expression)


def test_an_empty_selection_is_refused_with_the_words_it_may_contain(jobs: Any) -> None:
    with pytest.raises(RequestError, match="no job of 2 matches") as caught:
        select(jobs(2), "dqn")
    assert "`ppo`" in str(caught.value.hint)


words = st.sampled_from(["ppo", "spo", "seed=0", "seed=1", "cartpole"])
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
    class Label:
        algorithm, sequence, seed, id = "ppo", "CartPole-v1", 1, "0123456789abcdef"

    text = "ppo cartpole-v1 seed=1"
    python = expression
    for word in ("ppo", "spo", "seed=0", "seed=1", "cartpole"):
        python = python.replace(word, str(word in text))
    assert parse_selection(expression)(Label) == eval(python)  # type: ignore[arg-type]
