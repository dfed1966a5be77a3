"""Seeds in waves: what is decided when, and how often wrongly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.metrics.comparison import sign_flip
from gtr_bench.metrics.decision import Question
from gtr_bench.metrics.sequential import Look, SequentialTest
from tests.metrics.helpers import within_band

Values = Mapping[str, Sequence[float]]


def question(values: Values | Sequence[float], name: str = "q", **changes: Any) -> Question:
    """Paired differences by environment, with seeds 0, 1, 2..."""
    by_world = values if isinstance(values, Mapping) else {"world": values}
    pairs = {
        world: (dict(enumerate(map(float, found))), dict.fromkeys(range(len(found)), 0.0))
        for world, found in by_world.items()
    }
    return replace(Question(name, pairs, "higher"), **changes)


def cut(asked: Question, seeds: int) -> Question:
    """The question as it stands with the first so many seeds."""
    pairs = {
        world: tuple({seed: value for seed, value in side.items() if seed < seeds} for side in sides)
        for world, sides in asked.pairs.items()
    }
    return replace(asked, pairs=pairs)  # type: ignore[arg-type]


def looks(questions: Sequence[Question], *, wave: int = 5, count: int = 5) -> list[Look]:
    """All looks at waves of seeds until everything is decided."""
    test, found, open_ = SequentialTest(count), [], len(questions)
    for number in range(1, count + 1):
        found.append(test.look([cut(each, wave * number) for each in questions]))
        open_ = sum(each.verdict == "undecided" for each in found[-1].standings)
        if not open_:
            break
    return found


def verdicts(found: Sequence[Look]) -> dict[str, tuple[str, int]]:
    """Statement -> last verdict and the look it is from."""
    return {each.id: (each.verdict, look.number) for look in found for each in look.standings}


def test_three_pairs_of_one_sign_decide_nothing_at_a_twentieth() -> None:
    """AdaStop's check {1, 2, 3} against {10, 11, 12}: 2 of 20 relabellings; paired, 2 of 2^3."""
    (look,) = looks([question([-9, -9, -9])], wave=3, count=1)
    assert [(each.verdict, each.p) for each in look.standings] == [("undecided", 2 / 8)]
    assert look.spent == 0


def test_six_pairs_of_one_sign_are_decided_at_a_twentieth_with_their_side_and_not_at_a_fiftieth() -> None:
    """The paired analogue of {1, 2, 3, 4} against {10, 11, 12, 13}: p = 2 / 2^6 lies between the two levels."""
    (look,) = looks([question([-9] * 6)], wave=6, count=1)
    assert verdicts([look]) == {"q": ("refuted", 1)}
    assert look.spent == 2 / 64, "a look that leaves nothing open has spent what decided it"
    assert verdicts(looks([question([-9] * 6, alpha=0.02)], wave=6, count=1)) == {"q": ("undecided", 1)}


def test_the_level_of_a_look_is_its_share_of_alpha_and_what_was_spent_counts() -> None:
    # Ten pairs of one sign: p = 2 / 2^10 <= 0.05 / 5 x 2; five: 2 / 2^5 > 0.05 / 5.
    found = looks([question([1.0] * 10)])
    assert verdicts(found) == {"q": ("supported", 2)}
    assert [each.p for look in found for each in look.standings] == [2 / 32, 2 / 1024]
    # By hand: of seven equal pairs 2 / 128 labellings reach 7, 16 / 128 reach 5. At 0.05 the first look of two may
    # spend 0.025, which is the 2; the second, of eight pairs, 0.05 of 256 = 12, less the 4 that refine the 2 removed:
    # 8 are left, the 16 labellings with |sum| >= 6 apart from those 4 are 14, so the boundary is where none is left.
    mixed = [1.0, 1, 1, 1, 1, 1, -1, 1]
    test = SequentialTest(2)
    first = test.look([cut(question(mixed), 7)])
    assert first.spent == 2 / 128
    second = test.look([question(mixed)])
    assert [(each.verdict, each.p) for each in second.standings] == [("undecided", 18 / 256)]
    assert second.spent == 4 / 256


@pytest.mark.parametrize("kind", ["superiority", "non_inferiority"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_one_statement_and_one_look_is_the_sign_flip_test(kind: Any, data: st.DataObject) -> None:
    numbers = st.floats(-5, 5).map(lambda value: round(value, 3))
    values = {
        name: data.draw(st.lists(numbers, min_size=2, max_size=6)) for name in data.draw(st.sampled_from(["a", "ab"]))
    }
    asked = question(values, kind=kind, margin=0.5)
    shifted = [np.array(group) - asked.bar for group in values.values()]
    (look,) = looks([asked], wave=99, count=1)
    (standing,) = look.standings
    if kind == "superiority":
        whole = sign_flip(shifted)
        expected = "undecided" if whole.p > 0.05 else "supported" if whole.statistic > 0 else "refuted"
        assert standing.p == pytest.approx(whole.p)
    else:
        pro, contra = (sign_flip(shifted, alternative=side).p for side in ("greater", "less"))  # type: ignore[arg-type]
        expected = "supported" if pro <= 0.05 else "refuted" if contra <= 0.05 else "undecided"
        assert standing.p == pytest.approx(contra if expected == "refuted" else pro)
    assert standing.verdict == expected


def test_many_pairs_are_sampled_close_to_the_sign_flip_test() -> None:
    values = np.random.default_rng(3).normal(0.3, 1, 30)
    (look,) = looks([question(values)], wave=30, count=1)
    assert look.standings[0].p == pytest.approx(sign_flip([values]).p, abs=0.01)


def test_a_huge_effect_on_one_statement_does_not_block_another_with_another_unit() -> None:
    generator = np.random.default_rng(0)
    small, huge = generator.normal(1.0, 0.6, 25), generator.normal(1e6, 10, 25)
    noise = generator.normal(0, 1, 25)
    found = verdicts(looks([question(huge, "huge"), question(small, "small"), question(noise, "noise")]))
    assert found["huge"] == ("supported", 2)
    assert found["small"][0] == "supported"
    assert found["noise"][0] == "undecided"


def test_step_down_decides_within_a_look_what_a_single_step_would_leave_open() -> None:
    """p = 2/64 twice: the smaller of two such is at most that in 1 - (62/64)^2 = 0.062 of the labellings, too many.

    With one of them far below it falls first, and the other's 2/64 is then compared with its own labellings alone.
    """
    weak = [1.0, 1, 1, 1, 1, 1]
    other = {"elsewhere": [1.0, 2, 4, 8, 16, 32]}
    both = [question(weak, "a"), question(other, "b")]
    assert {verdict for verdict, _ in verdicts(looks(both, wave=6, count=1)).values()} == {"undecided"}
    strong = {"elsewhere": [2.0**place for place in range(12)]}
    both = [question(weak, "a"), question(strong, "b")]
    assert {verdict for verdict, _ in verdicts(looks(both, wave=12, count=1)).values()} == {"supported"}


def test_equal_statements_are_tested_as_one() -> None:
    """Where Holm asks p = 2/64 to be below a fortieth, the joint labellings know that both are the same."""
    twice = [question([1.0] * 6, "a"), question([2.0] * 6, "b")]
    assert {verdict for verdict, _ in verdicts(looks(twice, wave=6, count=1)).values()} == {"supported"}


def test_a_statement_with_a_stricter_level_of_its_own_is_held_to_it() -> None:
    found = looks([question([1.0] * 6, "strict", alpha=0.01), question([1.0] * 6, "usual")], wave=6, count=1)
    assert verdicts(found) == {"strict": ("undecided", 1), "usual": ("supported", 1)}


def test_missing_pairs_are_left_out_and_a_statement_without_two_waits() -> None:
    test = SequentialTest(3)
    first = test.look([question({"here": [1.0] * 5, "there": [1.0]})])
    assert [(each.verdict, each.p) for each in first.standings] == [("undecided", None)]
    second = test.look([question({"here": [1.0] * 10, "there": [1.0] * 3})])
    assert [each.verdict for each in second.standings] == ["supported"]
    test.look([])
    with pytest.raises(ValueError, match="only 3"):
        test.look([])


def test_decisions_depend_neither_on_the_order_of_seeds_nor_on_that_of_statements() -> None:
    generator = np.random.default_rng(5)
    family = [question(generator.normal(0.4 * number, 1, 25), f"q{number}") for number in range(3)]

    def reversed_(asked: Question) -> Question:
        pairs = {
            world: tuple(dict(reversed(side.items())) for side in sides)
            for world, sides in reversed(asked.pairs.items())
        }
        return replace(asked, pairs=pairs)  # type: ignore[arg-type]

    def told(questions: Sequence[Question]) -> list[Any]:
        return [
            (look.spent, sorted((each.id, each.verdict, each.p) for each in look.standings))
            for look in looks(questions)
        ]

    assert told(family) == told(family)
    assert told([reversed_(each) for each in reversed(family)]) == told(family)


def test_a_real_effect_is_decided_before_the_last_look_on_average_and_more_often_than_by_fewer_seeds() -> None:
    generator = np.random.default_rng(11)
    found = [verdicts(looks([question(generator.normal(1.0, 1, 25))]))["q"] for _ in range(60)]
    assert sum(verdict == "supported" for verdict, _ in found) > 55
    assert np.mean([look for _, look in found]) < 3.5
    small = [verdicts(looks([question(generator.normal(0.5, 1, 25))]))["q"] for _ in range(60)]
    early = sum(verdict == "supported" and look <= 2 for verdict, look in small)
    assert sum(verdict == "supported" for verdict, _ in small) > early + 10


def shared_null(generator: np.random.Generator) -> list[Question]:
    """Three statements against the same algorithm, which make their differences depend on each other."""
    base = generator.normal(size=25)
    return [question(generator.normal(size=25) - base, f"q{number}") for number in range(3)]


NULLS: dict[str, Callable[[np.random.Generator], list[Question]]] = {
    "one statement": lambda generator: [question(generator.normal(size=25))],
    "three that share an algorithm": shared_null,
    "two environments": lambda generator: [
        question({"a": generator.normal(size=25), "b": generator.normal(size=25, scale=3)})
    ],
    "non-inferiority at the margin": lambda generator: [
        question(generator.normal(-0.5, 1, 25), kind="non_inferiority", margin=0.5)
    ],
    "true and false ones mixed": lambda generator: [
        *shared_null(generator)[:2],
        question(generator.normal(0.8, 1, 25), "real"),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_true_nulls_are_rejected_as_often_as_alpha_says(name: str) -> None:
    generator, trials = np.random.default_rng(7), 500
    wrong = opposite = 0
    for _ in range(trials):
        found = verdicts(looks(NULLS[name](generator)))
        nulls = [verdict for key, (verdict, _) in found.items() if key != "real"]
        if name.startswith("non"):
            wrong += "supported" in nulls
            opposite += "refuted" in nulls
        else:
            wrong += any(verdict != "undecided" for verdict in nulls)
    assert within_band(wrong, trials, 0.05, lower=name in ("one statement", "two environments"))
    assert within_band(opposite, trials, 0.05, lower=False)
