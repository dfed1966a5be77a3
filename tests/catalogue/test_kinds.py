"""Every registered name is an entry; a broken package of somebody else spoils only its own line."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest
from pydantic import Field

from gtr_bench import registry
from gtr_bench.catalogue import KINDS, kind_of
from gtr_bench.catalogue.entry import first_sentence, meaning_and_text
from gtr_bench.environments.registry import family_of
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from gtr_bench.plasticity.base import AddOn, AddOnParameters
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite import load_suite

NAMES = [(kind.name, name) for kind in KINDS.values() for name in kind.own_names()]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_every_own_name_has_a_meaning_on_one_line_and_a_place_it_comes_from(
    kind: str, name: str, craftax_is_installed: None, procgen_is_installed: None
) -> None:
    entry = KINDS[kind].entry(name)
    assert entry.name == name
    assert entry.package == "gtr-bench"
    assert entry.meaning
    assert "\n" not in entry.meaning
    assert not entry.meaning.endswith(".")
    assert KINDS[kind].brief(name).meaning == entry.meaning


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_refused(kind: str) -> None:
    with pytest.raises(RequestError):
        KINDS[kind].entry("no_such_thing")


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        kind_of("metric")
    assert caught.value.hint == "did you mean `metrics`?"


def test_listing_everything_imports_no_torch() -> None:
    program = (
        "import sys\n"
        "from gtr_bench.catalogue import KINDS\n"
        "for kind in KINDS.values():\n"
        "    for name in kind.own_names():\n"
        "        kind.brief(name)\n"
        "        kind.name == 'suites' or kind.entry(name)\n"
        "KINDS['suites'].entry('quickstart')\n"
        "print('torch' in sys.modules)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_an_algorithm_tells_own_and_shared_parameters_and_its_diagnostics() -> None:
    entry = KINDS["algorithms"].entry("gtr")
    assert {each.name for each in entry.parameters if not each.shared} >= {"sigma", "beta", "anchors", "clip_range"}
    assert {each.name for each in entry.parameters if each.shared} >= {"gamma", "learning_rate"}
    assert entry.facts["reconstruction"] is True
    assert "escape_fraction" in {row["column"] for row in entry.tables["diagnostics"]}


def test_a_suite_tells_what_each_scale_trains() -> None:
    entry = KINDS["suites"].entry("slippery")
    for row in entry.tables["scales"]:
        jobs = load_suite("slippery", scale=str(row["scale"])).jobs()
        steps = sum(phase["steps"] for job in jobs for phase in job.definition["sequence"]["phases"])
        assert (row["jobs"], row["steps"]) == (len(jobs), steps)
    assert [row["sequence"] for row in entry.tables["sequences"]][:2] == ["cheetah_abrupt", "cheetah_drift"]
    assert "pays_under_abrupt_change" in {row["claim"] for row in entry.tables["claims"]}


def test_a_scale_that_cannot_be_used_here_says_why_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from gtr_bench.environments import gymnasium_family

    found = gymnasium_family.find_spec
    monkeypatch.setattr(gymnasium_family, "find_spec", lambda name: None if name == "Box2D" else found(name))
    rows = {row["scale"]: row for row in KINDS["suites"].entry("gym_control").tables["scales"]}
    assert rows["full"]["problem"] == "the environment `gym:LunarLander-v3` needs the extra `box2d`"
    assert rows["full"]["jobs"] is None
    assert rows["laptop"]["problem"] is None
    assert rows["laptop"]["jobs"] == 16


def test_a_task_tells_its_physics_and_options_without_being_built() -> None:
    entry = KINDS["environments"].entry("gym:CartPole-v1")
    assert {row["parameter"] for row in entry.tables["physics"]} == {"gravity", "mass", "length", "force"}
    assert entry.facts == {"packages": ["gymnasium"], "options": []}
    with pytest.raises(UnknownNameError):
        KINDS["environments"].entry("gym:CartPole-v9")


class Decay(AddOn):
    """Pulls every weight to 0.

    As old as the field.

    Attributes:
        stage: not for readers of a list.
    """

    version: ClassVar[int] = 3
    stage: ClassVar[int] = 10
    needs_boundaries: ClassVar[bool] = True
    conflicts: ClassVar[frozenset[str]] = frozenset({"redo"})
    columns: ClassVar[dict[str, str]] = {"pull": "size of the pull"}

    class Parameters(AddOnParameters):
        strength: float = Field(1e-3, ge=0, description="of the pull (algorithms C.7)")


def test_a_plasticity_add_on_is_listed_with_its_parameters_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add_ons, "_own", {"decay": f"{__name__}:Decay"})
    monkeypatch.setitem(add_ons._loaded, "decay", Decay)
    entry = KINDS["plasticity"].entry("decay")
    assert (entry.meaning, entry.text, entry.version) == ("Pulls every weight to 0", "As old as the field.", 3)
    assert entry.facts == {"stage": 10, "needs_boundaries": True, "needs_units": False, "conflicts": ["redo"]}
    assert [(each.name, each.source) for each in entry.parameters] == [("strength", "algorithms C.7")]
    assert entry.tables["diagnostics"] == [{"column": "pull", "meaning": "size of the pull"}]


@pytest.fixture
def broken_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose algorithm cannot be imported."""
    point = EntryPoint("theirs", "no_such_module_at_all:Theirs", "gtr_bench.algorithms")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])


def test_a_package_that_cannot_be_loaded_spoils_only_its_own_line(broken_package: Any) -> None:
    kind = KINDS["algorithms"]
    assert "theirs" in kind.names()
    assert "theirs" not in kind.own_names()
    assert "cannot be loaded: ModuleNotFoundError" in kind.brief("theirs").meaning
    with pytest.raises(RequestError, match="of the package `no_such_module_at_all` cannot be loaded") as caught:
        kind.entry("theirs")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("family", "some"),
    [
        ("gym", {"CartPole-v1", "HalfCheetah-v5", "LunarLander-v3"}),
        ("metaworld", {"hammer-v3", "push-v3"}),
        ("minatar", {"breakout"}),
    ],
)
def test_our_families_list_their_tasks_and_no_other(family: str, some: set[str]) -> None:
    listed = [row["task"] for row in KINDS["environments"].entry(family).tables["tasks"]]
    assert {f"{family}:{task}" for task in some} <= set(listed)
    assert len(listed) == len(set(listed))
    for task in listed:
        with suppress(MissingExtraError):  # it exists, and its package is not here
            family_of(task)[0].check(task.partition(":")[2])


@pytest.mark.parametrize("name", KINDS["shifts"].own_names())
def test_every_field_of_a_shift_says_what_it_means(name: str) -> None:
    assert all(each.meaning for each in KINDS["shifts"].entry(name).parameters)


def test_a_family_lists_tasks_where_it_offers_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from gtr_bench.catalogue.families import entry

    class Corridor:
        """Walks."""

        def tasks(self) -> list[str]:
            return ["short", "long"]

    assert entry("corridor", "theirs", Corridor).tables == {
        "tasks": [{"task": "corridor:short"}, {"task": "corridor:long"}]
    }
    assert entry("corridor", "theirs", Corridor).facts["usable"] == "yes"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One"),
        ("PPO (Schulman et al. 2017, eq. 7). More.", "PPO (Schulman et al. 2017, eq. 7)"),
        ("as in algorithms A.2 and so on.", "as in algorithms A.2 and so on"),
        ("no stop\nat all", "no stop at all"),
        ("", ""),
    ],
)
def test_the_first_sentence_ends_at_its_stop(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_a_class_without_a_docstring_does_not_borrow_its_base_s() -> None:
    class Bare(Decay):
        pass

    assert meaning_and_text(Bare) == ("", "")
