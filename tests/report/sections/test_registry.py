"""A section of one's own: one class, registered by name, in every format."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.report.build import build_report
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.formats import FORMATS, render
from gtr_bench.report.model import Report, SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.sections.registry import OWN, in_order, sections
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from ..conftest import SUITE

Fill = Callable[..., Path]


class Seeds(Section):
    """How many seeds an algorithm has, over all environments."""

    name: ClassVar[str] = "seeds"
    columns: ClassVar[tuple[str, ...]] = ("algorithm", "seeds_counted")

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> dict[str, int]:
        return {label: len({each.seed for each in asked.runs if each.algorithm == label}) for label in asked.algorithms}

    def blocks(self, suite: SuiteReport, data: Mapping[str, int]) -> Iterator[Block]:
        yield Heading(2, "Seeds of everyone")
        rows = [[label, str(count)] for label, count in data.items()]
        yield grid("", ("algorithm", "counted seeds"), rows, numeric=NUMERIC | {"counted seeds"})
        yield Lines(("every seed counts once",), "note")

    def rows(self, suite: SuiteReport, data: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
        for label, count in data.items():
            yield {"algorithm": label, "seeds_counted": count}


class Remark(Section):
    """One sentence within the claims."""

    name: ClassVar[str] = "remark"
    within: ClassVar[str | None] = "claims"

    def applies(self, found: SuiteRecords) -> bool:
        return any(record.algorithm == "gtr" for record in found.records)

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> str:
        return f"remarkable: {asked.baseline}"

    def blocks(self, suite: SuiteReport, data: str) -> Iterator[Block]:
        yield Lines((data,))
        yield Lines(("what a remark is",), "note")


@pytest.fixture
def shown(fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> Report:
    """A report with the two sections of this file."""
    monkeypatch.setattr(sections, "names", lambda: ["remark", "seeds", *OWN])
    monkeypatch.setattr(sections, "_loaded", {"seeds": Seeds, "remark": Remark})
    return build_report([fill(jobs)], curves=True)


@pytest.mark.parametrize("format", ["terminal", "markdown", "html", "latex"])
def test_a_section_of_one_s_own_shows_up_in_every_format_for_people(shown: Report, format: str) -> None:
    text = render(shown, format)
    for part in ("Seeds of everyone", "counted seeds", "every seed counts once", "remarkable: ppo"):
        assert part in text
    text = re.sub("<nav.*?</nav>", "", text)  # a page names its parts above them, too
    assert text.index("remarkable: ppo") < text.index("what a remark is") < text.index("Seeds of everyone")


def test_its_columns_of_numbers_are_set_flush_right(shown: Report) -> None:
    assert r"\begin{tabular}{lr}" in render(shown, "latex")
    assert '<th scope="col" class="n"><button type="button">counted seeds' in render(shown, "html")


def test_its_rows_are_in_the_csv_table_beside_the_cells(shown: Report) -> None:
    rows = list(csv.DictReader(StringIO(render(shown, "csv"))))
    own = [row for row in rows if row["seeds_counted"]]
    assert [(row["suite"], row["algorithm"], row["seeds_counted"], row["value"]) for row in own] == [
        ("swap", "ppo", "5", ""),
        ("swap", "gtr", "5", ""),
    ]
    assert all(row["value"] for row in rows if row not in own)


def test_its_data_is_in_json_under_its_name_and_an_attribute_of_the_suite(shown: Report) -> None:
    (suite,) = shown.suites
    assert suite.seeds == {"ppo": 5, "gtr": 5}
    (plain,) = json.loads(render(shown, "json"))["suites"]
    assert (plain["seeds"], plain["remark"]) == ({"ppo": 5, "gtr": 5}, "remarkable: ppo")


def test_a_section_that_does_not_apply_is_null_and_shows_nothing(
    fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "names", lambda: ["remark", *OWN])
    monkeypatch.setattr(sections, "_loaded", {"remark": Remark})
    text = '[[algorithm]]\nid = "ppo"\n'

    alone = SUITE[: SUITE.index("[[algorithm]]")].replace('comparisons = [["gtr", "ppo"]]', "comparisons = []") + text
    own = parse_suite(alone, path="swap.toml", scale="laptop").jobs()
    report = build_report([fill(own, text=alone)])
    (plain,) = json.loads(render(report, "json"))["suites"]
    assert plain["remark"] is None
    for format in FORMATS:
        assert "what a remark is" not in render(report, format)


def test_ours_come_first_in_their_order_then_those_of_packages_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "names", lambda: ["remark", "seeds", *OWN])
    monkeypatch.setattr(sections, "_loaded", {"seeds": Seeds, "remark": Remark})
    assert list(in_order()) == [
        "setup",
        "claims",
        "tuning",
        "tables",
        "atari_subsets",
        "mechanism",
        "relaxation",
        "missing",
        "published",
        "remark",
        "seeds",
    ]


@pytest.mark.parametrize("name", OWN)
def test_a_section_has_the_name_it_is_registered_under(name: str) -> None:
    assert sections.get(name).name == name


def test_a_suite_has_no_attribute_that_is_no_section(shown: Report) -> None:
    with pytest.raises(AttributeError, match="has no `tabels`"):
        _ = shown.suites[0].tabels
