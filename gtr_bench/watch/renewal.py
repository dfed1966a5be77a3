"""The page of a report, made anew in the background whenever the results changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

__all__ = ["NO_JOBS", "Page", "Renewal", "pause"]

NO_JOBS = "There are no jobs in the results folder yet. The report comes with the first one."
_CHECKS = 20.0
"""how many times as long as a look the pause after it is, and ..."""
_REPORTS = 2.0
"""... as making a report: who trains needs the processor"""
_RETRY_SECONDS = 30.0
"""after which a report that failed is tried again, although no file changed: permissions may have"""
_LONGEST_MESSAGE = 4000
_AGAIN = "It is tried again when the results change."


@dataclass(frozen=True)
class Page:
    """What is served now.

    Attributes:
        content: the newest report that could be made, as HTML; None before there is one.
        message: why it is not that of the results as they are; empty where it is.
    """

    content: bytes | None = None
    message: str = "The first report is being made."

    @property
    def version(self) -> str | None:
        """The same for the same content."""
        return None if self.content is None else hashlib.sha256(self.content).hexdigest()[:16]


def pause(every: float, check_seconds: float, report_seconds: float) -> float:
    """Seconds until the next look: `every`, or longer where looks or reports take long."""
    return max(every, check_seconds * _CHECKS, report_seconds * _REPORTS)


class Renewal:
    """Runs the command that makes the report, in a process of its own: whatever breaks there, the server goes on."""

    def __init__(
        self, command: Sequence[str], look: Callable[[], bytes | None], every: float, tell: Callable[[str], None]
    ) -> None:
        """Nothing happens before `start`.

        Args:
            command: prints the page on stdout; what it says on stderr is told, and shown where it fails.
            look: what stays equal while the results do; None while there are none.
            every: seconds between two looks at least.
            tell: called with each new line for the user, without its end.
        """
        self.page = Page()
        self._command, self._look, self._every, self._tell = list(command), look, every, tell
        self._told: set[str] = set()
        self._ended = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End, at once: a report that is being made is given up."""
        self._ended.set()
        while self._thread.is_alive():
            if self._child is not None:
                self._child.kill()
            self._thread.join(0.05)

    def _go_on(self) -> None:
        seen: bytes | None = None
        made = took = 0.0
        while not self._ended.is_set():
            begin = time.monotonic()
            found = self._look()
            checked = time.monotonic() - begin
            if found is None:
                self.page = replace(self.page, message=NO_JOBS)
                seen = None
            elif found != seen or (self.page.message and time.monotonic() - made > _RETRY_SECONDS):
                seen = found
                self._renew()
                made = time.monotonic()
                took = made - begin - checked
            self._ended.wait(pause(self._every, checked, took))

    def _renew(self) -> None:
        try:
            content, said, code = self._made()
        except OSError as error:
            content, said, code = "", f"error: the report could not be started: {error.strerror or error}", 2
        if self._ended.is_set():
            return
        said = said.strip() or ("" if code == 0 else f"error: the report ended with exit code {code}")
        for line in said.splitlines():
            if line and line not in self._told:
                self._told.add(line)
                self._tell(line)
        if code == 0:
            self.page = Page(content.encode(), "")
        else:
            self.page = replace(self.page, message=f"{said.removeprefix('error: ')[-_LONGEST_MESSAGE:]}\n\n{_AGAIN}")

    def _made(self) -> tuple[str, str, int]:
        """What the command printed, what it said, and its exit code."""
        with subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="replace",
        ) as self._child:
            content, said = self._child.communicate()
        return content, said, self._child.returncode
