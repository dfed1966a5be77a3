"""What `gtr-bench compare` prints: help, a comparison, a regression and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.compare.conftest import jobs_of, write_run
from tests.compare.test_compare import lower

HELP = """\
Usage: gtr-bench compare [OPTIONS] {A} {B}

  Which learning curves changed from A to B, by a test.

  A and B are results folders, or the first digits of commits. Exit code 1 on
  a regression, else 3 where too few seeds cannot decide, else 0; 2 when there
  is nothing to compare.

Arguments:
  A <str>  Before: a results folder, or a commit.  [required]
  B <str>  After: a results folder, or a commit.  [required]

Options:
  --results DIR                   Where a commit's jobs are; may be repeated.
                                  [default: (results)]
  --metric NAME                   Compare this metric; may be repeated.
                                  [default: (lifetime_return)]
  --alpha P                       Level of the tests, after Holm.  [default:
                                  0.05]
  --margin X                      Only worse by more than this is a
                                  regression.  [default: 0.0]
  --strict                        Exit with 1 also where something could not
                                  be judged.
  -f, --format <terminal|markdown|json>
                                  How to write the numbers.  [default:
                                  terminal]
  --json                          JSON on stdout.
  -o, --out FILE                  Write there instead of to stdout.
  -h, --help                      Show this message and exit.
"""

REGRESSION = """\
before -> after
compared 1 cell: 1 worse

swap, scale laptop
environment  algorithm  verdict  n  identical  curves differ most  B - A there  p (Holm)  speed B / A
cartpole     ppo        worse    8  0          step 0, phase 0     -33.50         0.0078  1.000

cartpole, ppo: lifetime_return worse: 75.43 -> 41.93, p (Holm) 0.0078; the curves differ, most at step 0 of phase 0 \
(counted from 0): B - A is -33.50 there, p
(Holm) 0.0078

lifetime_return (higher is better)
environment  algorithm  A      B      B - A [interval]         n       p  p (Holm)
cartpole     ppo        75.43  41.93  -33.50 [-35.67, -31.33]  8  0.0078    0.0078
"""


@pytest.fixture
def filled(cli: Any) -> Any:
    """`before`, the same again as `same`, a worse `after`, and `other`, in which another algorithm ran."""
    folder: Path = cli.folder
    for job in jobs_of(keep="ppo"):
        write_run(folder / "before", job)
        write_run(folder / "same", job)
        write_run(folder / "after", job, bend=lower)
    for job in jobs_of(keep="gtr"):
        write_run(folder / "other", job)
    return cli


def test_help(cli: Any) -> None:
    answer = cli("compare", "--help")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, HELP, "")


def test_a_regression_is_shown_and_exits_1(filled: Any) -> None:
    answer = filled("compare", "before", "after")
    assert answer.returncode == 1
    assert answer.stderr == "compared 1 cell: 1 worse\n"
    assert answer.stdout.startswith(REGRESSION)


def test_no_change_exits_0(filled: Any) -> None:
    answer = filled("compare", "before", "same")
    assert answer.returncode == 0
    assert answer.stderr == "compared 1 cell: 1 identical\n"


def test_too_few_seeds_exit_with_3_and_strictly_with_1(cli: Any) -> None:
    for job in jobs_of(keep="ppo")[:4]:
        write_run(cli.folder / "before", job)
        write_run(cli.folder / "after", job, bend=lower)
    answer = cli("compare", "before", "after")
    assert (answer.returncode, answer.stderr) == (3, "compared 1 cell: 1 cannot decide\n")
    assert "lifetime_return: 4 pairs cannot decide at 0.05: at least 6 are needed" in answer.stdout
    assert " -31.50 [unbounded] " in answer.stdout
    strict = cli("compare", "before", "after", "--strict")
    assert strict.returncode == 1
    assert strict.stderr == "compared 1 cell: 1 cannot decide\n`--strict`: 1 cell cannot decide\n"


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (
            ("before", "other"),
            "error: nothing to compare: no algorithm on an environment is on both sides\n\n"
            "hint: A (before) holds suite swap, scale laptop: ppo on cartpole (8 finished runs)\n"
            "      B (other) holds suite swap, scale laptop: gtr on cartpole (8 finished runs)\n",
        ),
        (
            ("befor", "after"),
            "error: `befor` is neither a results folder nor a commit\n\nhint: did you mean `before`?\n",
        ),
        (
            ("before", "beef", "--results", "after"),
            "error: no job in `after` is of commit `beef`\n\n"
            "hint: they hold jobs of 0123456789ab (8 jobs); `--results DIR` names other folders\n",
        ),
        (("before",), "error: missing argument `B`\n\nhint: `gtr-bench compare --help` lists what is possible\n"),
        (
            ("before", "after", "--metric", "lifetime_retrun"),
            "error: unknown metric `lifetime_retrun`\n\nhint: did you mean `lifetime_return`?\n",
        ),
    ],
)
def test_wrong_requests_exit_2_with_a_sentence_and_a_hint(filled: Any, arguments: tuple[str, ...], stderr: str) -> None:
    answer = filled("compare", *arguments)
    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", stderr)
