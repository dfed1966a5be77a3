"""The guides name what the program has: every key of a suite with its default, every command, every target."""

from __future__ import annotations

import functools
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from gtr_bench.algorithms.parameters import OnPolicyParameters
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.cli.main import app
from gtr_bench.compare.model import EXIT_CODES, VERDICTS
from gtr_bench.environments.registry import families, family_of
from gtr_bench.environments.shift import Shift
from gtr_bench.environments.shifts import shifts
from gtr_bench.networks.registry import networks
from gtr_bench.registry import Registry
from gtr_bench.suite import model as tables
from gtr_bench.suite import shipped_suites
from gtr_bench.suite.load import parse_suite

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/questions").glob("*.md"))]
GUIDES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
SUITES = GUIDES["docs/suites.md"]

Row = tuple[str, str]


def own(registry: Registry) -> list[str]:
    """The names that come with the program, not those of packages that happen to be installed beside it."""
    return [name for name in registry.names() if registry.get(name).__module__.startswith("gtr_bench.")]


TABLES: dict[str, type[BaseModel]] = {
    "[suite]": tables.SuiteTable,
    "[[claim]]": tables.ClaimTable,
    "[scale.NAME]": tables.ScaleTable,
    "[scale.NAME.sequence.ID]": tables.OverrideTable,
    "[sequential]": tables.SequentialTable,
    "[tuned]": tables.TunedTable,
    "[tuned.algorithm.ID]": tables.TunedAlgorithmTable,
    "[evaluation]": tables.EvaluationTable,
    "[[sequence]]": tables.SequenceTable,
    "normalise": tables.NormaliseTable,
    "[[algorithm]]": tables.AlgorithmTable,
    "[training]": OnPolicyParameters,
}


def rows(heading: str) -> list[Row]:
    """(key, default) of the first table under a heading of docs/suites.md, up to the next heading."""
    part = SUITES.split(f"\n{heading}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", part, flags=re.MULTILINE)


def meanings(heading: str) -> dict[str, str]:
    """Key -> meaning of the table under a heading with the columns key, default and meaning."""
    part = SUITES.split(f"\n{heading}\n")[1].split("\n#")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", part, flags=re.MULTILINE))


def fields(model: type[BaseModel]) -> list[Row]:
    """(key, default) of a model, in its order, as the guide writes them."""
    found = []
    for name, field in model.model_fields.items():
        if field.is_required():
            text = "required"
        elif field.default is None:
            text = "none"
        else:
            text = f"`{json.dumps({} if isinstance(field.default, BaseModel) else field.default)}`"
        found.append((name, text))
    return found


@pytest.mark.parametrize(("heading", "model"), TABLES.items(), ids=TABLES)
def test_every_key_of_a_table_is_documented_with_its_default(heading: str, model: type[BaseModel]) -> None:
    assert rows(f"## `{heading}`") == fields(model)


def choices(model: type[BaseModel]) -> dict[str, list[str]]:
    """The words a field takes, for the fields that take a word of several."""
    found = {}
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) > 1:
            found[name] = [json.dumps(word) for word in get_args(field.annotation)]
    return found


@pytest.mark.parametrize("name", [*own(networks), *own(algorithms)])
def test_every_word_a_setting_takes_is_documented(name: str) -> None:
    model = (networks if name in own(networks) else algorithms).get(name).Parameters
    lines = [line for line in SUITES.splitlines() if line.startswith("| `")]
    for key, words in choices(model).items():
        documented = [re.findall(r'"\w+"', line.split(" | ")[2]) for line in lines if line.startswith(f"| `{key}` |")]
        assert words in documented, key


@pytest.mark.parametrize("name", own(networks))
def test_the_settings_of_a_network_are_documented(name: str) -> None:
    assert rows(f"### `{name}`") == fields(networks.get(name).Parameters)


def test_the_fields_all_shifts_share_are_documented() -> None:
    assert rows("## Shifts") == fields(Shift)
    assert meanings("## Shifts") == {name: field.description for name, field in Shift.model_fields.items()}


@pytest.mark.parametrize("kind", own(shifts))
def test_a_shift_kind_s_own_fields_are_documented(kind: str) -> None:
    assert rows(f"### `{kind}`") == [row for row in fields(shifts.get(kind)) if row[0] not in Shift.model_fields]
    own_fields = {name: each for name, each in shifts.get(kind).model_fields.items() if name not in Shift.model_fields}
    assert meanings(f"### `{kind}`") == {name: field.description for name, field in own_fields.items()}


@pytest.mark.parametrize("name", own(algorithms))
def test_what_an_algorithm_adds_to_the_shared_settings_is_documented(name: str) -> None:
    shared = fields(OnPolicyParameters)
    own_rows = [row for row in fields(algorithms.get(name).Parameters) if row not in shared]
    # a shared setting that the method only narrows has its row too
    assert [row for row in rows(f"### `{name}`") if row not in shared] == own_rows


@pytest.mark.parametrize(
    "environment", ["gym:CartPole-v1", "gym:MountainCar-v0", "gym:HalfCheetah-v5", "metaworld:push-v3"]
)
def test_the_physics_parameters_are_documented(environment: str) -> None:
    family, task = family_of(environment)
    lines = [line for line in SUITES.splitlines() if line.startswith(("| `gym:` ", "| `metaworld:` |"))]
    documented = [set(re.findall(r"`(\w+)`", line)) for line in lines]
    assert set(family.physics(task)) in documented


def test_every_environment_family_is_documented() -> None:
    assert [name for name in own(families) if f"| `{name}:` |" not in SUITES] == []


def test_the_whole_suites_in_the_guides_load() -> None:
    whole = {
        name: [text for text in re.findall(r"```toml\n(.*?)```", guide, flags=re.DOTALL) if "[suite]" in text]
        for name, guide in GUIDES.items()
        if name != "docs/extending.md"  # its suite wants the page's own code: tests/test_example_package.py
    }
    named = {name for name, texts in whole.items() if texts}
    assert named == {f"docs/{name}.md" for name in ("tutorial", "suites", "compare", "questions/better")}
    for name, texts in whole.items():
        for text in texts:
            assert parse_suite(text, path=name, scale=None).jobs()


def test_the_suite_guide_s_first_suite_makes_the_number_of_jobs_it_says() -> None:
    text = re.findall(r"```toml\n(.*?)```", SUITES, flags=re.DOTALL)[0]
    (count,) = re.findall(r"This makes (\d+) jobs", SUITES)
    assert len(parse_suite(text, path="example", scale=None).jobs()) == int(count)


def commands(guide: str) -> list[tuple[str, str]]:
    """(command, what follows it) of a guide, indented or in backticks."""
    found = re.findall(r"(?:^    |`)gtr-bench ([a-z-]+)([^`\n]*)", GUIDES[guide], flags=re.MULTILINE)
    return [(command, rest.partition(" #")[0]) for command, rest in found]


@functools.cache
def help_of(command: str) -> str:
    helped = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert helped.exit_code == 0, command
    return helped.output


@pytest.mark.parametrize("name", [name for name in GUIDES if commands(name)])
def test_every_command_and_option_in_a_guide_exists(name: str) -> None:
    for command, rest in commands(name):
        helped = help_of(command)
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", helped), f"{command} {option}"


def test_every_question_has_commands_what_it_cannot_say_and_a_way_on() -> None:
    questions = [name for name in GUIDES if "/questions/" in name and not name.endswith("index.md")]
    assert len(questions) >= 6
    for name in questions:
        assert commands(name), name
        assert "\n## What it cannot say\n" in GUIDES[name], name
        assert "](../" in GUIDES[name].rpartition("\n## ")[2], name
        assert f"]({Path(name).name})" in GUIDES["docs/questions/index.md"], name
        assert f"](questions/{Path(name).name})" in GUIDES["docs/index.md"], name
        assert f"](docs/questions/{Path(name).name})" in GUIDES["README.md"], name


def test_every_suite_and_environment_named_in_a_command_exists() -> None:
    """Files a page tells to save first, and placeholders in capitals, are none of them."""
    named = set()
    for name in GUIDES:
        for command, rest in commands(name):
            if command in ("run", "plan", "tune", "show-env"):
                named |= set(re.findall(r"^ ([a-z][\w./-]*)", rest))
            named |= set(re.findall(r"--suite ([a-z][\w./-]*)", rest))
    assert {"quickstart", "suites/findings/swap_control.toml"} <= named
    for suite in named:
        if suite.startswith("suites/"):
            assert (ROOT / suite).is_file(), suite
        elif not suite.endswith(".toml") and ":" not in suite:
            assert suite in shipped_suites() or suite in BUILT, suite


# Environments before their colon, and suites that a page tells to make.
BUILT = {*own(families), "readings_tuned", "long_pole", "swap_control_confirmation"}


def test_every_make_target_in_a_guide_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        target for text in GUIDES.values() for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)
    }
    assert {"demo", "test", "install"} <= named <= targets


def test_every_shipped_suite_is_named_in_the_readme_with_its_question() -> None:
    for name, file in shipped_suites().items():
        question = tomllib.loads(file.read_text(encoding="utf-8"))["suite"]["question"]
        assert f"| `{name}` | {question} |" in GUIDES["README.md"]


def test_every_verdict_of_a_comparison_is_documented_with_its_exit_code() -> None:
    documented = re.findall(r"^\| `([a-z ]+)` \| .* \| (\d) \|$", GUIDES["docs/compare.md"], flags=re.MULTILINE)
    assert sorted(documented) == sorted((verdict, str(EXIT_CODES.get(verdict, 0))) for verdict in VERDICTS)


def test_links_between_the_guides_lead_to_files_and_headings() -> None:
    for guide in [ROOT / "README.md", ROOT / "results/README.md", *(ROOT / "docs").rglob("*.md")]:
        text = guide.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            file = (guide.parent / path) if path else guide
            assert file.exists(), f"{guide.name}: {target}"
            if anchor:
                assert anchor in anchors(file), f"{guide.name}: {target}"


def anchors(file: Path) -> set[str]:
    """What GitHub calls the headings of a file."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_extra_in_a_guide_exists() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in GUIDES.values():
        for extras in re.findall(r"-e '\.\[([\w,-]+)\]'", text):
            assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_every_entry_point_group_stands_once_in_the_table_of_the_extending_guide() -> None:
    source = "".join(path.read_text() for path in (ROOT / "gtr_bench").rglob("*.py"))
    groups = re.findall(r'Registry\(\s*"[^"]+",\s*"(gtr_bench\.\w+)"', source)
    table = re.findall(r"^\| `(gtr_bench\.\w+)` \|", (ROOT / "docs/extending.md").read_text(), flags=re.MULTILINE)
    assert sorted(table) == sorted(groups)
