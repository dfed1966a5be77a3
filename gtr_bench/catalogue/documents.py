"""The tables of the docs: `python -m gtr_bench.catalogue.documents` writes them, `--check` only says which are old.

A page holds `<!-- generated: NAME -->` and `<!-- end -->`; what stands between them comes from here. Only what comes
with the program is shown, whatever else is installed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from gtr_bench.algorithms.parameters import OnPolicyParameters
from gtr_bench.catalogue.entry import Entry
from gtr_bench.catalogue.kinds import KINDS
from gtr_bench.catalogue.layout import words
from gtr_bench.catalogue.parameters import Parameter, parameters_of
from gtr_bench.catalogue.references import Section, anchor, citations, read_pages
from gtr_bench.errors import RequestError, UnknownNameError

__all__ = ["BLOCKS", "PAGES", "main", "rewritten"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/suites.md", "docs/results.md")
MARKED = re.compile(r"(<!-- generated: ([\w ]+) -->\n)(.*?)(<!-- end -->\n|(?=<!-- generated)|\Z)", re.DOTALL)


def rewritten(text: str, page: str) -> str:
    """A page with its marked parts made anew.

    Raises:
        RequestError: a part has no end.
        UnknownNameError: a part nobody can make.
    """

    reference = read_pages(ROOT / "docs/reference")
    folder = "reference" if "/" in page else "docs/reference"

    def replace(part: re.Match[str]) -> str:
        begin, name, _, end = part.groups()
        if not end:
            raise RequestError(f"the generated part `{name}` of `{page}` has no `<!-- end -->`")
        if name not in BLOCKS:
            raise UnknownNameError("generated part", name, BLOCKS)
        body = _linked("\n".join(BLOCKS[name]()).strip("\n"), folder, reference)
        return f"{begin}\n{body}\n\n{end}"

    return MARKED.sub(replace, text)


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with `--check` leave them and return 1 where one is old."""
    old = []
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        new = rewritten(text, page)
        if new != text:
            old.append(page)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    for page in old:
        print(f"{page}: " + ("old, `make docs` makes it anew" if "--check" in arguments else "written"))
    return int("--check" in arguments and bool(old))


def _own(kind: str) -> list[Entry]:
    """What comes with the program."""
    return [KINDS[kind].entry(name) for name in KINDS[kind].own_names()]


def _suites() -> Iterator[str]:
    kind = KINDS["suites"]
    rows = [[f"`{entry.name}`", entry.meaning] for entry in map(kind.brief, kind.own_names())]
    yield from _table(["suite", "question"], rows)


def _sequences() -> Iterator[str]:
    rows = [[f"`{entry.name}`", str(entry.facts["phases"]), entry.meaning] for entry in _own("sequences")]
    yield from _table(["name", "phases", "source"], rows)


def _metrics() -> Iterator[str]:
    rows = []
    for entry in _own("metrics"):
        rows.append([f"`{entry.name}`", *(words(entry.facts[key]) for key in ("better", "needs")), entry.meaning])
    yield from _table(["metric", "better", "needs", "one job's value"], rows)


def _training() -> Iterator[str]:
    yield from _parameters(parameters_of(OnPolicyParameters))


def _algorithms() -> Iterator[str]:
    yield from _table(["algorithm", "what it is"], [[f"`{each.name}`", each.meaning] for each in _own("algorithms")])
    for entry in _own("algorithms"):
        yield from _section(entry)
        own = entry.facts["own_defaults"]
        if own:
            yield "Settings of its own, which `[training]` does not change and the `[[algorithm]]` table may: " + (
                ", ".join(f"`{name}`" for name in own) + "." if isinstance(own, list) else ""
            )
            yield ""
        yield from _parameters([each for each in entry.parameters if not each.shared])


def _sections_of(kind: str) -> Callable[[], Iterator[str]]:
    """A section for every entry of a kind."""

    def lines() -> Iterator[str]:
        entries = _own(kind)
        if not entries:
            yield "None so far."
        for entry in entries:
            yield from _section(entry)
            yield from _parameters(entry.parameters)

    return lines


def _section(entry: Entry) -> Iterator[str]:
    yield from ("", f"### `{entry.name}`", "")
    for part in (f"{entry.meaning}.", *entry.text.split("\n\n")):
        if part:
            yield from (" ".join(part.split()), "")


BLOCKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "suites": _suites,
    "sequences": _sequences,
    "metrics": _metrics,
    "training": _training,
    "algorithms": _algorithms,
    "networks": _sections_of("networks"),
    "plasticity": _sections_of("plasticity"),
}
"""Name of a generated part -> its lines."""


def _parameters(parameters: Sequence[Parameter]) -> Iterator[str]:
    if not parameters:
        return
    rows = [
        [
            f"`{each.name}`",
            each.default_text if each.required or each.default is None else f"`{each.default_text}`",
            ", ".join(f"`{word}`" for word in each.values.split(", "))
            if each.type in ("choice", "boolean")
            else each.values,
            each.search_text,
            each.meaning + (f" ({each.source})" if each.source else ""),
        ]
        for each in parameters
    ]
    yield from _table(["key", "default", "values", "searched", "meaning"], rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in markdown."""
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(place.replace('|', chr(92) + '|') for place in row)} |"


def _linked(text: str, folder: str, pages: Mapping[str, Sequence[Section]]) -> str:
    """A text whose citations in brackets lead to their sections."""

    def link(found: re.Match[str]) -> str:
        cited = next(citations(found[1]))
        heading = next(section.heading for section in pages[cited.page] if section.label == cited.label)
        file = cited.page.removesuffix(".md") + ".md"
        return f"([{found[1]}]({folder}/{file}#{anchor(heading)}))"

    return re.sub(r"\(((?:algorithms|protocols|environments|gtr\.md) [\w., ]+)\)", link, text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
