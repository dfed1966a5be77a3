"""Where text leaves the program: words of others reach a terminal or a file without control characters.

`execute` puts `CleanStream` before stdout and stderr, so whatever a command prints is cleaned. What has colours comes
from `clean_console`, which cleans each piece before it is coloured, and passes the stream as `Painted`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from gtr_bench.wording import clean

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["CleanStream", "Painted", "clean_console", "cleaned"]


class Painted(str):
    """Text whose escape codes are our own: its words were cleaned before they were coloured."""

    __slots__ = ()


class CleanStream:
    """A text stream that cleans what is written to it; `beneath` is the stream it writes to."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath

    def write(self, text: str) -> int:
        """Write the text, cleaned; one that is `Painted` as it is."""
        self.beneath.write(cleaned(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def cleaned(text: str) -> str:
    """The text without control characters, but those we have put there ourselves."""
    return text if isinstance(text, Painted) else clean(text)


def clean_console(file: Any, **options: Any) -> Console:
    """A console of rich that cleans every piece of text, not the colours it puts around it.

    Args:
        file: where it writes; a `CleanStream` is passed by.
        options: of rich's `Console`.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class CleanConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for piece in super().render(renderable, options):
                yield piece if piece.control else piece._replace(text=clean(piece.text))

    return CleanConsole(file=file.beneath if isinstance(file, CleanStream) else file, **options)
