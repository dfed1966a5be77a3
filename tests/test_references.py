"""Every citation of docs/reference/ leads to a heading there, and every heading there has a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gtr_bench.catalogue.references import Citation, anchor, citations, read_pages, sections, unresolved

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs/reference"
PAGES = read_pages(REFERENCE)
FILES = {
    "gtr_bench": "*.py", "tests": "*.py", "benchmarks": "*.*", "examples": "*.py", "suites": "*.toml", "docs": "*.md",
}  # fmt: skip


def texts() -> Iterator[tuple[str, str]]:
    """(file, text) of everything that may cite; this file makes wrong citations up."""
    for folder, pattern in FILES.items():
        for path in sorted((ROOT / folder).rglob(pattern)):
            if path.is_file() and path != Path(__file__) and path.suffix in {".py", ".toml", ".md"}:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_every_citation_leads_to_a_heading() -> None:
    found = [(file, citation) for file, text in texts() for citation in citations(text)]
    assert len(found) > 60, "the citations are not recognised any more"
    assert {citation.page for _, citation in found} == set(PAGES)
    wrong = [f"{file}: {citation}" for file, text in texts() for citation in unresolved(text, PAGES)]
    assert not wrong, "\n".join(wrong)


def test_every_labelled_heading_is_cited_or_linked() -> None:
    cited = {(citation.page, citation.label) for _, text in texts() for citation in citations(text)}
    linked = {anchor for _, text in texts() for anchor in re.findall(r"reference/\w+\.md#([\w-]+)", text)}
    idle = []
    for page, found in PAGES.items():
        for section in found:
            below = (label for name, label in cited if name == page and label.startswith(f"{section.label}."))
            if (page, section.label) not in cited and anchor(section.heading) not in linked and not any(below):
                idle.append(f"{page} {section.label}")
    assert not idle, f"nobody cites {', '.join(idle)}: cite them or remove them"


def test_labels_are_unique_on_a_page() -> None:
    for page, found in PAGES.items():
        labels = [section.label for section in found]
        assert len(labels) == len(set(labels)), page


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('"""GAE (algorithms A.2, details 5 and 6)."""', []),
        ('"""GAE (algorithms A.2, detail 99)."""', [Citation("algorithms", "A.2", (99,))]),
        ("# as in protocols 99", [Citation("protocols", "99")]),
        ("# protocols 13.2, 99.1).", [Citation("protocols", "99.1")]),
        ("(gtr.md 4, 5, 70)", [Citation("gtr.md", "70")]),
        ("Sources: algorithms A.1-A.5.", [Citation("algorithms", "A.5")]),
        ("the rule (protocols\n# 98) says", [Citation("protocols", "98")]),
        ("seeds given: gtr 20, ppo 10; 8 environments x 256", []),
    ],
)
def test_a_wrong_citation_is_found(text: str, wrong: list[Citation]) -> None:
    assert unresolved(text, PAGES) == wrong


def test_ranges_and_lists_name_every_section_and_item() -> None:
    assert list(citations("algorithms A.1-A.3, details 9 to 11")) == [
        Citation("algorithms", "A.1"),
        Citation("algorithms", "A.2"),
        Citation("algorithms", "A.3", (9, 10, 11)),
    ]
    assert list(citations("protocols 1 and 2")) == [Citation("protocols", "1"), Citation("protocols", "2")]


def test_headings_without_a_label_are_no_sections() -> None:
    found = sections("# Page\n\n## A.2 PPO\n\n1. one\n2. two\n\n### 13.1 Aggregates\n## Versions\n## 4. Objective\n")
    assert [section.label for section in found] == ["A.2", "13.1", "4"]
    assert found[0].items == {1, 2}
