"""The guides name what the program has: every key of a suite with its default, every command, every target."""

from __future__ import annotations

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
GUIDES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/tutorial.md", "docs/suites.md", "docs/extending.md", "docs/compare.md")
}
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


@pytest.mark.parametrize("name", ["docs/tutorial.md", "docs/suites.md", "docs/compare.md"])
def test_the_whole_suites_in_the_guides_load(name: str) -> None:
    texts = re.findall(r"```toml\n(.*?)```", GUIDES[name], flags=re.DOTALL)
    whole = [text for text in texts if "[suite]" in text]
    assert whole
    for text in whole:
        assert parse_suite(text, path=name, scale=None).jobs()


def test_the_suite_guide_s_first_suite_makes_the_number_of_jobs_it_says() -> None:
    text = re.findall(r"```toml\n(.*?)```", SUITES, flags=re.DOTALL)[0]
    (count,) = re.findall(r"This makes (\d+) jobs", SUITES)
    assert len(parse_suite(text, path="example", scale=None).jobs()) == int(count)


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_and_option_in_a_guide_exists(name: str) -> None:
    runner = CliRunner()
    commands = re.findall(r"(?:^    |`)gtr-bench ([a-z-]+)([^`\n]*)", GUIDES[name], flags=re.MULTILINE)
    assert commands
    for command, rest in commands:
        helped = runner.invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        assert helped.exit_code == 0, command
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest.partition(" #")[0]):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", helped.output), f"{command} {option}"


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
