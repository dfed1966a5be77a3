"""A checksum inside a Parquet file that covers every byte of it: data, page headers and footer.

Page checksums, which other programs verify too, cover the pages' data alone; a bit that flips in a page's header or in
the footer can make a reader take one column for another. So the footer's metadata keep a CRC-32 of the whole file, with
the eight digits of the number itself taken as zeros. It is found without reading Parquet, by how Thrift's compact
protocol writes a key and its value (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

import re
import zlib

__all__ = ["CHECKSUM_KEY", "UNSEALED", "footer_of", "is_sealed", "matches", "seal"]

CHECKSUM_KEY = "gtr_bench_crc32"
UNSEALED = "00000000"
"""The value to write before `seal` knows it."""

_MAGIC = b"PAR1"
# A binary field after the one before it is 0x18, then its length; a struct ends with 0.
_ENTRY = re.compile(rb"\x18\x0fgtr_bench_crc32\x18\x08([0-9a-f]{8})\x00")


def footer_of(content: bytes) -> bytes | None:
    """The footer of a Parquet file; None where the file is not whole: cut, or no Parquet."""
    if len(content) < 12 or content[:4] != _MAGIC or content[-4:] != _MAGIC:
        return None
    length = int.from_bytes(content[-8:-4], "little")
    return content[-8 - length : -8] if length <= len(content) - 12 else None


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
    """Where the digits are."""
    footer = footer_of(content)
    found = list(_ENTRY.finditer(footer)) if footer is not None and CHECKSUM_KEY.encode() in footer else []
    if footer is None or not found:
        return None
    start = len(content) - 8 - len(footer)
    return start + found[-1].start(1), start + found[-1].end(1)


def _checksum(content: bytes, start: int, end: int) -> int:
    view = memoryview(content)
    return zlib.crc32(view[end:], zlib.crc32(UNSEALED.encode(), zlib.crc32(view[:start])))
