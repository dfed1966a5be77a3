"""Pages for what the docs link to outside of docs/: the repository has no public address, so the site brings it along.

A link such as `../suites/quickstart.toml` leads to `repository/suites/quickstart.toml.md`, a page that shows the file.
Markdown is shown as it is, with its links treated the same way; whatever else as a block of code.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "repository"
LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
ALWAYS = ("README.md", "CHANGELOG.md")  # in the navigation, or of use wherever one comes from


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every file of the repository that a page links to, directly or by another such page."""
    sources = {ROOT / "docs" / file.src_uri: file for file in files.documentation_pages()}
    # results.md and results/README.md would be the same page, and the later one would win
    index = files.get_file_from_path("results/README.md")
    if index:
        index.dest_uri = "results/suites/index.html"
    waiting = [ROOT / name for name in ALWAYS]
    waiting += [target for source in sources for target in _targets(source)]
    for target in waiting:
        uri = _page_of(target)
        if uri is None or files.get_file_from_path(uri) or not target.is_file():
            continue
        files.append(File.generated(config, uri, content=_content(target)))
        if target.suffix == ".md":
            waiting += _targets(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the pages made above."""
    uri = page.file.src_uri
    source = ROOT / uri.removeprefix(f"{FOLDER}/") if uri.startswith(f"{FOLDER}/") else ROOT / "docs" / uri
    if uri.startswith(f"{FOLDER}/") and source.suffix == ".md" and not source.exists():
        return markdown  # a file shown as code: what looks like a link in it is none

    def led(found: re.Match[str]) -> str:
        target, anchor = _target(source, found[0])
        if target is None:
            return found[0]
        to = _page_of(target) or target.relative_to(ROOT / "docs").as_posix()
        return posixpath.relpath(to, posixpath.dirname(uri) or ".") + anchor

    return LINK.sub(led, markdown)


def _targets(source: Path) -> list[Path]:
    """The files that a Markdown file links to."""
    text = source.read_text(encoding="utf-8")
    return [target for link in LINK.findall(text) if (target := _target(source, link)[0])]


def _target(source: Path, link: str) -> tuple[Path | None, str]:
    """The file of the repository a link leads to, and its anchor; no file where it leads elsewhere."""
    parts = urlsplit(link)
    if parts.scheme or not parts.path or parts.path.startswith("/"):
        return None, ""
    target = Path(posixpath.normpath((source.parent / parts.path).as_posix()))
    return (target if target.is_relative_to(ROOT) else None), f"#{parts.fragment}" if parts.fragment else ""


def _page_of(target: Path) -> str | None:
    """The page that shows a file; none for what is a page of docs/ itself."""
    if target.is_relative_to(ROOT / "docs"):
        return None
    path = target.relative_to(ROOT).as_posix()
    return f"{FOLDER}/{path}" if target.suffix == ".md" else f"{FOLDER}/{path}.md"


def _content(target: Path) -> str:
    text = target.read_text(encoding="utf-8")
    if target.suffix == ".md":
        return text
    language = {".py": "python", ".toml": "toml"}.get(target.suffix, "text")
    return f"# {target.relative_to(ROOT).as_posix()}\n\n````{language}\n{text}````\n"
