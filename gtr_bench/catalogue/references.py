"""Citations of docs/reference/ (`algorithms A.2, detail 16`, `gtr.md 6`) and the headings they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

__all__ = ["CITATION", "Citation", "Section", "anchor", "citations", "read_pages", "sections", "unresolved"]

_PAGE = r"algorithms|protocols|environments|gtr\.md"
_LABEL = r"(?:[A-E]\.\d+|[A-E]|\d+(?:\.\d+)?)(?![\w.]*\w)"
_ITEMS = r"(?:, |,? \()(?:details?|point|suite) \d+(?:(?:, | and | to )\d+)*"
CITATION = re.compile(rf"\b({_PAGE}) ({_LABEL}(?:(?:, | and | to |-){_LABEL})*)({_ITEMS})?")
"""A page, one or more labels of its sections, and numbered items of the last of them."""


class Citation(NamedTuple):
    """One section that a text names; `items` are the numbered ones of its list, empty for the section itself."""

    page: str
    label: str
    items: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.page} {self.label}" + (f", {' '.join(map(str, self.items))}" if self.items else "")


@dataclass(frozen=True)
class Section:
    """A labelled heading of a page; `items` are the numbers of the list or of the table's rows under it."""

    label: str
    heading: str
    text: str = field(repr=False)

    @property
    def items(self) -> frozenset[int]:
        return frozenset(
            int(number) for number in re.findall(r"^(?:\| )?(\d+)(?:\.| \|) ", self.text, flags=re.MULTILINE)
        )


def citations(text: str) -> Iterator[Citation]:
    """Every section a text cites, in order; of a range such as `A.1-A.3` those between its ends too."""
    # a citation may begin on one line of a comment and end on the next
    plain = re.sub(r"\s*\n\s*(?:# ?)?", " ", text)
    for page, labels, items in CITATION.findall(plain):
        listed = re.split(r"(, | and | to |-)", labels)
        found: list[str] = []
        for number, label in enumerate(listed[::2]):
            if number and listed[2 * number - 1] in {"-", " to "}:
                found.extend(_between(found[-1], label))
            found.append(label)
        for label in found[:-1]:
            yield Citation(page, label)
        yield Citation(page, found[-1], _numbers(items))


def _between(first: str, last: str) -> list[str]:
    """The labels strictly between two of the same part."""
    part, _, begin = first.rpartition(".")
    dot = "." if part else ""
    return [f"{part}{dot}{number}" for number in range(int(begin) + 1, int(last.rpartition(".")[2]))]


def _numbers(items: str) -> tuple[int, ...]:
    """`, details 9 to 11` -> 9, 10, 11."""
    found: list[int] = []
    for joint, digits in re.findall(r"( to )?(\d+)", items):
        found.extend(range(found[-1] + 1 if joint else int(digits), int(digits) + 1))
    return tuple(found)


def sections(text: str) -> list[Section]:
    """The labelled headings of a page, in order, each with the text up to the next heading."""
    parts = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)
    found = []
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        labelled = re.match(rf"#+ ({_LABEL})\.?(?= )", heading)
        if labelled:
            found.append(Section(labelled[1], heading.lstrip("# "), body))
    return found


def read_pages(folder: Path) -> dict[str, list[Section]]:
    """The sections of every page of docs/reference/, by the name by which it is cited."""
    names = {"algorithms": "algorithms", "protocols": "protocols", "environments": "environments", "gtr.md": "gtr"}
    return {name: sections((folder / f"{stem}.md").read_text(encoding="utf-8")) for name, stem in names.items()}


def unresolved(text: str, pages: Mapping[str, Collection[Section]]) -> list[Citation]:
    """The citations of a text that name no section, or an item that its section's list does not have."""
    known = {(page, section.label): section.items for page, found in pages.items() for section in found}
    wrong = []
    for citation in citations(text):
        items = known.get((citation.page, citation.label))
        if items is None or not set(citation.items) <= items:
            wrong.append(citation)
    return wrong


def anchor(heading: str) -> str:
    """What GitHub calls a heading in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
