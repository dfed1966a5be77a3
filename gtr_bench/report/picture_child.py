"""Draws worlds for a report's page in a process of its own, which a simulator may take down with it.

Run as `python -m gtr_bench.report.picture_child WORLDS.json FOLDER`. Of each world in the list it leaves `N.png`, or
`N.txt` with why there is none.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtr_bench.errors import GtrBenchError, MissingExtraError

if TYPE_CHECKING:
    from gtr_bench.environments.pictures import RGB

__all__ = ["main"]

WIDTH, HEIGHT = 240, 240  # pixels at most
COLOURS = 256
STEPS = 25
"""Random actions before the picture is taken: what waits in a row at the start has begun to move."""
MOST_BYTES = 8 * 2**30
"""Of address space, the libraries' own included: options of strangers may ask for a world of any size."""


def main(worlds: Path, folder: Path) -> None:
    """Draw every world of the list, the next one after whatever happens to one but a crash."""
    _limit_memory()
    for number, world in enumerate(json.loads(worlds.read_text())):
        if (folder / f"{number}.txt").exists() or (folder / f"{number}.png").exists():
            continue
        partial = folder / f"{number}.partial"
        try:
            _write(partial, _drawn(world))
        except MissingExtraError as error:
            partial.write_text(f"the extra `{error.extra}` is missing")
        except GtrBenchError as error:
            partial.write_text(error.reason)
        except Exception as error:
            partial.write_text(f"it could not be drawn here ({type(error).__name__})")
        else:
            partial.rename(folder / f"{number}.png")
            continue
        partial.rename(folder / f"{number}.txt")


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def _drawn(phase: dict[str, Any]) -> RGB:
    from gtr_bench.catalogue.show import snapshot

    return snapshot(phase, seed=0, steps=STEPS)


def _write(path: Path, picture: RGB) -> None:
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((WIDTH, HEIGHT))
    image.quantize(COLOURS).save(path, format="PNG", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
