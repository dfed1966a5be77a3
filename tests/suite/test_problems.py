"""Each thing that can be wrong in a suite file: its place, its sentence, its hint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import Problem, RequestError, SuiteError
from gtr_bench.suite import parse_suite, sequences

from .conftest import ONE_SETTING

Problems = Callable[..., list[Problem]]

GTR = "sigma = 0.5"

CASES: dict[str, tuple[tuple[str, str], tuple[int, int], str, str | None]] = {
    "unknown table": (
        ("[evaluation]", "[evalution]"),
        (11, 2),
        "unknown key `evalution`",
        "did you mean `evaluation`?",
    ),
    "unknown key": (
        ("question", "qestion = 'x'\nquestion"),
        (3, 1),
        "unknown key `qestion` in `suite`",
        "did you mean `question`?",
    ),
    "unknown training key": (
        ("num_envs", "num_env"),
        (9, 1),
        "unknown key `num_env` in `training`",
        "did you mean `num_envs`?",
    ),
    "unknown key of a shift": (
        ("cycle", "cylce"),
        (19, 40),
        "unknown key `cylce` in `sequence.shift`",
        "did you mean `cycle`?",
    ),
    "unknown parameter": (
        (GTR, "sigme = 0.5"),
        (26, 1),
        "unknown key `sigme` in `algorithm`",
        "did you mean `sigma`?",
    ),
    "unknown grid parameter": (
        (GTR, "grid = { sigme = [0.5] }"),
        (26, 10),
        "unknown key `sigme` in `algorithm.grid`",
        "did you mean `sigma`?",
    ),
    "missing key": (("question", "# question"), (1, 2), "`question` is missing in `suite`", None),
    "wrong type": (("phases = 3", "phases = 3.0"), (17, 10), "`phases` should be an integer, not `3.0`", None),
    "number as text": (
        ("sigma = 0.5", 'sigma = "0.5"'),
        (26, 9),
        '`sigma` should be a number, not `"0.5"`',
        None,
    ),
    "algorithm taken away": (
        ('[[algorithm]]\nid = "ppo"\n', ""),
        (5, 24),
        "unknown algorithm `ppo`",
        "known: `gtr`",
    ),
    "sigma zero": ((GTR, "sigma = 0"), (26, 9), "`sigma` should be greater than 0, not `0`", None),
    "sigma negative": ((GTR, "sigma = -1.0"), (26, 9), "`sigma` should be greater than 0, not `-1.0`", None),
    "sigma NaN": ((GTR, "sigma = nan"), (26, 9), "`sigma` should be a finite number, not `nan`", None),
    "sigma infinite": ((GTR, "sigma = inf"), (26, 9), "`sigma` should be a finite number, not `inf`", None),
    "sigma zero in a grid": (
        (GTR, "grid = { sigma = [0.5, 0.0] }"),
        (26, 24),
        "`sigma[1]` should be greater than 0, not `0.0`",
        None,
    ),
    "sigma zero in a tied row": (
        (GTR, "tied = [{ sigma = 0.5 }, { sigma = 0.0 }]"),
        (26, 36),
        "`sigma` should be greater than 0, not `0.0`",
        None,
    ),
    "a date": (
        ("shift =", "options = { when = 2026-01-01 }\nshift ="),
        (19, 20),
        "`when` is a date or time, which means nothing in a suite",
        None,
    ),
    "no seeds": (("seeds = 2", "seeds = []"), (6, 9), "`seeds` is empty: at least one seed is needed", None),
    "zero seeds": (("seeds = 2", "seeds = 0"), (6, 9), "`seeds` is empty: at least one seed is needed", None),
    "seeds missing": (("seeds = 2\n", ""), (1, 2), "`seeds` is missing: a count or a list", None),
    "seeds repeated": (("seeds = 2", "seeds = [1, 3, 1]"), (6, 9), "`seeds` repeats `1`", None),
    "seed negative": (
        ("seeds = 2", "seeds = [1, -3]"),
        (6, 9),
        "`seeds` should hold integers from 0 to 2^63 - 1, not `-3`",
        None,
    ),
    "seeds not a count": (("seeds = 2", "seeds = true"), (6, 9), "`seeds` should be a count or a list of seeds", None),
    "id used twice": (('id = "gtr"', 'id = "ppo"\nuse = "gtr"'), (25, 6), "the algorithm id `ppo` is used twice", None),
    "id with a slash": (
        ('id = "swap"', 'id = "a/b"'),
        (15, 6),
        "`a/b` is not a usable name: letters, digits, `_`, `.`, `+` and `-`, a letter or digit first",
        None,
    ),
    "id of a device": (
        ('id = "swap"', 'id = "nul.1"'),
        (15, 6),
        "`nul.1` is not a usable name: Windows keeps `nul` for a device",
        None,
    ),
    "unknown algorithm": (
        ('id = "ppo"', 'id = "ppo"\nuse = "pppo"'),
        (23, 7),
        "unknown algorithm `pppo`",
        "did you mean `ppo`?",
    ),
    "unknown compared algorithm": (
        ('[["gtr", "ppo"]]', '[["gtr", "ppp"]]'),
        (5, 24),
        "unknown algorithm `ppp`",
        "did you mean `ppo`?",
    ),
    "compared with itself": (('[["gtr", "ppo"]]', '[["gtr", "gtr"]]'), (5, 16), "`gtr` is compared with itself", None),
    "unknown metric": (
        ('"lifetime_return"', '"lifetime_returns"'),
        (4, 18),
        "unknown metric `lifetime_returns`",
        "did you mean `lifetime_return`?",
    ),
    "metric without its references": (
        ('"lifetime_return"', '"recovery_steps"'),
        (4, 18),
        "`recovery_steps` needs `references = true` in sequence `swap`",
        None,
    ),
    "metric without its oracle": (
        ('"lifetime_return"', '"oracle_gap"'),
        (4, 18),
        "`oracle_gap` needs an algorithm that is re-initialised at shifts",
        'add an `[[algorithm]]` with `id = "oracle"`',
    ),
    "metric without its evaluations": (
        ('"lifetime_return"', '"forgetting.cw"'),
        (4, 18),
        "`forgetting.cw` needs `all_phases = true` in the evaluation of sequence `swap`",
        None,
    ),
    "metric without achievements": (
        ('"lifetime_return"', '"crafter_score"'),
        (4, 18),
        "`crafter_score` needs achievements, but sequence `swap` has none",
        "`crafter:` and `craftax:` tasks have some",
    ),
    "metric without any evaluation": (
        ("[evaluation]", "[evaluation]\nepisodes = 0"),
        (4, 18),
        "`lifetime_return` needs evaluations, but sequence `swap` has `episodes = 0`",
        None,
    ),
    "unknown family": (
        ("gym:CartPole-v1", "gymm:CartPole-v1"),
        (16, 7),
        "unknown environment family `gymm`",
        "did you mean `gym`?",
    ),
    "unknown shift": (
        ('"action_permutation"', '"action_permutatoin"'),
        (19, 18),
        "unknown shift kind `action_permutatoin`",
        "did you mean `action_permutation`?",
    ),
    "shift of the wrong form": (
        ("shift = {", "shift = 3 #"),
        (19, 9),
        "`shift` should be a table or a list of tables",
        None,
    ),
    "unknown physics": (
        ('{ kind = "action_permutation",', '{ kind = "physics", parameter = "gravty", low = 0.5, high = 2.0,'),
        (19, 41),
        "`gym:CartPole-v1` has no physics parameter `gravty`",
        "did you mean `gravity`?",
    ),
    "too few values of a shift": (
        ('"action_permutation", cycle = 2', '"reward_scale", factors = [1.0, 2.0]'),
        (19, 9),
        "a shift with 2 values meets 3 phases",
        "`cycle = 2` uses them in turn",
    ),
    "later task with other observations": (
        ('env = "gym:CartPole-v1"\nphases = 3', 'tasks = ["gym:CartPole-v1", "gym:CartPole-v0", "gym:Acrobot-v1"]'),
        (16, 48),
        "`gym:Acrobot-v1` has observations of 6 numbers, the phases before have 4",
        "all phases of a sequence need the same observation size",
    ),
    "later task with other actions": (
        ('env = "gym:CartPole-v1"\nphases = 3', 'tasks = ["gym:MountainCar-v0", "gym:MountainCarContinuous-v0"]'),
        (16, 32),
        "`gym:MountainCarContinuous-v0` has other actions (continuous 1) than the phases before (discrete 3)",
        "all phases of a sequence need the same action space, bounds included",
    ),
    "an image into a network for vectors": (
        ("gym:CartPole-v1", "minatar:breakout"),
        (16, 7),
        "sequence `swap` shows an image of 4 x 10 x 10 (uint8), but the network `mlp` reads vectors of numbers",
        'write `torso = "conv"` or `torso = "impala_cnn"` in `[network]`',
    ),
    "a vector into a network for images": (
        ("[evaluation]", '[network]\ntorso = "conv"\n[evaluation]'),
        (18, 7),
        "sequence `swap` shows 4 numbers, but the network `conv` reads images",
        'write `torso = "gru"` or `torso = "mlp"` in `[network]`',
    ),
    "observations that are no vector": (
        ("gym:CartPole-v1", "gym:FrozenLake-v1"),
        (16, 7),
        "`gym:FrozenLake-v1` shows observations of the kind `Discrete`, not a vector",
        "`options = { flatten = true }` makes a vector of them: one number per choice",
    ),
    "option of a task without options": (
        ("phases = 3", "phases = 3\noptions = { bogus = 1 }"),
        (18, 13),
        "`gym:CartPole-v1` has no option `bogus`",
        "it has no options at all",
    ),
    "unknown option": (
        ('env = "gym:CartPole-v1"', 'env = "gym:FrozenLake-v1"\noptions = { is_slipery = true }'),
        (17, 13),
        "`gym:FrozenLake-v1` has no option `is_slipery`",
        "did you mean `is_slippery`?",
    ),
    "a drift that cannot be": (
        ("cycle = 2", 'mode = "drift"'),
        (19, 9),
        "a shift of kind `action_permutation` cannot drift",
        None,
    ),
    "steps that do not divide": (
        ("steps_per_phase = 1000", "steps_per_phase = 1001"),
        (18, 19),
        "`steps_per_phase` 1001 is not a multiple of `num_envs` 4",
        "the nearest multiples are 1000 and 1004",
    ),
    "fewer steps than environments": (
        ("steps_per_phase = 1000", "steps_per_phase = 3"),
        (18, 19),
        "`steps_per_phase` 3 is not a multiple of `num_envs` 4",
        "the nearest multiples are 4",
    ),
    "steps missing": (
        ("steps_per_phase = 1000", ""),
        (14, 3),
        "`steps_per_phase` is missing for sequence `swap`",
        None,
    ),
    "both kinds of phases": (
        ("phases = 3", 'tasks = ["gym:CartPole-v1"]'),
        (14, 1),
        "sequence `swap` needs either `env` or `tasks`",
        None,
    ),
    "repeats without tasks": (
        ("phases = 3", "repeats = 3"),
        (14, 1),
        "sequence `swap`: `repeats` goes with `tasks`; `env` is counted by `phases`",
        None,
    ),
    "normalise upside down": (
        ("phases = 3", "phases = 3\nnormalise = { min = 1.0, max = 1.0 }"),
        (18, 13),
        "`normalise`: min 1.0 is not below max 1.0",
        None,
    ),
    "normalise by a name nobody knows": (
        ("phases = 3", 'phases = 3\nnormalise = "human"'),
        (18, 13),
        "`gym:CartPole-v1` has no bounds called `human`",
        "write them as `{ min = 0.0, max = 1.0 }`",
    ),
    "normalise as a number": (
        ("phases = 3", "phases = 3\nnormalise = 1"),
        (18, 13),
        "`normalise` should be a table, not `1`",
        None,
    ),
    "empty grid": ((GTR, "grid = { sigma = [] }"), (26, 18), "`sigma` has no values to try", None),
    "grid that repeats": (
        (GTR, "grid = { sigma = [0.5, 0.5] }"),
        (26, 18),
        "`sigma` repeats a value: `[0.5, 0.5]`",
        None,
    ),
    "set twice": (
        (GTR, "sigma = 0.5\ngrid = { sigma = [1.0] }"),
        (27, 18),
        "`sigma` is set twice: in `algorithm` and in `grid`",
        None,
    ),
    "uneven tied rows": (
        (GTR, "tied = [{ sigma = 0.1 }, { beta = 1.0 }]"),
        (26, 8),
        "all rows of `tied` should name the same parameters",
        None,
    ),
    "grid too large": (
        (GTR, f"grid = {{ sigma = {[i + 1.0 for i in range(400)]}, beta = {[i + 1.0 for i in range(400)]} }}"),
        (26, 8),
        "`gtr` has 160,000 settings, more than 100,000",
        None,
    ),
    "minibatches without samples": (
        ("num_steps = 25", "num_steps = 2\nnum_minibatches = 9"),
        (11, 19),
        "`ppo`: 9 minibatches of a rollout of 8 samples",
        None,
    ),
    "the same job twice": (
        (GTR, 'sigma = 0.5\n[[algorithm]]\nid = "same"\nuse = "gtr"'),
        (27, 3),
        "`same` on `swap` is the same job as `gtr` on `swap`, under another name",
        None,
    ),
    "unknown network": (
        ("[evaluation]", '[network]\ntorso = "mpl"\n[evaluation]'),
        (12, 9),
        "unknown network `mpl`",
        "did you mean `mlp`?",
    ),
    "wrong network": (
        ("[evaluation]", '[network]\nactivation = "gelu"\n[evaluation]'),
        (12, 14),
        "`activation` should be 'tanh', 'relu' or 'leaky_relu', not `\"gelu\"`",
        None,
    ),
    "element of a list that is then too short": (
        ("[evaluation]", "[network]\nhidden = [0]\n[evaluation]"),
        (12, 11),
        "`hidden[0]` should be greater than or equal to 1, not `0`",
        None,
    ),
    "algorithm as one table": (
        ("[[sequence]]\n", "[sequence]\n"),
        (14, 2),
        "`sequence` should be a list of tables, each written `[[sequence]]`",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_problem_has_its_place_a_sentence_and_a_hint(case: str, problems: Problems) -> None:
    change, place, sentence, hint = CASES[case]
    found = [problem for problem in problems(change) if problem.sentence == sentence]
    assert [(problem.line, problem.column) for problem in found][:1] == [place]
    assert found[0].hint == hint


MALFORMED = {
    "phases = 3": ("phases = true", "`phases` should be an integer, not `true`"),
    'env = "gym:CartPole-v1"': ("env = 1", "`env` should be a string, not `1`"),
    "[evaluation]": ("[evaluation]\nall_phases = 1", "`all_phases` should be true or false, not `1`"),
    'shift = { kind = "action_permutation", cycle = 2 }': ("options = []", "`options` should be a table, not `[]`"),
    '[["gtr", "ppo"]]': ('"gtr"', '`comparisons` should be a list, not `"gtr"`'),
    "[[sequence]]": ("[scale.laptop]\nsequences = []\n[[sequence]]", "`sequences` is empty"),
    "[suite]": ("scale = 3\n[suite]", "`scale` should be a table, written `[scale]`"),
}


@pytest.mark.parametrize("old", MALFORMED)
def test_types_are_named_as_toml_names_them(old: str, problems: Problems) -> None:
    new, sentence = MALFORMED[old]
    assert sentence in [problem.sentence for problem in problems((old, new))]


CASCADING = {"minibatches without samples", "id used twice"}
"""a mistake that two algorithms make, and one that takes away a name used elsewhere"""
OF_A_GRID = {"sigma zero in a grid", "sigma zero in a tied row"}


@pytest.mark.parametrize("case", sorted(set(CASES) - CASCADING))
def test_one_mistake_is_one_problem(case: str, problems: Problems) -> None:
    assert len(problems(CASES[case][0], *[ONE_SETTING] * (case in OF_A_GRID))) == 1


IMAGES = [("gym:CartPole-v1", "minatar:breakout"), ("[evaluation]", '[network]\ntorso = "conv"\n[evaluation]')]


@pytest.mark.parametrize("kind", ["observation_offset", "observation_noise"])
def test_what_is_added_to_observations_is_refused_where_they_are_images(kind: str, problems: Problems) -> None:
    (problem,) = problems(*IMAGES, ('"action_permutation"', f'"{kind}", std = 1.0'))
    assert (problem.line, problem.column) == (21, 9)
    assert (
        problem.sentence
        == f"the shift `{kind}` adds to numbers, which means nothing to an image of 4 x 10 x 10 (uint8)"
    )
    assert "`observation_permutation` moves the pixels" in str(problem.hint)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("num_envs", "observation_normalisation = true\nnum_envs"), (9, 29)),
        ((GTR, "sigma = 0.5\nobservation_normalisation = true"), (29, 29)),
        ((GTR, "grid = { observation_normalisation = [false, true] }"), (28, 46)),
    ],
)
def test_running_statistics_of_images_are_refused_where_they_were_asked_for(
    change: tuple[str, str], place: tuple[int, int], problems: Problems
) -> None:
    found = problems(*IMAGES, change, *[ONE_SETTING] * ("grid" in change[1]))
    assert {problem.sentence for problem in found} == {
        "sequence `swap` shows an image of 4 x 10 x 10 (uint8), but `observation_normalisation` is for numbers"
    }
    assert [(problem.line, problem.column) for problem in found] == [place]


@pytest.mark.parametrize("kind", ["observation_permutation", "action_permutation"])
def test_a_permutation_of_one_thing_is_refused(kind: str, problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Spaces(ObservationSpace((1,)), ActionSpace("discrete", (1,)))
    monkeypatch.setattr(sequences, "spaces_of", lambda *_: one)
    (problem,) = problems(("action_permutation", kind))
    assert (problem.line, problem.column) == (19, 9)
    assert problem.sentence.startswith(f"the shift `{kind}` has nothing to permute: ")
    assert problem.hint == "drop the shift, or change something else"


def test_images_permuted_and_read_by_a_network_for_images_load(load: Callable[..., object]) -> None:
    assert load(*IMAGES, ("action_permutation", "observation_permutation"))


def test_an_unknown_environment_is_refused_in_the_words_of_its_family(problems: Problems) -> None:
    (problem,) = problems(("CartPole-v1", "CartPol-v1"))
    assert (problem.line, problem.column) == (16, 7)
    assert "CartPol-v1" in problem.sentence
    assert "CartPole-v1" in str(problem.hint)


def test_all_problems_of_a_file_come_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    cases = ("unknown metric", "no seeds", "unknown training key", "unknown family", "unknown shift", "sigma NaN")
    found = problems(*(CASES[case][0] for case in cases))
    assert [problem.sentence for problem in found] == [CASES[case][2] for case in cases]
    assert [(problem.line, problem.column) for problem in found] == [CASES[case][1] for case in cases]


def test_a_table_with_two_mistakes_shows_both_and_is_still_checked_further(problems: Problems) -> None:
    found = problems(("phases = 3", "phases = 0\nphaces = 3"), ("CartPole-v1", "CartPol-v1"))
    assert [problem.line for problem in found] == [16, 17, 18]


SCALES = """
[scale.laptop]
seeds = 1
sequences = ["swop"]
[scale.full]
algorithms = ["grt"]
seeds = [0, 0]
training.num_env = 2
[scale.full.sequence.swap]
steps_per_phase = 0
"""


def test_names_in_all_scales_are_checked_whichever_scale_is_asked_for(problems: Problems) -> None:
    found = problems(extra=SCALES, scale="laptop")
    assert [problem.sentence for problem in found] == [
        "unknown sequence `swop`",
        "unknown algorithm `grt`",
        "`seeds` repeats `0`",
        "unknown key `num_env` in `scale.full.training`",
        "`steps_per_phase` should be greater than or equal to 1, not `0`",
    ]


OTHER_SCALES = """
[[sequence]]
id = "other"
env = "gym:{other}"
phases = 2
shift = {{ kind = "action_permutation" }}
[[algorithm]]
id = "small"
use = "ppo"
{small}
[scale.laptop]
sequences = ["swap"]
algorithms = ["ppo", "gtr"]
steps_per_phase = 1000
[scale.medium]
steps_per_phase = {medium}
[scale.full]
steps_per_phase = {full}
{more}
"""
FINE = {"other": "Acrobot-v1", "small": "gamma = 0.5", "medium": 1000, "full": 2000, "more": ""}
ELSEWHERE: dict[str, tuple[dict[str, object], list[tuple[int, str]]]] = {
    "an environment of a sequence that is left out": (
        {"other": "Acrobit-v1"},
        [(30, "unknown `gym` environment `Acrobit-v1`")],
    ),
    "a parameter of an algorithm that is left out": (
        {"small": "gamma = 2.0"},
        [(36, "`gamma` should be less than or equal to 1, not `2.0`")],
    ),
    "budgets": (
        {"medium": 1001, "full": 1002},
        [
            (42, "`steps_per_phase` 1001 is not a multiple of `num_envs` 4"),
            (44, "`steps_per_phase` 1002 is not a multiple of `num_envs` 4"),
        ],
    ),
    "training settings": (
        {"more": "training.num_minibatches = 999"},
        [(45, f"`{name}`: 999 minibatches of a rollout of 100 samples") for name in ("gtr", "ppo", "small")],
    ),
    "evaluations": (
        {"more": "evaluation.episodes = 0"},
        [
            (4, f"`lifetime_return` needs evaluations, but sequence `{name}` has `episodes = 0` (at scale `full`)")
            for name in ("other", "swap")
        ],
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_problems_of_scales_nobody_asked_for_are_told(
    case: str, problems: Problems, load: Callable[..., object]
) -> None:
    changes, wanted = ELSEWHERE[case]
    load(extra=OTHER_SCALES.format(**FINE), scale="laptop")
    found = problems(extra=OTHER_SCALES.format(**{**FINE, **changes}), scale="laptop")
    assert [(problem.line, problem.sentence) for problem in found] == wanted


def test_a_problem_of_several_scales_is_told_once(problems: Problems) -> None:
    change = ("every = 200", "every = 50")
    for scale in ("laptop", "medium"):
        found = problems(change, extra=OTHER_SCALES.format(**FINE), scale=scale)
        assert [problem.sentence for problem in found] == [
            f"sequence `{name}` is evaluated every 50 steps, but a rollout of `ppo` has 100{where}"
            for name, where in (("other", " (at scale `medium`)" if scale == "laptop" else ""), ("swap", ""))
        ]


def test_extras_of_scales_nobody_asked_for_may_be_missing(
    problems: Problems, load: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtr_bench.environments.gymnasium_family.find_spec", lambda name: None)
    text = OTHER_SCALES.format(**{**FINE, "other": "LunarLander-v3"})
    load(extra=text, scale="laptop")
    (problem,) = problems(extra=text, scale="full")
    assert problem.sentence == "the environment `gym:LunarLander-v3` needs the extra `box2d`"


CLAIM = """
[[claim]]
id = "c"
better = "gtr"
than = "gtr"
metric = "drop"
direction = "higher"
[[claim]]
id = "c"
better = "gt"
than = "ppo"
metric = "dropp"
direction = "up"
sequences = ["x"]
[[claim]]
id = "d"
better = "gtr"
than = "ppo"
metric = "drop"
direction = "lower"
kind = "non_inferiority"
"""


def test_claims_are_checked(problems: Problems) -> None:
    assert [problem.sentence for problem in problems(extra=CLAIM)] == [
        "claim `c` compares `gtr` with itself",
        "the claim id `c` is used twice",
        "unknown algorithm `gt`",
        "unknown metric `dropp`",
        "`direction` should be 'higher' or 'lower', not `\"up\"`",
        "unknown sequence `x`",
        "claim `d`: `non_inferiority` needs a `margin` above 0",
    ]


SEQUENTIAL = {
    "wave = 3\nmaxseeds = 9": ((30, 1), "unknown key `maxseeds` in `sequential`", "did you mean `max_seeds`?"),
    "wave = 0": ((29, 8), "`wave` should be greater than or equal to 1, not `0`", None),
    "wave = 5\nmax_seeds = 4": ((28, 1), "`max_seeds` 4 is less than one `wave` of 5", None),
    "wave = 5\nmax_seeds = 5": (
        (30, 13),
        "5 seeds can never decide anything here",
        "`max_seeds` should be at least 6",
    ),
}


@pytest.mark.parametrize("table", SEQUENTIAL)
def test_waves_of_seeds_are_checked(table: str, problems: Problems) -> None:
    place, sentence, hint = SEQUENTIAL[table]
    (problem,) = problems(extra=f"\n[sequential]\n{table}\n")
    assert (problem.line, problem.column) == place
    assert (problem.sentence, problem.hint) == (sentence, hint)


def test_waves_of_seeds_need_something_to_decide(problems: Problems, load: Callable[..., object]) -> None:
    (problem,) = problems(('comparisons = [["gtr", "ppo"]]\n', ""), extra="\n[sequential]\n")
    assert (problem.line, problem.column) == (27, 2)
    assert problem.sentence == (
        "`sequential` has nothing to decide: the suite has neither a `[[claim]]` nor `comparisons`"
    )
    load(extra="\n[sequential]\n")


def test_seeds_that_would_not_fit_into_64_bits_are_refused(problems: Problems) -> None:
    (problem,) = problems(("seeds = 2", "seeds = [9223372036854775807]"), extra="\n[sequential]\n")
    assert problem.sentence == "there are not so many seeds after the largest of the suite"


ONE_CLAIM = """
[[claim]]
id = "c"
better = "gtr"
than = "ppo"
metric = "{metric}"
direction = "{direction}"
[scale.laptop]
[scale.short]
max_phases = 1
"""


@pytest.mark.parametrize("metric", ["phase_auc", "drop", "plasticity_ratio", "recovery_steps"])
def test_what_happens_after_a_shift_cannot_be_claimed_of_one_phase(
    metric: str, problems: Problems, load: Callable[..., object]
) -> None:
    claim = ONE_CLAIM.format(metric=metric, direction="lower" if metric == "recovery_steps" else "higher")
    references = ("cycle = 2 }", "cycle = 2 }\nreferences = true")
    load(references, extra=claim.replace("max_phases = 1", "max_phases = 2"), scale="laptop")
    sentence = f"`{metric}` needs a second phase, but sequence `swap` has only one"
    for scale, told in (("short", sentence), ("laptop", f"{sentence} (at scale `short`)")):
        (problem,) = problems(references, extra=claim, scale=scale)
        assert problem.sentence == told
    (primary,) = problems(references, ("lifetime_return", metric), ("phases = 3", "phases = 1"))
    assert (primary.line, primary.column) == (4, 18)


def test_a_wrong_number_of_phases_is_not_called_one_phase_as_well(problems: Problems) -> None:
    (problem,) = problems(("lifetime_return", "phase_auc"), ("phases = 3", "phases = 0"))
    assert problem.sentence == "`phases` should be greater than or equal to 1, not `0`"


def test_a_claim_cannot_call_worse_better(problems: Problems, load: Callable[..., object]) -> None:
    (problem,) = problems(extra=ONE_CLAIM.format(metric="lifetime_return", direction="lower"))
    assert problem.sentence == "claim `c` counts a lower `lifetime_return` as better, but higher is better"
    assert problem.hint == 'write `direction = "higher"`'
    assert problem.line == 33
    for direction in ("higher", "lower"):
        two_phases = ONE_CLAIM.replace("max_phases = 1", "max_phases = 2")
        load(extra=two_phases.format(metric="drop", direction=direction))  # which has no better side of its own


def test_an_unknown_scale_is_refused_with_the_known_ones(load: Callable[..., object]) -> None:
    with pytest.raises(RequestError) as caught:
        load(extra="\n[scale.laptop]\nseeds = 1\n[scale.full]\nseeds = 2\n", scale="tiny")
    assert caught.value.sentence == "unknown scale `tiny`"
    assert caught.value.hint == "known: `full`, `laptop`"


def test_an_empty_file_says_what_is_needed() -> None:
    with pytest.raises(SuiteError) as caught:
        parse_suite("", path="empty.toml")
    assert {problem.sentence for problem in caught.value.problems} >= {
        "the suite has no `[suite]`",
        "the suite has no `[[sequence]]`",
        "the suite has no `[[algorithm]]`",
    }


CLAIM_ON = """\
[[claim]]
better = "{}"
than = "{}"
id = "c"
metric = "lifetime_return"
direction = "higher"

[[sequence]]"""
PARENTS = {
    "a comparison": ((), (5, 17), "a comparison"),
    "a claim's better": ((("[[sequence]]", CLAIM_ON.format("gtr", "ppo")), ONE_SETTING), (15, 10), "a claim"),
    "a claim's than": ((("[[sequence]]", CLAIM_ON.format("ppo", "gtr")), ONE_SETTING), (16, 8), "a claim"),
}


@pytest.mark.parametrize("variation", ["grid = { sigma = [0.1, 1.0] }", "tied = [{ sigma = 0.1 }, { sigma = 1.0 }]"])
@pytest.mark.parametrize("case", PARENTS)
def test_the_parent_of_a_grid_is_refused_where_it_is_named_with_its_settings(
    case: str, variation: str, problems: Problems
) -> None:
    changes, place, what = PARENTS[case]
    (problem,) = problems((GTR, variation), *changes)
    assert (problem.line, problem.column) == place
    assert problem.sentence == f"`gtr` stands for 2 settings, {what} is about one"
    assert problem.hint == "name one of them: `gtr[sigma=0.1]`, `gtr[sigma=1.0]`"


def test_of_a_large_grid_six_settings_are_named(problems: Problems) -> None:
    (problem,) = problems((GTR, f"grid = {{ sigma = {[float(i) for i in range(1, 21)]} }}"))
    assert str(problem.hint).count("gtr[sigma=") == 6
    assert str(problem.hint).endswith("`gtr[sigma=6.0]`, ... (20 in all)")


def test_every_of_whichever_level_states_it_is_pointed_at(problems: Problems) -> None:
    places = {}
    for level, change in {
        "file": ("every = 200", "every = 50"),
        "sequence": ("phases = 3", "phases = 3\nevaluation = { every = 50 }"),
        "scale": ("[[sequence]]", "[scale.laptop]\nevaluation.every = 50\n[[sequence]]"),
    }.items():
        (problem,) = problems(change)
        assert problem.sentence.startswith("sequence `swap` is evaluated every 50 steps"), level
        places[level] = (problem.line, problem.column)
    assert places == {"file": (12, 9), "sequence": (18, 24), "scale": (15, 20)}
