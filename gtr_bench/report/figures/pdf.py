"""The same PDF for the same picture: what draws it numbers its objects, and orders their entries, anew each time.

Only what svg2pdf writes is read: one generation, no object streams, lengths given directly.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["canonical"]

_TOKEN = re.compile(rb"\s*(<<|>>|\[|\]|/[^\s<>\[\]()/%]*|\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>|[^\s<>\[\]()/%]+)", re.S)
_OBJECT = re.compile(rb"\s*(\d+) 0 obj\b")
_END = re.compile(rb"\s*endobj\b")
_STREAM = re.compile(rb"\s*stream\r?\n")


class _Reference(NamedTuple):
    number: int


class _Object(NamedTuple):
    value: Any
    stream: bytes | None


def canonical(pdf: bytes) -> bytes:
    """The document with its objects in the order in which they are referred to, and all entries sorted.

    Raises:
        ValueError: it is not written as svg2pdf writes.
    """
    head = pdf[: pdf.index(b"\n", pdf.index(b"\n") + 1) + 1]
    objects, place = {}, len(head)
    while found := _OBJECT.match(pdf, place):
        value, place = _value(pdf, found.end())
        stream = None
        if started := _STREAM.match(pdf, place):
            end = started.end() + int(value[b"/Length"])
            stream, place = pdf[started.end() : end], pdf.index(b"endstream", end) + len(b"endstream")
        ended = _END.match(pdf, place)
        if ended is None:
            raise ValueError(f"object {found[1].decode()} of the PDF has no end")
        objects[int(found[1])] = _Object(value, stream)
        place = ended.end()
    trailer, _ = _value(pdf, pdf.index(b"trailer", place) + len(b"trailer"))
    return _written(head, objects, trailer)


def _value(pdf: bytes, place: int) -> tuple[Any, int]:
    """A dictionary, an array, a reference or any other token as it stands, and where it ends."""
    token, place = _token(pdf, place)
    if token == b"<<":
        entries: dict[bytes, Any] = {}
        while (name := _token(pdf, place))[0] != b">>":
            entries[name[0]], place = _value(pdf, name[1])
        return entries, name[1]
    if token == b"[":
        items: list[Any] = []
        while (following := _token(pdf, place))[0] != b"]":
            item, place = _value(pdf, place)
            items.append(item)
        return items, following[1]
    if token.isdigit() and (reference := re.compile(rb"\s+0\s+R\b").match(pdf, place)):
        return _Reference(int(token)), reference.end()
    return token, place


def _token(pdf: bytes, place: int) -> tuple[bytes, int]:
    found = _TOKEN.match(pdf, place)
    if found is None:
        raise ValueError(f"the PDF has no token at byte {place}")
    return found[1], found.end()


def _written(head: bytes, objects: dict[int, _Object], trailer: dict[bytes, Any]) -> bytes:
    numbers: dict[int, int] = {}
    waiting: list[int] = []

    def text(value: Any) -> bytes:
        if isinstance(value, _Reference):
            if value.number not in numbers:
                numbers[value.number] = len(numbers) + 1
                waiting.append(value.number)
            return b"%d 0 R" % numbers[value.number]
        if isinstance(value, dict):
            return b"<<" + b"\n".join(key + b" " + text(each) for key, each in sorted(value.items())) + b">>"
        if isinstance(value, list):
            return b"[" + b" ".join(map(text, value)) + b"]"
        return bytes(value)

    ending = {key: each for key, each in trailer.items() if key in (b"/Root", b"/Info")}
    text(ending)
    out, offsets = bytearray(head), []
    while waiting:
        own = objects[waiting.pop(0)]
        offsets.append(len(out))
        body = text(own.value)
        if own.stream is not None:
            body += b"\nstream\n" + own.stream + b"\nendstream"
        out += b"%d 0 obj\n" % len(offsets) + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    ending[b"/Size"] = b"%d" % (len(offsets) + 1)
    return bytes(out + b"trailer\n" + text(ending) + b"\nstartxref\n%d\n%%%%EOF\n" % start)
