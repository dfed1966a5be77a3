"""`gtr-bench list`: kinds, names of a kind, all about one; in words and in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from gtr_bench.catalogue import KINDS
from gtr_bench.environments import registry
from gtr_bench.environments.registry import Availability
from gtr_bench.published import rows


def test_without_a_kind_the_kinds_are_listed(cli: Any) -> None:
    lines = cli("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(KINDS)]] == list(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].listing is None])
def test_a_kind_lists_every_name_in_words_and_in_json(cli: Any, kind: str) -> None:
    answer = cli("list", kind)
    assert (answer.returncode, answer.stderr) == (0, "")
    found = json.loads(cli("list", kind, "--json").stdout)
    assert [entry["name"] for entry in found["entries"]] == KINDS[kind].names()
    assert all(name in answer.stdout for name in KINDS[kind].names())
    assert all(entry["meaning"] and entry["package"] for entry in found["entries"])


def test_one_entry_in_json_has_every_parameter_with_its_range(cli: Any) -> None:
    found = json.loads(cli("list", "algorithms", "gtr", "--json").stdout)
    sigma = next(each for each in found["parameters"] if each["name"] == "sigma")
    assert sigma == {
        "name": "sigma",
        "type": "number",
        "values": "number above 0 to 1e6",
        "required": False,
        "default": 0.5,
        "search": {"low": 0.05, "high": 2.0, "scale": "log"},
        "meaning": "kernel width, in nats^(1/2): the restoring force peaks there",
        "source": "gtr.md 2",
        "stackable": True,
        "shared": False,
    }


def test_what_an_environment_needs_stands_beside_it(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    family = registry.families.get("metaworld")
    monkeypatch.setattr(family, "availability", lambda self: [Availability("metaworld", False, "pip install it")])
    (line,) = [line for line in cli("list", "environments").stdout.splitlines() if line.startswith("metaworld")]
    assert line.split(maxsplit=5)[1:5] == ["no", "pip", "install", "it"]


def test_a_suite_file_is_told_as_a_shipped_one_is(cli: Any) -> None:
    answer = cli("list", "suites", "tiny.toml")
    assert answer.stdout.startswith("tiny (suites)\nDoes it run?\n")
    assert "laptop  2           1          2         4  8,192" in answer.stdout


def test_a_terminal_too_narrow_for_a_table_gets_a_line_per_value(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtr_bench.cli.output.columns", lambda stream: 40)
    answer = cli("list", "algorithms", "ppo")
    assert "key       clip_range\ndefault   0.2\n" in answer.stdout
    assert max(len(line) for line in answer.stdout.splitlines()) <= 60


def test_colours_only_where_they_are_wanted(cli: Any) -> None:
    assert "\x1b[" in cli("list", "algorithms", "ppo", FORCE_COLOR="1", NO_COLOR="").stdout
    assert "\x1b[" not in cli("list", "algorithms", "ppo", FORCE_COLOR="1", NO_COLOR="1").stdout


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (("list", "metric"), "error: unknown kind `metric`\n\nhint: did you mean `metrics`?\n"),
        (("list", "metrics", "phase_ac"), "error: unknown metric `phase_ac`\n\nhint: did you mean `phase_auc`?\n"),
        (("list", "suites", "quikstart"), "error: there is no suite `quikstart`\n\nhint: did you mean `quickstart`?\n"),
    ],
)
def test_a_wrong_name_is_answered_by_the_nearest(cli: Any, arguments: tuple[str, ...], stderr: str) -> None:
    answer = cli(*arguments)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", stderr)


@pytest.mark.parametrize("arguments", [["list"], ["list", "algorithms", "gtr"], ["list", "suites", "quickstart"]])
def test_no_torch_is_imported(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom gtr_bench.cli.main import execute\n"
        f"code = execute({arguments!r})\nprint('torch' in sys.modules, code, file=sys.stderr)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stderr == "False 0\n"


def test_published_numbers_are_listed_row_by_row_with_their_sources(cli: Any) -> None:
    answer = cli("list", "published", COLUMNS="200")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.split("\n")[0].split("  ")[0] == "environment"
    entries = json.loads(cli("list", "published", "--json").stdout)["entries"]
    assert len(entries) == 1401
    assert all(entry["source"] in answer.stdout for entry in entries)
    assert list(dict.fromkeys(entry["environment"] for entry in entries)) == KINDS["published"].names()


def test_published_numbers_are_narrowed_to_an_environment(cli: Any) -> None:
    text = cli("list", "published", "--environment", "starpilot", COLUMNS="200").stdout
    entries = json.loads(cli("list", "published", "--environment", "starpilot", "--json").stdout)["entries"]
    assert "18.106 ± 0.716 (standard error)" in text
    assert {entry["environment"].split()[0] for entry in entries} == {"starpilot"}
    assert len(entries) == text.count("starpilot ")


def test_all_about_one_published_environment_are_its_numbers_and_their_notes(cli: Any) -> None:
    found = json.loads(cli("list", "published", "C-CartPole perturbed", "--json").stdout)
    assert found["facts"] == {"domain": "gym-control"}
    assert len(found["tables"]["numbers"]) == 6
    assert all(row["source"] and row["note"] for row in found["tables"]["numbers"])


@pytest.mark.parametrize(
    ("arguments", "sentence", "hint"),
    [
        (
            ("published", "--environment", "starpilto"),
            "unknown published environment `starpilto`",
            "did you mean `starpilot`?",
        ),
        (("suites", "--environment", "starpilot"), "for published numbers alone", "`gtr-bench list published`"),
        (("--environment", "starpilot"), "for published numbers alone", "`gtr-bench list published`"),
        (("published", "CW20", "--environment", "CW5"), "`CW20` is one environment", "leave one away"),
    ],
)
def test_the_option_environment_is_refused_where_it_means_nothing(
    cli: Any, arguments: tuple[str, ...], sentence: str, hint: str
) -> None:
    answer = cli("list", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert sentence in answer.stderr
    assert hint in answer.stderr


def test_where_no_published_rows_are_installed_the_kinds_are_listed_all_the_same(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "FOLDER", cli.folder / "nowhere")
    kinds = json.loads(cli("list", "--json").stdout)["kinds"]
    assert [kind["entries"] for kind in kinds if kind["name"] == "published"] == [0]
    answer = cli("list", "published")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "the published rows are not installed here" in answer.stderr
