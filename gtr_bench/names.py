"""Names that may become names of files or folders: the same rules on every system, Windows' included.

No `<>:"/\\|?*`, no control characters, no dot or space at an end, none of Windows' devices (`CON`, `com1.txt`), at most
100 characters.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["LONGEST", "file_name", "why_unusable"]

LONGEST = 100
RULE = "letters, digits, `_`, `.`, `+` and `-`, a letter or digit first"

_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}


def why_unusable(name: str) -> str | None:
    """A sentence when a name somebody chose cannot name a file everywhere; None when it can."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", name):
        return f"`{name}` is not a usable name: {RULE}"
    if len(name) > LONGEST:
        return f"`{name[:20]}...` is not a usable name: it has {len(name)} characters, more than {LONGEST}"
    if name.endswith("."):
        return f"`{name}` is not a usable name: it ends in a dot"
    if name.partition(".")[0].upper() in _DEVICES:
        return f"`{name}` is not a usable name: Windows keeps `{name.partition('.')[0]}` for a device"
    return None


def file_name(text: str) -> str:
    """A usable name for any text: itself where it is one, else its usable part and a digest of it all."""
    if why_unusable(text) is None:
        return text
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    words = re.sub(r"[^A-Za-z0-9_+-]+", "-", text).strip("-_+")[: LONGEST - len(digest) - 1]
    return f"{words}-{digest}" if words else digest
