"""`-k EXPRESSION`: which jobs of a suite to run, in the manner of pytest.

gtr and not kl          words are substrings of "algorithm sequence seed=N", case ignored
(ppo or spo) and seed=3 a word `seed=N` means that seed exactly, not also seed 30
0123abcd                a word of 8 characters or more may also begin a job's id
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gtr_bench.errors import RequestError

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["parse_selection", "select"]

_SHORTEST_ID = 8

Predicate = Callable[["Job"], bool]


def select(jobs: Iterable[Job], expression: str | None) -> list[Job]:
    """The jobs an expression chooses, in their order; raises RequestError if it is malformed or chooses none."""
    everything = list(jobs)
    if expression is None:
        return everything
    wanted = parse_selection(expression)
    chosen = [job for job in everything if wanted(job)]
    if not chosen:
        known = sorted({job.algorithm for job in everything} | {job.sequence for job in everything})
        raise RequestError(
            f"no job of {len(everything):,} matches `-k {expression}`",
            hint="words it may contain: " + ", ".join(f"`{word}`" for word in known),
        )
    return chosen


def parse_selection(expression: str) -> Predicate:
    """An expression of words, `and`, `or`, `not` and parentheses as a predicate; raises RequestError."""
    parser = _Parser(expression)
    predicate = parser.alternatives()
    if parser.tokens:
        parser.refuse()
    return predicate


class _Parser:
    """Recursive descent: alternatives > conjunctions > factors."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = re.findall(r"[()]|[^\s()]+", expression)

    def refuse(self) -> None:
        place = f"at `{self.tokens[0]}`" if self.tokens else "at its end"
        raise RequestError(
            f"the selection `{self.expression}` is malformed {place}", hint='write it like `-k "gtr and not seed=3"`'
        )

    def take(self, token: str) -> bool:
        if self.tokens and self.tokens[0].lower() == token:
            self.tokens.pop(0)
            return True
        return False

    def alternatives(self) -> Predicate:
        left = self.conjunction()
        while self.take("or"):
            left = _either(left, self.conjunction())
        return left

    def conjunction(self) -> Predicate:
        left = self.factor()
        while self.take("and"):
            left = _both(left, self.factor())
        return left

    def factor(self) -> Predicate:
        if self.take("not"):
            inner = self.factor()
            return lambda job: not inner(job)
        if self.take("("):
            inner = self.alternatives()
            if not self.take(")"):
                self.refuse()
            return inner
        if not self.tokens or self.tokens[0].lower() in {")", "and", "or"}:
            self.refuse()
        return _word(self.tokens.pop(0).lower())


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda job: left(job) or right(job)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda job: left(job) and right(job)


def _word(word: str) -> Predicate:
    seed = re.fullmatch(r"seed=(\d+)", word)
    if seed:
        number = int(seed[1])
        return lambda job: job.seed == number
    # Algorithms like a2c are hexadecimal numbers too, so a short word never means an id.
    may_be_id = len(word) >= _SHORTEST_ID

    def matches(job: Job) -> bool:
        labels = f"{job.algorithm} {job.sequence} seed={job.seed}".lower()
        return word in labels or (may_be_id and job.id.startswith(word))

    return matches
