"""Start-up and the translation of exceptions."""

from __future__ import annotations

import errno
import subprocess
import sys
import time

import pytest
import typer

from gtr_bench.cli.failures import explain
from gtr_bench.errors import JobError, RequestError


@pytest.mark.parametrize(
    ("error", "code", "stderr"),
    [
        (RequestError("bad `x`", hint="good `y`"), 2, "error: bad `x`\n\nhint: good `y`\n"),
        (JobError("broke"), 1, "error: broke\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (typer.Abort(), 130, "interrupted\n"),
        (MemoryError(), 2, "error: the memory is full\n\nhint: use fewer `--jobs` or a smaller `--cohort`\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            2,
            "error: the disk is full while writing `a/b`\n\nhint: make room and repeat the command: "
            "what is finished is kept\n",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "a/b"),
            2,
            "error: `a/b` cannot be used: Read-only file system\n\nhint: check its permissions\n",
        ),
    ],
)
def test_every_kind_of_error_becomes_a_sentence_and_an_exit_code(
    error: BaseException, code: int, stderr: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(error) == code
    captured = capsys.readouterr()
    assert captured.err == stderr
    assert captured.out == ""


def test_a_defect_is_called_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(ZeroDivisionError("division by zero")) == 2
    assert "error: ZeroDivisionError: division by zero\n\nhint: this is a defect" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from gtr_bench.cli.main import execute\n"
        "assert execute(['--help']) == 0\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'gymnasium', 'numpy', 'scipy', 'matplotlib', 'rich', 'psutil'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_help_starts_not_much_slower_than_typer_alone() -> None:
    programs = {"ours": "from gtr_bench.cli.main import execute; execute(['--help'])", "typer": "import typer"}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(8):  # in turns: whatever else the machine does slows both
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    assert min(times["ours"]) < 2.5 * min(times["typer"])
