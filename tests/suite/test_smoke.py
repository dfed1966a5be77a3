"""A scale is a smoke scale by its steps and seeds beside the full one, whatever it is called."""

from __future__ import annotations

import pytest

from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.smoke import ScaleSize, full_scale

SCALES = """
[suite]
name = "sizes"
question = "How large?"
primary_metric = "lifetime_return"
comparisons = [["gtr", "ppo"]]

[scale.laptop]
seeds = {seeds}
steps_per_phase = {steps}
max_phases = {phases}

[scale.{full}]
seeds = 10
steps_per_phase = 100_000

[[sequence]]
id = "one"
env = "gym:CartPole-v1"
phases = 10

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"
{more}
"""


def smoke(
    seeds: int = 10,
    steps: int = 100_000,
    phases: int = 10,
    *,
    scale: str = "laptop",
    full: str = "full",
    more: str = "",
) -> bool:
    text = SCALES.format(seeds=seeds, steps=steps, phases=phases, full=full, more=more)
    return parse_suite(text, path="sizes.toml", scale=scale).smoke


@pytest.mark.parametrize(
    ("seeds", "steps", "phases", "expected"),
    [
        (5, 10_000, 10, False),
        (4, 100_000, 10, True),
        (10, 9_000, 10, True),
        (10, 100_000, 1, False),
        (10, 20_000, 4, True),
        (20, 200_000, 10, False),
    ],
)
def test_less_than_a_tenth_of_a_job_s_steps_or_half_of_the_seeds_is_smoke(
    seeds: int, steps: int, phases: int, *, expected: bool
) -> None:
    assert smoke(seeds, steps, phases) == expected


def test_the_full_scale_is_never_smoke_and_without_one_the_largest_is() -> None:
    assert not smoke(1, scale="full")
    assert smoke(4, 50_000, full="medium")
    assert not smoke(1, 1_000, scale="medium", full="medium")
    sizes = {
        "laptop": ScaleSize(1, {"a": 10}),
        "full": ScaleSize(5, {"a": 100}),
        "billion": ScaleSize(5, {"a": 10_000}),
    }
    assert full_scale(sizes) == "full"
    del sizes["full"]
    assert full_scale(sizes) == "billion"


def test_seeds_that_waves_may_add_count() -> None:
    waves = '[sequential]\nwave = 5\nmax_seeds = 25\nscale = "laptop"'
    assert smoke(4)
    assert not smoke(4, more=waves)
