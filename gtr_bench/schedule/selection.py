"""`-k EXPRESSION`: which jobs of a suite to run, in the manner of pytest.

gtr and not seed=3      words are whole names: of algorithms, of sequences, and `seed=N`; case ignored
(ppo* or spo) and swap  `*` stands for any characters, so `ppo*` is a family; `gtr` has all settings of its grid
0123abcd                a word of 8 characters or more may also begin a job's id
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gtr_bench.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["parse_selection", "select"]

_SHORTEST_ID = 8

Predicate = Callable[["Job"], bool]


def select(jobs: Iterable[Job], expression: str | None) -> list[Job]:
    """The jobs an expression chooses, in their order.

    Raises:
        RequestError: it is malformed, or chooses none.
        UnknownNameError: a word of it means no job.
    """
    everything = list(jobs)
    if expression is None:
        return everything
    parser = _Parser(expression)
    wanted = parser.whole()
    known = {name: None for job in everything for name in _names(job)}
    for word in parser.words:
        if not any(map(_word(word), everything)):
            seeds = word.lower().startswith("seed=")
            raise UnknownNameError("`-k` word", word, [name for name in known if name.startswith("seed=") == seeds])
    chosen = [job for job in everything if wanted(job)]
    if not chosen:
        words = ", ".join(f"`{word}`" for word in sorted(known))
        raise RequestError(
            f"no job of {len(everything):,} matches `-k {expression}`", hint=f"words it may contain: {words}"
        )
    return chosen


def parse_selection(expression: str) -> Predicate:
    """An expression of words, `and`, `or`, `not` and parentheses as a predicate; raises RequestError."""
    return _Parser(expression).whole()


class _Parser:
    """Recursive descent: alternatives > conjunctions > factors; `words` are those it met."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = re.findall(r"[()]|[^\s()]+", expression)
        self.words: list[str] = []

    def whole(self) -> Predicate:
        predicate = self.alternatives()
        if self.tokens:
            self.refuse()
        return predicate

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
        self.words.append(self.tokens.pop(0))
        return _word(self.words[-1])


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda job: left(job) or right(job)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda job: left(job) and right(job)


def _names(job: Job) -> tuple[str, ...]:
    """What may be said of a job; a setting of a grid has the grid's name too."""
    return job.algorithm, job.algorithm.partition("[")[0], job.sequence, f"seed={job.seed}"


def _word(word: str) -> Predicate:
    pattern = re.compile(re.escape(word).replace(r"\*", ".*"), re.IGNORECASE)
    # Algorithms like a2c are hexadecimal numbers too, so a short word never means an id.
    beginning = word.lower() if len(word) >= _SHORTEST_ID else None

    def matches(job: Job) -> bool:
        if any(pattern.fullmatch(name) for name in _names(job)):
            return True
        return beginning is not None and job.id.startswith(beginning)

    return matches
