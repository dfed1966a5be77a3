from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gtr_bench.errors import RequestError, SuiteError
from gtr_bench.suite import load_suite, shipped_suites

ROOT = Path(__file__).parents[2]


def test_a_shipped_suite_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_suite("quickstart", scale="laptop").name == "quickstart"


def test_a_file_wins_over_a_shipped_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = shipped_suites()["quickstart"].read_text()
    (tmp_path / "quickstart").write_text(text.replace('name = "quickstart"', 'name = "mine"'))
    assert load_suite("quickstart").name == "mine"


def test_a_folder_of_the_same_name_does_not_hide_a_shipped_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").mkdir()
    assert load_suite("quickstart").name == "quickstart"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("quickstrat", "did you mean `quickstart`?"),
        ("suites/swap_contrl.toml", "did you mean `suites/swap_control.toml`?"),
    ],
)
def test_an_unknown_file_gets_a_suggestion(asked: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(RequestError) as caught:
        load_suite(asked)
    assert (caught.value.sentence, caught.value.hint) == (f"there is no suite `{asked}`", hint)


def test_a_folder_is_no_suite(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is a folder, not a suite file"):
        load_suite(tmp_path)


def test_a_file_that_is_not_text_is_refused_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(b"[suite]\nname = '\xff'\n")
    with pytest.raises(SuiteError) as caught:
        load_suite(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 9)
    assert problem.sentence == "not valid TOML: the file is not UTF-8 text"


def test_a_byte_order_mark_is_no_part_of_the_suite(tmp_path: Path) -> None:
    file = tmp_path / "marked.toml"
    text = shipped_suites()["quickstart"].read_text()
    file.write_text(text, encoding="utf-8-sig")
    assert load_suite(file).text == text
    file.write_bytes(b"\xef\xbb\xbf[suite]\nname = '\xff'\n")
    with pytest.raises(SuiteError) as caught:
        load_suite(file)
    assert caught.value.problems[0][:2] == (2, 9)


def test_the_suite_keeps_its_text_and_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = shipped_suites()["quickstart"].read_text()
    file.write_text(text)
    suite = load_suite(file)
    assert (suite.text, suite.path) == (text, str(file))


def test_loading_a_suite_imports_nothing_heavy() -> None:
    code = (
        "import sys, gtr_bench.suite as s; light = 'numpy' not in sys.modules; "
        "s.group(s.load_suite('quickstart').jobs(), slots=2); "
        "print(light, [m for m in ('torch', 'pandas', 'pyarrow', 'scipy', 'matplotlib', 'mujoco') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "True []\n"
