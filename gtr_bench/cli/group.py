"""The command group: as typer's, except that a reader who closes the pipe gets through to `failures.explain`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

__all__ = ["ClosedPipe", "Commands"]


class ClosedPipe(Exception):
    """Nobody reads our stdout any more."""


class Commands(TyperGroup):
    """Typer ends a program with a broken pipe by exit code 1, which here means that jobs failed."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; raises ClosedPipe instead of BrokenPipeError."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ClosedPipe from error
