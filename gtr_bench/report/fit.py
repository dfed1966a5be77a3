"""How wide the columns of a table are where all of its text side by side is wider than the terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gtr_bench.report.blocks import Grid

__all__ = ["GAP", "column_widths"]

GAP = 2
"""spaces between columns"""


def column_widths(grid: Grid, width: int) -> list[int] | None:
    """The characters of each column, such that no word is cut and few cells take a second line.

    None where even the longest words have no room side by side.
    """
    texts = zip(grid.names, *([entry.text for entry in row] for row in grid.rows), strict=True)
    columns = [_Column(Counter(tuple(len(word) for word in text.split()) for text in column)) for column in texts]
    spare = width - GAP * (len(columns) - 1) - sum(column.width for column in columns)
    if spare < 0:
        return None
    while True:
        # What saves the most lines per character goes first, so that short columns are not left in pieces.
        gains = [(saved / extra, extra, column) for column in columns for extra, saved in column.gains(spare)]
        if not gains:
            return [column.width for column in columns]
        _, extra, column = max(gains, key=lambda gain: gain[0])
        column.width += extra
        spare -= extra


@dataclass
class _Column:
    """A column of cells, each as the lengths of its words, with how many are alike; as narrow as its longest word."""

    cells: Counter[tuple[int, ...]]
    width: int = field(init=False)
    _known: dict[int, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.width = max((length for words in self.cells for length in words), default=0)

    def gains(self, spare: int) -> list[tuple[int, int]]:
        """Characters more, and the lines they save, where they save any."""
        now, whole = self._lines(self.width), max(_length(words) for words in self.cells)
        more = range(1, min(spare, whole - self.width) + 1)
        return [(extra, saved) for extra in more if (saved := now - self._lines(self.width + extra)) > 0]

    def _lines(self, width: int) -> int:
        if width not in self._known:
            self._known[width] = sum(_wrapped(words, width) * count for words, count in self.cells.items())
        return self._known[width]


def _length(words: tuple[int, ...]) -> int:
    return sum(words) + max(0, len(words) - 1)


def _wrapped(words: tuple[int, ...], width: int) -> int:
    """Lines that the words take, each as long as it can be."""
    lines, used = 1, 0
    for length in words:
        if used and used + 1 + length > width:
            lines, used = lines + 1, length
        else:
            used += length + (1 if used else 0)
    return lines
