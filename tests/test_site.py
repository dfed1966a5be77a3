"""The site of the docs builds with every link and anchor leading somewhere, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow  # the site is built twice

LIMIT, TOGETHER = 150_000, 1_500_000  # bytes of the gallery's figures


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """`mkdocs build --strict` in a process of its own: mkdocs and its plugins warn about themselves."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT / "mkdocs.yml", folder)
    assert built.returncode == 0, built.stderr
    return folder


class Links(HTMLParser):
    """What a page loads, where it leads, and the text of its paragraphs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        if identifier := found.get("id"):
            self.ids.add(identifier)
        if "src" in found:
            self.loads.append(found["src"])
        if "href" in found:
            (self.loads if tag == "link" else self.leads).append(found["href"])


def pages(site: Path) -> Iterator[tuple[Path, Links]]:
    for file in sorted(site.rglob("*.html")):
        if file.name != "404.html":  # served at any depth, so its links begin at the root
            yield file, Links(file.read_text(encoding="utf-8"))


def test_every_link_of_the_built_site_leads_to_a_file_and_an_anchor_of_it(site: Path) -> None:
    found = dict(pages(site))
    assert len(found) > 40
    broken = []
    for file, links in found.items():
        for link in links.leads + links.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / parts.path).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            missing = not target.is_file() or (
                parts.fragment and target in found and parts.fragment not in found[target].ids
            )
            if missing:
                broken.append(f"{file.relative_to(site)}: {link}")
    assert not broken, "\n".join(broken)


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = {(file.name, load) for file, links in pages(site) for load in links.loads}
    assert len(loaded) > 5
    assert [each for each in loaded if urlsplit(each[1]).netloc] == []
    styles = [file.read_text(encoding="utf-8") for file in site.rglob("*.css")]
    assert styles
    assert not [style for style in styles if re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style)]
    # the theme fetches mermaid's program where a page has such a diagram
    assert not [file for file, _ in pages(site) if 'class="mermaid"' in file.read_text(encoding="utf-8")]


def test_lists_and_tables_are_not_run_into_their_paragraph(site: Path) -> None:
    """A git host starts a list or table without an empty line before it; the site's Markdown does not."""
    wrong = []
    for file in site.rglob("index.html"):
        article = file.read_text(encoding="utf-8").partition("<article")[2].partition("</article")[0]
        for paragraph in re.findall(r"<p>(.*?)</p>", article, flags=re.DOTALL):
            if re.search(r"(^|\n)(- |\d+\. |\| |```|#+ )", paragraph):
                wrong.append(f"{file.relative_to(site)}: {paragraph[:80]}")
    assert not wrong, "\n".join(wrong)


def test_files_outside_of_the_docs_are_pages_of_the_site(site: Path) -> None:
    """The repository has no public address that a link could lead to."""
    readme = (site / "repository/index.html").read_text(encoding="utf-8")
    assert "Honest limits" in readme
    source = (site / "repository/examples/ppo_by_hand.py/index.html").read_text(encoding="utf-8")
    assert "<h1" in source
    assert "examples/ppo_by_hand.py" in source
    assert "import torch" in re.sub(r"<[^>]+>", "", source)


def test_dead_links_and_anchors_fail_the_build_and_are_named(tmp_path: Path) -> None:
    """With the validation of the real site, on a page of its own."""
    dead = ["missing.md", "#nowhere", "other.md#elsewhere", "../no_such_file.toml"]
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A page\n\n" + "\n".join(f"[a]({link})" for link in dead), encoding="utf-8")
    (docs / "other.md").write_text("# Another\n", encoding="utf-8")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = re.sub(r"^(nav|theme|hooks|extra_css|plugins):.*?(?=^\S|\Z)", "", config, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    built = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert built.returncode == 1
    assert [link for link in dead if f"'{link}'" not in built.stderr] == []


def test_the_gallery_s_figures_are_small_and_each_is_made_by_a_command_above_it() -> None:
    page = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\(gallery/([^)]+)\)", page)
    made = re.findall(r"^    (?:gtr-bench|cp) .* docs/gallery/(\S+)(?: --figure \w+)?$", page, flags=re.MULTILINE)
    figures = {file.name: file.stat().st_size for file in (ROOT / "docs/gallery").iterdir()}
    assert sorted(shown) == sorted(made) == sorted(figures)
    assert {name: size for name, size in figures.items() if size > LIMIT} == {}
    assert sum(figures.values()) < TOGETHER
