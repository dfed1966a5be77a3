"""A checksum inside a Parquet file that covers every byte of it: data, page headers and footer.

Page checksums, which other programs verify too, cover the pages' data alone; a bit that flips in a page's header or in
the footer can make a reader take one column for another. So the footer's metadata keep a CRC-32 of the whole file, with
the eight digits of the number itself taken as zeros. It is found without reading Parquet, by how Thrift's compact
protocol writes a key and its value (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

import re
import zlib

__all__ = ["CHECKSUM_KEY", "UNSEALED", "has_ends", "is_sealed", "is_whole", "matches", "seal"]

CHECKSUM_KEY = "gtr_bench_crc32"
UNSEALED = "00000000"
"""The value to write before `seal` knows it."""

_MAGIC = b"PAR1"
# A binary field after the one before it is 0x18, then its length; a struct ends with 0.
_ENTRY = b"\x18\x0fgtr_bench_crc32\x18\x08"
_DIGITS = re.compile(rb"[0-9a-f]{8}\x00")


def is_whole(content: bytes) -> bool:
    """Whether a file begins and ends as Parquet does, with a footer that it has room for."""
    return has_ends(content[:4] + content[-8:], len(content))


def has_ends(ends: bytes, size: int) -> bool:
    """As `is_whole`, by the first 4 and the last 8 bytes of a file of that size."""
    return size >= 12 and ends[:4] == ends[-4:] == _MAGIC and int.from_bytes(ends[4:8], "little") <= size - 12


def seal(content: bytes) -> bytes:
    """The file with its checksum filled in; raises ValueError unless `CHECKSUM_KEY` is there with `UNSEALED`."""
    place = _place(content)
    if place is None:
        raise ValueError(f"the file has no `{CHECKSUM_KEY}`")
    return content[: place[0]] + b"%08x" % _checksum(content, *place) + content[place[1] :]


def matches(content: bytes) -> bool:
    """Whether a file is as it was written, as far as it can tell: one without a checksum, of a time before, always."""
    place = _place(content)
    return place is None or content[place[0] : place[1]] == b"%08x" % _checksum(content, *place)


def is_sealed(content: bytes) -> bool:
    """Whether a file has a checksum."""
    return _place(content) is not None


def _place(content: bytes) -> tuple[int, int] | None:
    """Where the digits are. The footer's own length is not asked: a bit of that may have flipped."""
    start = content.rfind(_ENTRY) + len(_ENTRY)
    if start < len(_ENTRY) or not _DIGITS.fullmatch(content, start, start + 9):
        return None
    return start, start + 8


def _checksum(content: bytes, start: int, end: int) -> int:
    view = memoryview(content)
    return zlib.crc32(view[end:], zlib.crc32(UNSEALED.encode(), zlib.crc32(view[:start])))
