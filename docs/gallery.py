"""The figures of docs/gallery.md anew: `python docs/gallery.py [WORD ...]`, from the repository's root.

The page is the list: every indented command on it is run as it stands there, with words only those that contain one.
Then pictures are made small: a site and a clone should not carry megabytes of them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageSequence

HERE = Path(__file__).resolve().parent
PROGRAMS = {"gtr-bench": [sys.executable, "-m", "gtr_bench"], "python": [sys.executable]}
WIDTH, GIF_WIDTH = 1200, 200  # pixels
FRAMES = 100  # of an animation


def main(words: list[str]) -> None:
    """Run the commands and shrink what they wrote."""
    for command in re.findall(r"^    ((?:gtr-bench|python|cp) .*)$", (HERE / "gallery.md").read_text(), re.MULTILINE):
        if words and not any(word in command for word in words):
            continue
        print(f"$ {command}", flush=True)
        program, *rest = shlex.split(command)
        start = PROGRAMS.get(program, [program])
        subprocess.run([*start, *rest], cwd=HERE.parent, check=True, stdout=subprocess.DEVNULL)
        for name in re.findall(r"docs/gallery/\S+", command):
            shrink(HERE.parent / name)


def shrink(file: Path) -> None:
    """At most so many pixels wide and 64 colours; a longer animation than `FRAMES` is cut."""
    with Image.open(file) as image:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(image)][:FRAMES]
        duration = image.info.get("duration", 50)
    limit = GIF_WIDTH if file.suffix == ".gif" else WIDTH
    width, height = frames[0].size
    size = (min(width, limit), round(height * min(1.0, limit / width)))
    small = [frame.resize(size, Image.Resampling.LANCZOS).quantize(64, dither=Image.Dither.NONE) for frame in frames]
    if file.suffix == ".gif":
        small[0].save(file, save_all=True, append_images=small[1:], duration=duration, loop=0, optimize=True)
    else:
        small[0].save(file, optimize=True)
    print(f"  {file.relative_to(HERE.parent)}: {file.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
