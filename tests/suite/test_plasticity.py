"""Add-ons of an algorithm: what a definition says of them, what is varied, and what is refused where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from gtr_bench.errors import Problem
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.base import AddOn, AddOnParameters
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite import Suite, group
from gtr_bench.suite.identity import parameters_of

from .conftest import ONE_SETTING

Load = Callable[..., Suite]
Problems = Callable[..., list[Problem]]

GTR = "sigma = 0.5"
BOTH = 'sigma = 0.5\nplasticity = ["redo", { use = "l2_init", strength = 0.5 }]'


class Wide(AddOn):
    """Widens the network; not together with ReDo."""

    name: ClassVar[str] = "wide"
    conflicts: ClassVar[frozenset[str]] = frozenset({"redo"})

    @classmethod
    def network(cls, parameters: Any, settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"hidden": [2 * units for units in settings["hidden"]]}


class Impossible(Wide):
    """Asks for what no torso is."""

    name: ClassVar[str] = "impossible"

    @classmethod
    def network(cls, parameters: Any, settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"hidden": [0]}


class Later(AddOnParameters):
    """A field that came after jobs had been stored."""

    old: float = 1.0
    new: float = 0.0


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Wide, Impossible):
        monkeypatch.setitem(add_ons._loaded, kind.name, kind)


def definition(suite: Suite, algorithm: str = "gtr") -> dict[str, Any]:
    (cell,) = [cell for cell in suite.cells if cell.algorithm == algorithm]
    return cell.definition


def test_a_definition_names_add_ons_in_the_order_in_which_they_act(load: Load) -> None:
    suite = load((GTR, BOTH))
    assert definition(suite)["plasticity"] == [
        {"name": "l2_init", "version": 1, "parameters": {"strength": 0.5}},
        {"name": "redo", "version": 1, "parameters": {"threshold": 0.025, "period": 10}},
    ]
    other = load((GTR, 'sigma = 0.5\nplasticity = [{ strength = 0.5, use = "l2_init" }, { use = "redo" }]'))
    assert [job.id for job in other.jobs()] == [job.id for job in suite.jobs()]


def test_whoever_names_none_keeps_its_identity(load: Load) -> None:
    plain, empty = load(), load((GTR, "sigma = 0.5\nplasticity = []"))
    assert "plasticity" not in definition(plain)
    assert [job.id for job in empty.jobs()] == [job.id for job in plain.jobs()]
    beside = load((GTR, BOTH))
    assert definition(beside, "ppo") == definition(plain, "ppo")
    assert not {job.id for job in beside.jobs() if job.algorithm == "gtr"} & {job.id for job in plain.jobs()}


def test_fields_of_add_ons_are_varied_by_name(load: Load) -> None:
    grid = 'plasticity = ["redo"]\ngrid = { "redo.threshold" = [0, 0.1] }\ntied = [{ sigma = 1.0, "redo.period" = 5 }]'
    suite = load((GTR, grid), ONE_SETTING)
    assert suite.algorithms[1:] == (
        "gtr[redo.threshold=0,sigma=1.0,redo.period=5]",
        "gtr[redo.threshold=0.1,sigma=1.0,redo.period=5]",
    )
    found = parameters_of(definition(suite, suite.algorithms[1]))
    assert (found["sigma"], found["redo.threshold"], found["redo.period"]) == (1.0, 0.0, 5)
    assert isinstance(found["redo.threshold"], float)


def test_scalars_of_add_ons_train_together_and_other_fields_apart(load: Load) -> None:
    def sizes(grid: str) -> list[int]:
        suite = load((GTR, f'plasticity = ["redo", "l2_init"]\ngrid = {{ {grid} }}'), ONE_SETTING)
        return [len(cohort.jobs) for cohort in group(job for job in suite.jobs() if job.algorithm != "ppo")]

    assert sizes('"redo.threshold" = [0.0, 0.1], "l2_init.strength" = [0.0, 1.0]') == [8]
    assert sizes('"redo.period" = [1, 2]') == [2, 2]


def test_an_add_on_trains_apart_from_none(load: Load) -> None:
    suite = load((GTR, f'{GTR}\n[[algorithm]]\nid = "kept"\nuse = "gtr"\nsigma = 0.5\nplasticity = ["redo"]'))
    assert sorted(len(cohort.jobs) for cohort in group(suite.jobs())) == [2, 2, 2]


@pytest.mark.usefixtures("wide")
def test_an_add_on_may_rewrite_the_network_of_its_jobs(load: Load) -> None:
    suite = load((GTR, 'sigma = 0.5\nplasticity = ["wide"]'))
    assert definition(suite)["network"]["hidden"] == [128, 128]
    assert definition(suite, "ppo")["network"]["hidden"] == [64, 64]


def test_a_field_added_later_is_left_out_while_it_is_neutral(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    Later.model_fields["new"].json_schema_extra = {"since": 2}
    monkeypatch.setitem(add_ons._loaded, "wide", type("Kept", (AddOn,), {"name": "wide", "Parameters": Later}))
    (part,) = definition(load((GTR, 'sigma = 0.5\nplasticity = ["wide"]')))["plasticity"]
    assert part["parameters"] == {"old": 1.0}


WRONG: list[tuple[str, int, str, str | None]] = [
    ('["redoo"]', 1, "unknown plasticity add-on `redoo`", "did you mean `redo`?"),
    ('["redo", { use = "l2_ini" }]', 1, "unknown plasticity add-on `l2_ini`", "did you mean `l2_init`?"),
    ('["redo", { use = "redo", period = 3 }]', 1, "the add-on `redo` is named twice", None),
    ('[{ use = "redo", treshold = 0.1 }]', 1, "unknown key `treshold` in `algorithm.plasticity`",
     "did you mean `threshold`?"),
    ('[{ use = "redo", threshold = "low" }]', 1, '`threshold` should be a number, not `"low"`', None),
    ('[{ use = "l2_init", strength = -1.0 }]', 1, "`strength` should be greater than or equal to 0, not `-1.0`", None),
    ("[{ strength = 1.0 }]", 1, "an add-on is a name or a table with one", 'write `"redo"` or `{ use = "redo", ... }`'),
    ("[3]", 1, "an add-on is a name or a table with one", 'write `"redo"` or `{ use = "redo", ... }`'),
    ('"redo"', 1, "`plasticity` should be a list of add-ons: names, or tables with `use` and parameters", None),
    ('["wide", "redo"]', 1, "the add-on `redo` cannot be combined with `wide`", None),
    ('["impossible"]', 1,
     "`impossible` needs `hidden.0` of the torso `mlp`: input should be greater than or equal to 1", None),
    ('["redo"]\ngrid = { redo.threshold = [0.1] }', 2,
     '`redo` should be a list; a field of an add-on is one key, in quotes: `"redo.threshold"`', None),
    ('["redo"]\ngrid = { "redo.treshold" = [0.1] }', 2, "unknown key `redo.treshold` in `algorithm.grid`",
     "did you mean `redo.threshold`?"),
    ('["redo"]\ngrid = { "l2_init.strength" = [0.1] }', 2, "unknown key `l2_init.strength` in `algorithm.grid`", None),
    ('["redo"]\ngrid = { "redo.period" = [-1] }', 2,
     "`redo.period[0]` should be greater than or equal to 0, not `-1`", None),
    ('[{ use = "redo", period = 3 }]\ngrid = { "redo.period" = [1] }', 2,
     "`redo.period` is set twice: in `plasticity` and in `grid`", None),
]  # fmt: skip


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(("text", "line", "sentence", "hint"), WRONG)
def test_what_is_wrong_is_said_at_its_line(
    text: str, line: int, sentence: str, hint: str | None, problems: Problems
) -> None:
    (problem,) = problems((GTR, f"plasticity = {text}"), ONE_SETTING)
    assert problem.sentence == sentence
    if hint is not None:
        assert problem.hint == hint
    assert problem.line == 25 + line


def test_units_must_have_names(problems: Problems) -> None:
    extra = '\n[network]\ntorso = "gru"\nsequence_length = 5\n'
    (problem,) = problems((GTR, BOTH), extra=extra)
    assert problem.sentence == "`redo` works on hidden units, which the torso `gru` does not name"
    assert problem.line == 27


def test_an_add_on_of_an_algorithm_that_no_scale_trains_is_checked_too(problems: Problems) -> None:
    found = problems(
        ('id = "gtr"\nsigma = 0.5', 'id = "gtr"\nplasticity = [{ use = "redo", period = -1 }]'),
        ("seeds = 2", ""),
        ('comparisons = [["gtr", "ppo"]]', ""),
        extra='\n[scale.x]\nseeds = 1\nalgorithms = ["ppo"]\n',
    )
    assert [problem.sentence for problem in found] == ["`period` should be greater than or equal to 0, not `-1`"]


def test_torsos_that_say_so_name_their_units() -> None:
    import torch

    from gtr_bench.environments.spaces import ObservationSpace

    said = [name for name in networks.own_names() if getattr(networks.get(name), "names_units", False)]
    assert said == ["conv", "impala_cnn", "mlp", "nature_cnn"]
    for name in said:
        kind = networks.get(name)
        space = next(
            each
            for each in map(ObservationSpace, ((3,), (1, 10, 10), (1, 36, 36)))
            if not kind.fits(kind.Parameters(), each)
        )
        torso = kind.build(kind.Parameters(), [torch.Generator()], space)
        assert len(torso.units()) == len(torso.hidden_layers(torch.zeros(1, 2, *space.shape)))
