"""What was run: worlds, evaluation, network, seeds and parameters, as the setup of a paper has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines, Pictures, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.setup import AlgorithmSetup, Parameter, Setup, setup_of
from gtr_bench.report.setup_text import by_sequence, sentences, value_text
from gtr_bench.report.text import ABSENT, joined, label

__all__ = ["SetupSection"]

HEADER = ("parameter", "value", "default", "of")
MARK = "*"
MARK_LINE = f"{MARK} (bold): not the program's default; {ABSENT}: the algorithm has no such parameter"


class SetupSection(Section):
    """The experiment in sentences, a table of what differs by algorithm, and one of what is common."""

    name: ClassVar[str] = "setup"

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> Setup | None:
        """Of all environments, whichever are shown."""
        return setup_of(found)

    def blocks(self, suite: SuiteReport, data: Setup) -> Iterator[Block]:
        """Sentences first, then the tables of parameters."""
        yield Heading(2, "Setup", lead=True)
        if suite.pictures:
            yield Pictures(suite.pictures)
        yield Lines(tuple(sentences(data)))
        own = [each for each in data.parameters if not each.common]
        shared = [each for each in data.parameters if each.common]
        if unusual := [each for each in shared if not _usual(each)]:
            listed = "; ".join(f"{each.name} {_shared_value(each)}" for each in unusual)
            yield Lines((f"Common settings other than the program's defaults: {listed}.",))
        if own:
            yield _table(suite, data.algorithms, own)
        if shared:
            yield grid("Common settings", HEADER, [_row(each, data) for each in shared], detail=True)
        if any(not each.usual(name) for each in own for name in each.values):
            yield Lines((MARK_LINE,), "note")


def _table(suite: SuiteReport, algorithms: Sequence[AlgorithmSetup], own: Sequence[Parameter]) -> Grid:
    """A row per algorithm, a column per parameter that is not common."""
    named = any(each.name != each.label for each in algorithms)
    added = any(each.add_ons for each in algorithms)
    names = ["algorithm", *["method"] * named, *["add-ons"] * added, *(each.name for each in own)]
    rows = []
    for each in algorithms:
        first = [Entry(label(suite, each.label)), *[Entry(each.name)] * named]
        first += [Entry(", ".join(each.add_ons) or ABSENT)] * added
        rows.append((*first, *(_entry(parameter, each.label) for parameter in own)))
    return Grid("Parameters of the algorithms", tuple(names), tuple(rows))


def _entry(parameter: Parameter, algorithm: str) -> Entry:
    values = parameter.values.get(algorithm)
    if values is None:
        return Entry(ABSENT)
    text = by_sequence({sequence: value_text(value) for sequence, value in values.items()})
    return Entry(text) if parameter.usual(algorithm) else Entry(f"{text} {MARK}", bold=True)


def _usual(parameter: Parameter) -> bool:
    return all(parameter.usual(label) for label in parameter.values)


def _shared_value(parameter: Parameter) -> str:
    """Of one for all, or one per sequence; an algorithm that lacks a sequence leaves its value to the others."""
    values = {sequence: value_text(value) for each in parameter.values.values() for sequence, value in each.items()}
    return by_sequence(values)


def _of(parameter: Parameter, data: Setup) -> str:
    """Whose it is; empty where it is everyone's."""
    return "" if len(parameter.values) == len(data.algorithms) else joined(list(parameter.values))


def _row(parameter: Parameter, data: Setup) -> list[str]:
    """The texts of one common parameter, in the order of `HEADER`."""
    defaults = list(dict.fromkeys(value_text(each) for each in parameter.defaults.values()))
    value = _shared_value(parameter)
    default = "yes" if _usual(parameter) and defaults else " or ".join(defaults) or ABSENT
    return [parameter.name, value, default, _of(parameter, data) or "all"]
