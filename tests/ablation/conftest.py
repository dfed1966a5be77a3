"""Studies made of numbers that can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from gtr_bench.ablation.model import Axis, Setting, StudyRecords, TrialRecord

SIGMA = Axis("sigma", "float", 0.5, 0.05, 5.0, log=True)
CLIP = Axis("clip_range", "float", 0.2, 0.05, 0.5, log=True)
Score = Callable[[Setting, str, int], float]


def trials_of(
    algorithm: str,
    settings: Sequence[Setting],
    score: Score,
    environments: Sequence[str],
    seeds: Sequence[int] = (0, 1, 2),
) -> list[TrialRecord]:
    """One trial per setting, three seeds each unless told otherwise."""
    return [
        TrialRecord(
            number=number,
            algorithm=algorithm,
            label=f"{algorithm}[{number}]",
            setting=setting,
            scores={name: {seed: score(setting, name, seed) for seed in seeds} for name in environments},
            diverged=0,
            failed=0,
            missing=0,
            jobs=tuple(f"{algorithm}-{number}-{name}" for name in environments),
        )
        for number, setting in enumerate(settings)
    ]


def _subject(setting: Setting, environment: str, seed: int) -> float:
    """Flat at 0.8 from 0.158 to 1.58, that is over one decade; seeds differ by 0.01."""
    inside = 0.158 <= float(setting["sigma"]) <= 1.581
    return (0.8 if inside else 0.3) - (0.1 if environment == "b" else 0.0) + 0.01 * seed


def _reference(setting: Setting, environment: str, seed: int) -> float:
    """Environment a wants a small clip range, b a large one: no setting serves both."""
    position = float(setting["clip_range"])
    return (0.6 - position if environment == "a" else position) + 0.01 * seed


@pytest.fixture
def study() -> StudyRecords:
    """Nine widths over two decades: a plateau of one decade, and a reference that needs tuning per environment."""
    widths = [0.05, 0.0889, 0.158, 0.281, 0.5, 0.889, 1.581, 2.81, 5.0]
    clips = [0.05, 0.0667, 0.0889, 0.119, 0.158, 0.2, 0.281, 0.375, 0.5]
    return StudyRecords(
        name="gtr-sigma",
        suite="kernel_ablation",
        scale="medium",
        algorithm="gtr",
        reconstruction=True,
        metric="lifetime_return",
        direction="higher",
        unit="normalised",
        environments=("a", "b"),
        seeds=(0, 1, 2),
        sampler="grid",
        sampler_seed=0,
        tune_fraction=0.1,
        smoke=False,
        axes=(SIGMA,),
        trials=tuple(trials_of("gtr", [{"sigma": width} for width in widths], _subject, ("a", "b"))),
        reference="ppo",
        reference_axes=(CLIP,),
        reference_trials=tuple(trials_of("ppo", [{"clip_range": clip} for clip in clips], _reference, ("a", "b"))),
        registered="gtr",
    )


@pytest.fixture
def seeded(study: StudyRecords) -> StudyRecords:
    """The same with 20 seeds, enough to decide."""
    seeds = tuple(range(20))

    def more(trials: Sequence[TrialRecord], score: Score) -> tuple[TrialRecord, ...]:
        mild: Score = lambda setting, name, seed: score(setting, name, 0) + 0.001 * seed  # noqa: E731
        return tuple(
            trials_of(trials[0].algorithm, [trial.setting for trial in trials], mild, study.environments, seeds)
        )

    return replace(
        study,
        seeds=seeds,
        trials=more(study.trials, _subject),
        reference_trials=more(study.reference_trials, _reference),
    )


@pytest.fixture(scope="module")
def plane() -> StudyRecords:
    """Sixty quasi-random settings of three parameters: one counts for nearly everything, one is a name."""
    from scipy.stats import qmc

    axes = (SIGMA, Axis("beta", "float", 1.0, 0.0, 4.0), Axis("anchor", "choice", "ema", choices=("ema", "<i>|x")))
    points = qmc.Sobol(3, scramble=True, seed=0).random_base2(6)[:60]
    settings: list[Setting] = [
        {"sigma": float(f"{0.05 * 100**u:.4g}"), "beta": 4 * float(v), "anchor": "ema" if w < 0.5 else "<i>|x"}
        for u, v, w in points
    ]

    def score(setting: Setting, environment: str, seed: int) -> float:
        return 0.2 * float(setting["sigma"]) + 0.001 * float(setting["beta"]) + 0.01 * seed

    return StudyRecords(
        name="gtr-three",
        suite="kernel_ablation",
        scale="laptop",
        algorithm="gtr",
        reconstruction=True,
        metric="lifetime_return",
        direction="higher",
        unit="normalised",
        environments=("a <b> $x_1$",),
        seeds=(0, 1, 2),
        sampler="qmc",
        sampler_seed=0,
        tune_fraction=1.0,
        smoke=True,
        axes=axes,
        trials=tuple(trials_of("gtr", settings, score, ("a <b> $x_1$",))),
        reference=None,
        reference_axes=(),
        reference_trials=(),
        registered="gtr",
    )


@pytest.fixture
def ragged(study: StudyRecords) -> StudyRecords:
    """The first study with a diverged seed, a setting without any score in b, and a seed missing elsewhere."""
    first, second, third, *rest = study.trials
    trials = (
        replace(first, scores={**first.scores, "a": {0: 0.0, 1: 0.31, 2: 0.32}}, diverged=1),
        replace(second, scores={"a": second.scores["a"], "b": {}}, failed=3),
        replace(third, scores={**third.scores, "a": {0: 0.8, 1: 0.81}}, missing=1),
        *rest,
    )
    return replace(study, trials=trials)
