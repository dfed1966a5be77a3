"""A folder is replaced so that a whole one is found after a kill at any step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gtr_bench.files import remove_folder, replace_folder, whole_folder

# Ends the process, as kill -9 would, at the n-th step on the disk.
KILLED = """
import os, shutil, sys
from pathlib import Path
from gtr_bench import files

left = int(sys.argv[2])

def counted(function):
    def step(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return function(*arguments, **options)
    return step

def removed(path, ignore_errors=False):
    # one file, then a kill: a half removed folder
    for file in sorted(Path(path).rglob("*")) if Path(path).is_dir() else []:
        if file.is_file():
            os.unlink(file)
    os.rmdir(path) if Path(path).is_dir() else None

os.rename, os.fsync, os.unlink, os.rmdir, os.mkdir = map(counted, (os.rename, os.fsync, os.unlink, os.rmdir, os.mkdir))
shutil.rmtree = counted(removed)

def fill(folder):
    for name in ("a", "b"):
        (folder / name).write_text(sys.argv[3])
        counted(lambda: None)()

files.remove_folder(Path(sys.argv[1])) if sys.argv[3] == "gone" else files.replace_folder(Path(sys.argv[1]), fill)
"""


def put(path: Path, text: str) -> None:
    def fill(folder: Path) -> None:
        for name in ("a", "b"):
            (folder / name).write_text(text)

    replace_folder(path, fill)


def content(path: Path) -> dict[str, str] | None:
    found = whole_folder(path)
    return None if found is None else {file.name: file.read_text() for file in found.iterdir()}


def killed_at(step: int, path: Path, text: str) -> bool:
    """Whether the process was killed before it ended by itself."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(step), text], timeout=60, check=False)
    assert done.returncode in (0, 9)
    return done.returncode == 9


def test_a_folder_killed_at_any_step_of_its_replacement_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    old, new = {"a": "old", "b": "old"}, {"a": "new", "b": "new"}
    seen: list[dict[str, str] | None] = []
    for step in range(1, 100):
        path = tmp_path / str(step) / "checkpoint"
        path.parent.mkdir()
        put(path, "old")
        if not killed_at(step, path, "new"):
            break
        seen.append(content(path))
        put(path, "next")
        assert content(path) == {"a": "next", "b": "next"}
        assert [each.name for each in path.parent.iterdir()] == ["checkpoint"]
    assert len(seen) > 10, "a replacement has more steps than that"
    switch = seen.index(new)
    assert seen == [old] * switch + [new] * (len(seen) - switch)


def test_a_folder_killed_at_any_step_of_its_removal_is_whole_or_gone(tmp_path: Path) -> None:
    seen = []
    for step in range(1, 100):
        path = tmp_path / str(step) / "checkpoint"
        path.parent.mkdir()
        put(path, "old")
        if not killed_at(step, path, "gone"):
            break
        seen.append(content(path))
        remove_folder(path)
        assert not list(path.parent.iterdir())
    assert {None if each is None else each["a"] for each in seen} == {None, "old"}
    assert all(each is None or len(each) == 2 for each in seen)


def test_a_full_disk_leaves_the_old_folder_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint"
    put(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            put(path, "new")
    assert content(path) == {"a": "old", "b": "old"}
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]


def test_there_is_no_whole_folder_before_the_first(tmp_path: Path) -> None:
    assert whole_folder(tmp_path / "checkpoint") is None
