"""The exception tree. Every error a user can meet has a sentence, a hint and an exit code.

GtrBenchError                    exit 2 unless a subclass says otherwise
  RequestError                   the request is wrong: a flag, a selection, a folder
    SuiteError                   one or more problems in a suite file, each with its place
    UnknownNameError             a name that is not registered, with a did-you-mean
  MissingExtraError              an optional package is not installed
  ResultsError                   a stored file cannot be used (foreign, truncated, newer than the program)
  JobError                       exit 1: a job could not be carried out
    EnvironmentFault             an environment raised, or gave a value no learner can use
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = [
    "EnvironmentFault",
    "GtrBenchError",
    "JobError",
    "MissingExtraError",
    "Problem",
    "RequestError",
    "ResultsError",
    "SuiteError",
    "UnknownNameError",
    "did_you_mean",
    "disk_fault",
    "nearest",
]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSING = _FULL | {errno.EIO, errno.EACCES}
SHORTEST_PART = 3
"""letters of a name that may stand for a longer one: fewer begin too many"""


class GtrBenchError(Exception):
    """Base of everything this program raises on purpose: `sentence`, `hint`, `exit_code`."""

    exit_code = 2

    def __init__(self, sentence: str, *, hint: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        if hint is not None:
            self.add_note(f"hint: {hint}")  # where no command line shows it, Python does, below the sentence

    @property
    def reason(self) -> str:
        """What is wrong, where there is room for one thing."""
        return self.sentence


class RequestError(GtrBenchError):
    """What was asked for cannot be done as asked."""


class Problem(NamedTuple):
    """One thing wrong in a suite file; line and column count from 1, 0 means the whole file."""

    line: int
    column: int
    sentence: str
    hint: str | None = None


class SuiteError(RequestError):
    """All problems found in one suite file, in the order of the file."""

    def __init__(self, path: str, source: str, problems: list[Problem]) -> None:
        super().__init__(f"{path} has {len(problems)} problem{'s' if len(problems) != 1 else ''}")
        self.path = path
        self.source = source
        self.problems = sorted(problems)

    @property
    def reason(self) -> str:
        """The first problem's sentence."""
        return self.problems[0].sentence


class UnknownNameError(RequestError):
    """A name that nothing is registered under."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        super().__init__(f"unknown {kind} `{name}`", hint=did_you_mean(name, choices))


class MissingExtraError(GtrBenchError):
    """An optional package is needed and absent; the hint is the command that installs it: by default pip's."""

    def __init__(self, what: str, extra: str, *, command: str | None = None) -> None:
        super().__init__(
            f"{what} needs the extra `{extra}`",
            hint=f"pip install -c constraints.txt -e '.[{extra}]'" if command is None else command,
        )
        self.extra = extra


class ResultsError(GtrBenchError):
    """A file in the results folder cannot be read as one of ours."""


class JobError(GtrBenchError):
    """A job failed while it ran."""

    exit_code = 1


class EnvironmentFault(JobError):
    """An environment raised, or returned something no learner can use.

    Attributes:
        member: of the cohort, whose environment it was; None where that is not known.
        environment: its name in the suite, put there by what runs the sequence.
    """

    def __init__(self, sentence: str, *, hint: str | None = None, member: int | None = None) -> None:
        super().__init__(sentence, hint=hint)
        self.member = member
        self.environment: str | None = None


def disk_fault(error: BaseException) -> int | None:
    """The errno of the disk's refusal that an error is or was raised from; None where the disk is not to blame.

    ENOSPC, EDQUOT, EIO and EACCES are such refusals, whatever an error's words say. What an environment meets among its
    own files is its own affair, unless the disk is full.
    """
    counted, cause = _REFUSING, error
    while True:
        if isinstance(cause, EnvironmentFault):
            counted = _FULL
        if isinstance(cause, OSError) and cause.errno in counted:
            return cause.errno
        if cause.__cause__ is None:
            return None
        cause = cause.__cause__


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """The nearest choice as a question, or the list of choices when nothing is near.

    A choice that begins with the name, or else has it among its words, is nearer than one with similar letters only:
    `clip` is short for `clip_range`.
    """
    known = list(choices)
    near = nearest(name, known)
    if near:
        return f"did you mean `{near}`?"
    return "known: " + ", ".join(f"`{choice}`" for choice in known) if known else "nothing is registered"


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The one choice meant by a name, None where nothing is near."""
    # Misspelt by a letter or two is nearer than any abbreviation.
    misspelt = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    if misspelt:
        return misspelt[0]
    if len(name) >= SHORTEST_PART:
        beginning = [each for each in known if each.startswith(name)]
        within = [each for each in known if name in re.split(r"[^A-Za-z0-9]+", each)]
        # Shortest first: what is added to the name the least.
        found = min(beginning or within, key=len, default=None)
        if found is not None:
            return found
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)
