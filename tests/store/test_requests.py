"""The ledger is only appended to, no number is written twice, and its files are trusted no further than a suite."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.store.requests import MOST_BYTES, append_request, ledger_name, ledger_names, read_ledger
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite

TEXT = """
[suite]
name = "swap"
question = "Is it kept?"
primary_metric = "lifetime_return"

[scale.laptop]
seeds = 2
steps_per_phase = 4096

[scale.full]
seeds = 3
steps_per_phase = 4096

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"

[[algorithm]]
id = "ppo"
"""

ORIGIN = {
    "command": ["gtr-bench", "run", 'my "swap"\n.toml'],
    "suite_path": "swap.toml",
    "git_sha": None,
    "git_dirty": None,
    "suite_text": "not written twice",
}

RACER = """
import sys
from pathlib import Path
from types import SimpleNamespace
from gtr_bench.store.requests import append_request
results, who = Path(sys.argv[1]), sys.argv[2]
origin = dict(command=[who], suite_path="swap.toml", git_sha=None, git_dirty=None)
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    append_request(results, SimpleNamespace(name="swap", scale="full", text=f"# {who} {number}\\n" * 500), origin)
"""


@pytest.fixture
def suite() -> Suite:
    return suite_of(TEXT)


def suite_of(text: str) -> Suite:
    return parse_suite(text, path="swap.toml", scale="full")


def never(sentence: str) -> None:
    raise AssertionError(sentence)


def texts(results: Path, warn: Any = never) -> list[str]:
    return [each.text for each in read_ledger([results], "swap-full", warn).requests]


def write(results: Path, number: int, time: str, text: str = TEXT, **more: Any) -> Path:
    """A request as its file says it was made at a time."""
    path = results / "requests" / "swap-full" / f"{number:04d}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# gtr-bench request {json.dumps({'time': time, **ORIGIN, **more})}\n{text}")
    return path


def test_a_request_is_the_suite_s_file_below_a_comment_that_says_when_and_how(tmp_path: Path, suite: Suite) -> None:
    path = append_request(tmp_path, suite, ORIGIN)
    assert path == tmp_path / "requests" / "swap-full" / "0001.toml"
    content = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", "TIME", path.read_text())
    assert content == (
        '# gtr-bench request {"time": "TIME", "command": ["gtr-bench", "run", "my \\"swap\\"\\n.toml"], '
        f'"suite_path": "swap.toml", "git_sha": null, "git_dirty": null}}\n{TEXT}'
    )
    assert [job.id for job in suite_of(path.read_text()).jobs()] == [job.id for job in suite.jobs()]
    assert sorted(each.name for each in path.parent.iterdir()) == ["0001.toml"]
    assert ledger_names([tmp_path, tmp_path]) == [ledger_name("swap", "full")] == ["swap-full"]


def test_only_a_text_that_differs_from_the_newest_is_appended(tmp_path: Path, suite: Suite) -> None:
    assert append_request(tmp_path, suite, ORIGIN) is not None
    assert append_request(tmp_path, suite, ORIGIN) is None
    assert append_request(tmp_path, suite_of(TEXT + "# new\n"), ORIGIN) is not None
    assert append_request(tmp_path, suite, ORIGIN) is not None
    assert texts(tmp_path) == [TEXT, TEXT + "# new\n", TEXT]


def test_a_text_with_other_line_ends_comes_back_as_it_was(tmp_path: Path) -> None:
    windows = suite_of(TEXT.replace("\n", "\r\n"))
    append_request(tmp_path, windows, ORIGIN)
    assert append_request(tmp_path, windows, ORIGIN) is None
    assert texts(tmp_path) == [windows.text]


def test_two_processes_at_once_write_every_request_whole_and_under_its_own_number(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for who in ("one", "two")
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.communicate("go\n")
        assert racer.returncode == 0
    found = read_ledger([tmp_path], "swap-full", never)
    assert sorted(each.text for each in found.requests) == sorted(
        f"# {who} {number}\n" * 500 for who in ("one", "two") for number in range(25)
    )
    assert found.notes == ()
    assert not list((tmp_path / "requests" / "swap-full").glob(".*"))


def test_a_number_whose_writer_was_killed_is_never_used(tmp_path: Path, suite: Suite) -> None:
    folder = tmp_path / "requests" / "swap-full"
    folder.mkdir(parents=True)
    (folder / ".0001.toml.partial").write_text("# gtr-ben")
    assert append_request(tmp_path, suite, ORIGIN) == folder / "0002.toml"
    assert texts(tmp_path) == [TEXT]


def test_a_broken_file_is_named_and_left_out_and_keeps_its_number(tmp_path: Path, suite: Suite) -> None:
    append_request(tmp_path, suite, ORIGIN)
    folder = tmp_path / "requests" / "swap-full"
    (folder / "0002.toml").write_text(TEXT)
    (folder / "0003.toml").write_bytes(b"\xff\xfe")
    (folder / "0004.toml").symlink_to(folder / "0001.toml")
    (folder / "0005.toml").mkdir()
    os.mkfifo(folder / "0006.toml")
    with (folder / "0007.toml").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    write(tmp_path, 8, "yesterday")
    write(tmp_path, 9, "2026-01-01T00:00:00")
    write(tmp_path, 10, "2026-01-01T00:00:00Z", suite_path=None).write_text("# gtr-bench request 3\n")
    (folder / "0011.toml").write_text(f"# gtr-bench request {'[' * 100_000}\n")
    (folder / "mine.toml").write_text("no request, and nobody's business")
    told: list[str] = []
    assert texts(tmp_path, told.append) == [TEXT]
    no_head = "its first line does not say when the suite was run"
    reasons = [no_head, "not UTF-8 text", *["a link, or no file"] * 3, "larger than 8.0 MB", *[no_head] * 4]
    assert told == [f"left out `{folder}/{number:04d}.toml`: {why}" for number, why in enumerate(reasons, start=2)]
    assert append_request(tmp_path, suite, ORIGIN) == folder / "0012.toml"


@pytest.mark.parametrize("link", ["requests", "requests/swap-full"])
def test_a_ledger_behind_a_link_is_neither_read_nor_written(tmp_path: Path, suite: Suite, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    append_request(elsewhere, suite, ORIGIN)
    results = tmp_path / "results"
    (results / link).parent.mkdir(parents=True)
    (results / link).symlink_to(elsewhere / link)
    assert texts(results) == []
    with pytest.raises(OSError, match="the ledger's folder is a link"):
        append_request(results, suite_of(TEXT + "# new\n"), ORIGIN)
    assert texts(elsewhere) == [TEXT]


def test_names_of_suites_stay_in_the_ledger_s_folder() -> None:
    assert "/" not in ledger_name("../..", "/etc")
    assert not ledger_name("../..", "/etc").startswith(".")


def test_a_time_after_that_of_a_later_number_is_noted_and_counts_for_both(tmp_path: Path) -> None:
    write(tmp_path, 1, "2026-01-02T00:00:00+01:00")
    write(tmp_path, 2, "2026-01-01T12:00:00Z")
    write(tmp_path, 3, "2026-01-01T11:59:30Z")
    found = read_ledger([tmp_path], "swap-full", never)
    assert [each.number for each in found.requests] == [1, 2, 3]
    assert {each.since.isoformat() for each in found.requests} == {"2026-01-01T23:00:00+00:00"}
    assert found.notes == (
        "request 1 says 2026-01-01 23:00:00 UTC, later than request 2 after it: a clock was wrong, and the later time "
        "counts for both",
    )


def test_a_time_still_to_come_is_told_and_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path, 1, "9999-12-31T23:59:59Z")
    told: list[str] = []
    assert texts(tmp_path, told.append) == [TEXT]
    assert told == [f"`{path}` says that it was written at 9999-12-31 23:59:59 UTC, which is still to come"]


def test_requests_of_several_folders_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    write(tmp_path / "a", 1, "2026-01-01T00:00:00Z", "first")
    write(tmp_path / "a", 2, "2026-01-03T00:00:00Z", "third")
    write(tmp_path / "b", 1, "2026-01-02T00:00:00Z", "second")
    found = read_ledger([tmp_path / "a", tmp_path / "b"], "swap-full", never)
    assert [each.text for each in found.requests] == ["first", "second", "third"]


def test_texts_kept_by_versions_without_a_ledger_are_read(tmp_path: Path) -> None:
    for folder in ("suites", "sequential"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "swap-full.toml").write_text(f"# {folder}{TEXT}")
    found = read_ledger([tmp_path], "swap-full", never)
    assert [text for _, text in found.earlier] == [f"# suites{TEXT}", f"# sequential{TEXT}"]
    assert ledger_names([tmp_path]) == ["swap-full"]
