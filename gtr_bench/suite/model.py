"""The tables of a suite file as pydantic models.

Algorithm, training and network parameters are checked by the models of the algorithm or network that reads them,
shifts and environments by their families: here they are plain tables.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainValidator,
    model_validator,
)
from pydantic_core import core_schema

from gtr_bench.names import why_unusable

__all__ = [
    "AlgorithmTable",
    "ClaimTable",
    "Estimand",
    "EvaluationTable",
    "Failures",
    "NormaliseTable",
    "OverrideTable",
    "ScaleTable",
    "Scope",
    "SequenceTable",
    "SequentialTable",
    "SuiteTable",
    "TunedAlgorithmTable",
    "TunedTable",
]

Estimand = Literal["mean", "iqm", "median"]
"""What a claim compares of the scores of either side."""
Failures = Literal["worst", "exclude"]
"""What a failed job counts: the worst value of its metric, or nothing."""
Scope = Literal["average", "each"]
"""What a claim over several environments is about: their average, or every one of them."""

MAX_SEED = 2**63 - 1
MAX_STEPS = 10**12


def _identifier(value: str) -> str:
    reason = why_unusable(value)
    if reason is not None:
        raise ValueError(reason)
    return value


def _seeds(value: Any) -> tuple[int, ...]:
    """A count, or the seeds themselves."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 100_000:
            raise ValueError(f"`seeds` as a count should be between 1 and 100000, not `{value}`")
        seeds: list[Any] = list(range(value))
    elif isinstance(value, list):
        seeds = value
    else:
        raise ValueError("`seeds` should be a count or a list of seeds")
    if not seeds:
        raise ValueError("`seeds` is empty: at least one seed is needed")
    for seed in seeds:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
            raise ValueError(f"`seeds` should hold integers from 0 to 2^63 - 1, not `{seed}`")
    repeated = sorted(seed for seed, count in Counter(seeds).items() if count > 1)
    if repeated:
        raise ValueError(f"`seeds` repeats {', '.join(f'`{seed}`' for seed in repeated)}")
    return tuple(seeds)


def _shifts(value: Any) -> tuple[dict[str, Any], ...]:
    """One shift, or several that apply together."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in listed):
        raise ValueError("`shift` should be a table or a list of tables")
    return tuple(listed)


def _add_ons(value: Any) -> tuple[Any, ...]:
    """What each entry is, the add-ons themselves decide."""
    if not isinstance(value, list):
        raise ValueError("`plasticity` should be a list of add-ons: names, or tables with `use` and parameters")
    return tuple(value)


def _grid(value: Any) -> Any:
    """TOML reads a bare `redo.threshold` as a table in a table."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict) and inner:
            field = f'"{key}.{next(iter(inner))}"'
            raise ValueError(f"`{key}` should be a list; a field of an add-on is one key, in quotes: `{field}`")
    return value


Identifier = Annotated[str, AfterValidator(_identifier)]
Seeds = Annotated[tuple[int, ...], PlainValidator(_seeds)]
Shifts = Annotated[tuple[dict[str, Any], ...], PlainValidator(_shifts)]
AddOns = Annotated[tuple[Any, ...], PlainValidator(_add_ons)]
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS)]


class Table(BaseModel):
    """Common manners: unknown keys and non-finite numbers are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SuiteTable(Table):
    """`[suite]`: the question, and how it is decided."""

    name: Identifier
    question: str = Field(min_length=1)
    primary_metric: str
    metric_direction: Literal["higher", "lower"] | None = None
    alpha: float = Field(0.05, gt=0, lt=1)
    estimand: Estimand = "mean"
    scope: Scope = "average"
    failures: Failures = "worst"
    comparisons: tuple[tuple[str, str], ...] = ()
    seeds: Seeds | None = None
    reference: str | None = None


class ClaimTable(Table):
    """`[[claim]]`: a statement registered before the run: `better` beats `than` on `metric`."""

    id: Identifier
    better: str
    than: str
    metric: str
    direction: Literal["higher", "lower"]
    margin: float = Field(0.0, ge=0)
    alpha: float | None = Field(None, gt=0, lt=1)
    kind: Literal["superiority", "non_inferiority"] = "superiority"
    estimand: Estimand | None = None
    scope: Scope | None = None
    sequences: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> ClaimTable:
        if self.better == self.than:
            raise ValueError(f"claim `{self.id}` compares `{self.better}` with itself")
        if self.kind == "non_inferiority" and self.margin == 0:
            raise ValueError(f"claim `{self.id}`: `non_inferiority` needs a `margin` above 0")
        return self


class SequentialTable(Table):
    """`[sequential]`: seeds come in waves, and only what is undecided gets another."""

    wave: int = Field(5, ge=1, le=1000)
    max_seeds: int = Field(25, ge=1, le=1000)
    scale: str | None = None

    @model_validator(mode="after")
    def _at_least_a_wave(self) -> SequentialTable:
        if self.max_seeds < self.wave:
            raise ValueError(f"`max_seeds` {self.max_seeds} is less than one `wave` of {self.wave}")
        return self

    @property
    def looks(self) -> int:
        """How often it may be decided: waves of seeds, the last one may be smaller."""
        return -(-self.max_seeds // self.wave)


class TunedAlgorithmTable(Table):
    """`[tuned.algorithm.ID]`: what was chosen for one algorithm, and among what."""

    trials: int = Field(ge=1)
    values: dict[str, bool | int | float | str]
    ranges: dict[str, str]
    score: float
    suite_score: float | None = None
    diverged: int = Field(0, ge=0)
    failed: int = Field(0, ge=0)


class TunedTable(Table):
    """`[tuned]`: how the suite's values were chosen. A record: it defines no job."""

    suite: str
    scale: str
    metric: str
    direction: Literal["higher", "lower"]
    budget: int = Field(ge=1)
    sampler: str
    seeds: Seeds
    tune_fraction: float = Field(gt=0, le=1)
    phases: dict[str, int] = Field(min_length=1)
    command: str
    gtr_bench: str
    finished: str
    algorithm: dict[str, TunedAlgorithmTable]


class EvaluationTable(Table):
    """`[evaluation]` at any level; what a level leaves out comes from the one before."""

    every: Steps | None = None
    episodes: int = Field(10, ge=0, le=10_000)
    deterministic: bool = False
    all_phases: bool = False


class NormaliseTable(Table):
    """Returns that count as 0 and as 1."""

    min: float
    max: float

    @model_validator(mode="after")
    def _ordered(self) -> NormaliseTable:
        if self.min >= self.max:
            raise ValueError(f"`normalise`: min {self.min} is not below max {self.max}")
        return self


def _name_or_table(value: Any, check: core_schema.ValidatorFunctionWrapHandler) -> NormaliseTable | str:
    """A union of both would report what is wrong with either."""
    return value if isinstance(value, str) else check(value)


Normalise = Annotated[
    NormaliseTable | str,
    GetPydanticSchema(
        lambda _, handler: core_schema.no_info_wrap_validator_function(_name_or_table, handler(NormaliseTable))
    ),
]
"""Bounds, or the name of bounds that the environments' family knows."""


class OverrideTable(Table):
    """`[scale.NAME.sequence.ID]`: what one scale changes in one sequence."""

    steps_per_phase: Steps | None = None
    max_phases: int | None = Field(None, ge=1)
    training: dict[str, Any] = {}
    evaluation: EvaluationTable = EvaluationTable()


class ScaleTable(OverrideTable):
    """`[scale.NAME]`: budgets, seeds, and which sequences and algorithms take part (all by default)."""

    seeds: Seeds | None = None
    sequences: tuple[str, ...] | None = Field(None, min_length=1)
    algorithms: tuple[str, ...] | None = Field(None, min_length=1)
    sequence: dict[str, OverrideTable] = {}


class CountTable(Table):
    """Whole numbers, one per phase: `first`, `first + step`, ..."""

    first: int
    step: int = 1


class SequenceTable(Table):
    """`[[sequence]]`: `env` for `phases` phases, or `tasks` played `repeats` times; a shift between phases."""

    id: Identifier
    use: str | None = None
    env: str | None = None
    phases: int = Field(1, ge=1, le=10_000)
    tasks: tuple[str, ...] | None = Field(None, min_length=1)
    repeats: int = Field(1, ge=1, le=1000)
    steps_per_phase: Steps | None = None
    shift: Shifts = ()
    max_episode_steps: int | None = Field(None, ge=1, le=10_000_000)
    options: dict[str, Any] = {}
    vary: dict[str, Annotated[list[Any], Field(min_length=1)] | CountTable] = {}
    test: dict[str, Any] = {}
    normalise: Normalise | None = None
    training: dict[str, Any] = {}
    evaluation: EvaluationTable = EvaluationTable()
    references: bool = False

    @model_validator(mode="after")
    def _one_kind_of_phases(self) -> SequenceTable:
        given = self.model_fields_set
        if (self.env is None) == (self.tasks is None):
            raise ValueError(f"sequence `{self.id}` needs either `env` or `tasks`")
        if self.tasks is not None and "phases" in given:
            raise ValueError(f"sequence `{self.id}`: `phases` goes with `env`; `tasks` are counted by `repeats`")
        if self.env is not None and "repeats" in given:
            raise ValueError(f"sequence `{self.id}`: `repeats` goes with `tasks`; `env` is counted by `phases`")
        both = sorted(self.options.keys() & self.vary.keys())
        if both:
            raise ValueError(f"sequence `{self.id}`: `{both[0]}` stands in `options` and in `vary`")
        return self

    def environments(self) -> tuple[str, ...]:
        """The environment of every phase, in order."""
        if self.tasks is not None:
            return self.tasks * self.repeats
        return (str(self.env),) * self.phases

    def options_of(self, phase: int) -> dict[str, Any]:
        """The options of a phase's environment; a list of `vary` starts again where it ends."""
        varied = {
            name: values[phase % len(values)] if isinstance(values, list) else values.first + values.step * phase
            for name, values in self.vary.items()
        }
        return {**self.options, **varied}


class AlgorithmTable(Table):
    """`[[algorithm]]` without its parameters, which stand beside these keys in the file."""

    id: Identifier
    use: str | None = None
    plasticity: AddOns = ()
    grid: Annotated[dict[str, list[Any]], BeforeValidator(_grid)] = {}
    tied: tuple[dict[str, Any], ...] = ()
