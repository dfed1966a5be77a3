"""The generated parts of the docs are current, and an old or broken one is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gtr_bench.catalogue import documents
from gtr_bench.catalogue.documents import BLOCKS, PAGES, ROOT, main, rewritten
from gtr_bench.catalogue.references import read_pages
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.plasticity.registry import add_ons


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_current(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert rewritten(text, page) == text, "`make docs` makes it anew"


def test_every_generated_part_stands_in_a_page_and_every_page_with_one_is_known() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
    texts["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {page: re.findall(r"^<!-- generated: ([\w ]+) -->$", text, re.MULTILINE) for page, text in texts.items()}
    assert {page for page, names in found.items() if names} == set(PAGES)
    placed = {name for names in found.values() for name in names}
    assert placed == set(BLOCKS) - (set() if add_ons.own_names() else {"plasticity"})


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    text = "# A\n\n<!-- generated: suites -->\nold\n<!-- end -->\nold\n"
    new = rewritten(text, "README.md")
    assert new.startswith("# A\n\n<!-- generated: suites -->\n\n| suite | question |\n| --- | --- |\n")
    assert new.endswith(" |\n\n<!-- end -->\nold\n")
    assert rewritten(new, "README.md") == new
    assert rewritten("# no marks\n", "README.md") == "# no marks\n"


def test_a_part_without_an_end_or_with_a_wrong_name_is_refused() -> None:
    with pytest.raises(RequestError, match="the generated part `suites` of"):
        rewritten("<!-- generated: suites -->\nold\n\n<!-- generated: metrics -->\n<!-- end -->\n", "README.md")
    with pytest.raises(UnknownNameError) as caught:
        rewritten("<!-- generated: metrisc -->\n<!-- end -->\n", "README.md")
    assert caught.value.hint == "did you mean `metrics`?"


def test_check_finds_an_old_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = documents.ROOT / "docs/reference"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/reference").symlink_to(reference)
    page = tmp_path / "README.md"
    page.write_text("<!-- generated: suites -->\nold\n<!-- end -->\n")
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    monkeypatch.setattr(documents, "PAGES", ("README.md",))
    assert main(["--check"]) == 1
    assert "README.md: old" in capsys.readouterr().out
    assert "old\n" in page.read_text()
    assert main([]) == 0
    assert "| `quickstart` |" in page.read_text()
    assert main(["--check"]) == 0


def test_a_bar_in_a_text_does_not_end_a_cell() -> None:
    assert list(documents._table(["a"], [["|A|"]]))[-1] == r"| \|A\| |"


def test_links_lead_to_the_section_cited() -> None:
    pages = read_pages(ROOT / "docs/reference")
    linked = documents._linked("x (algorithms A.2, detail 4) and (gtr.md 6)", "reference", pages)
    assert "([algorithms A.2, detail 4](reference/algorithms.md#a2-ppo-with-a-clipped-ratio))" in linked
    assert "([gtr.md 6](reference/gtr.md#6-diagnostics))" in linked
