"""The one place that turns an exception into `error: sentence`, `hint: ...` and an exit code.

Exit codes: 0 all done, 1 some jobs failed or a comparison found a regression, 2 the request is wrong or the program
broke, 3 a comparison has too few seeds to decide, 130 interrupted, 141 nobody reads our output any more (as a shell
reports SIGPIPE). `GTR_BENCH_TRACEBACK=1` shows the traceback as well.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback

import typer

from gtr_bench.cli.group import ClosedPipe
from gtr_bench.errors import GtrBenchError, SuiteError
from gtr_bench.wording import one_line

__all__ = ["explain"]


def explain(error: BaseException) -> int:
    """Write what happened to stderr; the exit code. Re-raises only SystemExit."""
    if isinstance(error, SystemExit):
        raise error
    if isinstance(error, ClosedPipe | BrokenPipeError):
        # Python would complain about the same pipe again when it flushes stdout on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    if os.environ.get("GTR_BENCH_TRACEBACK") == "1":
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        print("interrupted", file=sys.stderr)
        return 130
    if isinstance(error, SuiteError):
        from gtr_bench.suite import render_suite_error

        print(render_suite_error(error), end="\n\n", file=sys.stderr)
    sentence, hint, code = _describe(error)
    print(f"error: {sentence}", file=sys.stderr)
    if hint:
        print(f"\nhint: {hint}", file=sys.stderr)
    return code


def _describe(error: BaseException) -> tuple[str, str | None, int]:
    """Sentence, hint and exit code."""
    if isinstance(error, GtrBenchError):
        return error.sentence, error.hint, error.exit_code
    if isinstance(error, MemoryError):
        return "the memory is full", "use fewer `--jobs` or a smaller `--cohort`", 2
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        where = f" while writing `{error.filename}`" if error.filename else ""
        return f"the disk is full{where}", "make room and repeat the command: what is finished is kept", 2
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
        return f"`{error.filename}` cannot be used: {error.strerror}", "check its permissions", 2
    if hasattr(error, "format_message"):  # typer's own errors: a wrong option, a missing argument
        return _usage(error)
    hint = "this is a defect of the program; `GTR_BENCH_TRACEBACK=1` shows where, please report it with that"
    return one_line(f"{type(error).__name__}: {error}"), hint, 2


def _usage(error: BaseException) -> tuple[str, str | None, int]:
    """A command line typer refuses, in our manner: no full stop, backticks, the suggestion as the hint."""
    text = re.sub(r"'([^']*)'", r"`\1`", str(error.format_message()).strip())  # type: ignore[attr-defined]
    text = text.replace(": Input should ", ": it should ").replace(": Value error, ", ": ")  # pydantic's words
    text = re.sub(r"^No such option: (\S+)", r"No such option `\1`", text)
    text = re.sub(r" \(Possible options: (--\S+?)(, .*)?\)$", r" Did you mean `\1`?", text)
    sentence, _, suggestion = text.partition(" Did you mean ")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "gtr-bench"
    hint = f"did you mean {suggestion}" if suggestion else f"`{command} --help` lists what is possible"
    return sentence[:1].lower() + sentence[1:].rstrip("."), hint, int(getattr(error, "exit_code", 2))
