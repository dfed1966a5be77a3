"""A suite whose text says that its seeds come in waves."""

from __future__ import annotations

from gtr_bench.errors import RequestError, SuiteError
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.model import SequentialTable

__all__ = ["in_waves"]


def in_waves(suite: Suite, *, wave: int | None, max_seeds: int | None) -> Suite:
    """The suite with `[sequential]`: its own table, or one appended to its text, which the ledger of requests keeps.

    Args:
        wave, max_seeds: None takes the suite's, else the table's defaults.

    Raises:
        RequestError: nothing to decide, numbers that contradict the suite, or numbers that can decide nothing.
    """
    if not suite.claims and not suite.comparisons:
        raise RequestError(
            f"`--until-decided` has nothing to decide: `{suite.name}` has neither a `[[claim]]` nor `comparisons`",
            hint='add such as `comparisons = [["gtr", "ppo"]]` to its `[suite]`',
        )
    if suite.sequential is not None:
        for name, asked in (("wave", wave), ("max_seeds", max_seeds)):
            stated = getattr(suite.sequential, name)
            if asked is not None and asked != stated:
                option = f"--{name.replace('_', '-')}"
                raise RequestError(
                    f"`{option} {asked}` contradicts the suite, whose `[sequential]` says `{name} = {stated}`",
                    hint=f"leave `{option}` away, or change the suite",
                )
        return suite
    defaults = SequentialTable()
    size = wave if wave is not None else min(defaults.wave, max_seeds or defaults.wave)
    most = max_seeds if max_seeds is not None else max(defaults.max_seeds, size)
    if most < size:
        raise RequestError(f"`--max-seeds {most}` is less than one wave of {size} (`--wave`)")
    # Bound to the scale: at the suite's other scales nothing was promised.
    scale = f'scale = "{suite.scale}"\n' if suite.scale else ""
    text = f"{suite.text.rstrip()}\n\n[sequential]\nwave = {size}\nmax_seeds = {most}\n{scale}"
    try:
        return parse_suite(text, path=suite.path, scale=suite.scale)
    except SuiteError as error:
        # The suite was right before, so what is wrong is in these two numbers.
        problem = error.problems[0]
        raise RequestError(f"`--until-decided`: {problem.sentence}", hint=problem.hint) from None
