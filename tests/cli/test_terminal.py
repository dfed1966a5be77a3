"""Colours, widths and closed pipes, with real processes on real terminals and pipes."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.suite import load_suite

FAKE_CLI = str(Path(__file__).with_name("fake_cli.py"))
CLEAN = {"NO_COLOR": "", "FORCE_COLOR": "", "TERM": "xterm-256color", "COLUMNS": "100"}
REPORT = ("report", "--suite", "tiny.toml")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def filled(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Results of tiny.toml."""
    monkeypatch.chdir(cli.folder)
    cli.fill(load_suite("tiny.toml"))
    return cli


def on_terminal(cli: Any, *arguments: str, **environment: str) -> str:
    """Everything a terminal gets from a command that exits well."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, FAKE_CLI, *arguments],
        cwd=cli.folder,
        env={**os.environ, **CLEAN, **environment},
        stdin=end,
        stdout=end,
        stderr=end,
    ) as process:
        os.close(end)
        pieces = []
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux's way to say that nobody holds the other end any more
                break
            if not piece:
                break
            pieces.append(piece)
    os.close(terminal)
    text = b"".join(pieces).decode().replace("\r\n", "\n")
    assert process.returncode == 0, text
    return text


def piped(cli: Any, *arguments: str, **environment: str) -> str:
    """What a pipe gets."""
    return subprocess.run(
        [sys.executable, FAKE_CLI, *arguments],
        cwd=cli.folder,
        env={**os.environ, **CLEAN, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def bare(text: str) -> str:
    """Without colours, and without the spaces that stood before them at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in COLOUR.sub("", text).splitlines())


@pytest.mark.slow
def test_a_report_has_colours_on_a_terminal_alone_unless_asked_otherwise(filled: Any) -> None:
    plain = piped(filled, *REPORT)
    assert "\x1b" not in plain
    coloured = piped(filled, *REPORT, FORCE_COLOR="1")
    assert COLOUR.search(coloured)
    assert bare(coloured) == plain
    assert "\x1b" not in piped(filled, *REPORT, FORCE_COLOR="1", NO_COLOR="1")
    terminal = on_terminal(filled, *REPORT, COLUMNS="160")
    assert COLOUR.search(terminal)
    assert bare(terminal) == plain
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert on_terminal(filled, *REPORT, COLUMNS="160", **environment) == plain


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare results results", "ablate --path --suite tiny.toml --seeds 2"])
def test_other_tables_have_colours_on_a_terminal_alone_unless_asked_otherwise(filled: Any, command: str) -> None:
    arguments = command.split()
    assert "\x1b" not in piped(filled, *arguments)
    assert COLOUR.search(piped(filled, *arguments, FORCE_COLOR="1"))
    assert "\x1b" not in piped(filled, *arguments, FORCE_COLOR="1", NO_COLOR="1")
    assert COLOUR.search(on_terminal(filled, *arguments))
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(filled, *arguments, **environment)


@pytest.mark.slow
def test_a_narrow_terminal_cuts_no_word_and_no_number(filled: Any) -> None:
    wide = piped(filled, *REPORT, "--full")
    for width in (40, 60, 80, 100):
        narrow = on_terminal(filled, *REPORT, "--full", COLUMNS=str(width), NO_COLOR="1")
        assert max(len(line) for line in narrow.splitlines()) <= width
        assert "…" not in narrow, width
        assert set(wide.split()) - set(narrow.split()) <= {"reference", "reference)"}, width


@pytest.mark.parametrize(
    "command", ["run", "train", "plan", "status", "logs", "report", "compare", "ablate", "tune", "export", "doctor"]
)
def test_help_fits_a_narrow_terminal(cli: Any, command: str) -> None:
    text = cli(command, "--help", COLUMNS="60").stdout
    assert max(len(line) for line in text.splitlines()) <= 60


@pytest.mark.slow
def test_a_run_redraws_on_a_terminal_and_says_lines_on_a_dumb_one(cli: Any) -> None:
    dumb = on_terminal(cli, "run", "tiny.toml", "--results", "dumb", TERM="dumb")
    assert "\x1b" not in dumb
    assert "started: ppo on cartpole" in dumb
    live = on_terminal(cli, "run", "tiny.toml", "--results", "live")
    assert "\x1b[?25l" in live  # the cursor is hidden while the table is redrawn
    assert COLOUR.search(live)
    colourless = on_terminal(cli, "run", "tiny.toml", "--results", "colourless", NO_COLOR="1")
    assert "\x1b[?25l" in colourless
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", colourless)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("arguments", ["report", "report --format csv", "plan tiny.toml --list", "export", "doctor"])
def test_a_reader_who_stops_reading_ends_a_command_quietly(filled: Any, arguments: str) -> None:
    script = f'set -o pipefail; "{sys.executable}" "{FAKE_CLI}" {arguments} | true'
    answer = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=filled.folder, env={**os.environ, **CLEAN}, capture_output=True, text=True
    )
    assert answer.returncode == 141
    assert answer.stderr == ""
    answer = subprocess.run(
        ["bash", "--norc", "-c", script.replace("true", "head -n 1")],
        cwd=filled.folder,
        env={**os.environ, **CLEAN},
        capture_output=True,
        text=True,
    )
    assert answer.returncode in {0, 141}
    assert len(answer.stdout.splitlines()) == 1
    assert answer.stderr == ""


EVIL = "\\u001b[2J\\u001b]0;title\\u0007\\u202e\\u0000"
CONTROLS = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.slow
def test_control_characters_of_questions_and_labels_reach_no_terminal_and_no_file(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cli.folder)
    text = (cli.folder / "tiny.toml").read_text().replace("Does it run?", f"Does it {EVIL} run?")
    (cli.folder / "tiny.toml").write_text(text)
    cli.fill(load_suite("tiny.toml"))
    (folder,) = {path.parent for path in list(cli.results.glob("jobs/*/job.parquet"))[:1]}
    (folder / "job.parquet").unlink()
    (folder / "failure.json").write_text(f'{{"reason": "error", "message": "why {EVIL}"}}')
    seen = [cli("status").stdout, cli("logs", folder.name[:8]).stderr, cli("export", "--what", "jobs").stdout]
    for name in ("terminal", "markdown", "html", "latex", "csv", "json"):
        answer = cli("report", "--format", name, "--out", f"report.{name}")
        assert answer.returncode == 0, answer.stderr
        seen += [(cli.folder / f"report.{name}").read_text(), cli("report", "--format", name).stdout]
    assert any("Does it" in text for text in seen)
    for text in seen:
        assert not CONTROLS.search(text), text[:300]
    terminal = on_terminal(cli, *REPORT, COLUMNS="160")
    assert not CONTROLS.search(COLOUR.sub("", terminal))
