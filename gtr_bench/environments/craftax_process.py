"""The parent's side of the process in which Craftax runs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from gtr_bench.errors import EnvironmentFault

__all__ = ["CraftaxProcess", "compiled", "environment_of"]

CHILD = Path(__file__).with_name("craftax_child.py")
_SHOWN = 4000
"""bytes of a dead process's standard error that are handed on"""


def compiled(environment: dict[str, str]) -> Path:
    """Where compiled code is kept between processes, in the user's cache folder; one folder per kind of processor."""
    cache = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".cache")
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    # Code compiled for one processor may not run on another that shares the folder.
    abilities = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return Path(cache) / "gtr-bench" / "jax" / hashlib.sha256(abilities.encode()).hexdigest()[:8]


def environment_of(base: dict[str, str]) -> dict[str, str]:
    """The process's environment variables: those of this one, and JAX's where they are not set."""
    environment = dict(base)
    environment.setdefault("JAX_PLATFORMS", "cpu")
    environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(compiled(base)))
    environment.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")
    # XLA counts the processors unless this says otherwise; a worker has as many threads as its driver gave it.
    if "OMP_NUM_THREADS" in base:
        environment.setdefault("NPROC", base["OMP_NUM_THREADS"])
    return environment


class CraftaxProcess:
    """B worlds in a process of their own; it ends with this one, even when this one is killed.

    Args:
        name: the environment's name in error sentences.
        task: `Symbolic` or `Classic-Symbolic`.
        size: B.
        script: what the process runs.

    Raises:
        EnvironmentFault: the process ended while it started.
    """

    def __init__(self, name: str, task: str, size: int, script: Path = CHILD) -> None:
        self._name = name
        self._connection, theirs = Pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        try:
            self._process = subprocess.Popen(
                # -P: the modules beside the script are not to be found under their bare names.
                [sys.executable, "-P", str(script), str(theirs.fileno())],
                env=environment_of(dict(os.environ)),
                stdin=subprocess.PIPE,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
            )
        finally:
            theirs.close()
        self._ask((task, size))

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of `craftax_child.Worlds` returns.

        Raises:
            EnvironmentFault: the process ended.
        """
        return self._ask((method, arguments))

    def _ask(self, request: Any) -> Any:
        try:
            self._connection.send(request)
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._fault() from error

    def _fault(self) -> EnvironmentFault:
        """What the process left on standard error; all of it goes to ours, its last line into the sentence."""
        code = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _SHOWN))
        text = self._errors.read().decode(errors="replace").strip()
        self.close()
        print(text, file=sys.stderr, flush=True)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        last = text.splitlines()[-1].strip().rstrip(".") if text else ""
        return EnvironmentFault(f"the process of `{self._name}` {how}" + (f": {last}" if last else ""))

    def close(self) -> None:
        """End the process and wait for it; calling it twice is allowed."""
        self._connection.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._errors.close()
