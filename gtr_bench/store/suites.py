"""The texts of suites that were run in a results folder: `<results>/suites/<name>-<scale>.toml`.

A job's labels name the suite that trained it first. A suite whose jobs were all done by then is known from here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gtr_bench.errors import GtrBenchError, SuiteError
from gtr_bench.files import replace_file
from gtr_bench.names import file_name
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite

if TYPE_CHECKING:
    from gtr_bench.store.reader import Warn  # which brings pyarrow, and a run needs none

__all__ = ["keep_suite", "kept_suites"]


def keep_suite(results: Path, suite: Suite) -> None:
    """Write the suite's text; one that lies in the results folder's `studies` is kept there already.

    Raises:
        OSError: the disk refused.
    """
    path, content = results / "suites" / _name(suite.name, suite.scale), suite.text.encode()
    ours = Path(suite.path).resolve().is_relative_to((results / "studies").resolve())
    if ours or (path.is_file() and path.read_bytes() == content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda file: file.write(content))


def kept_suites(results: Sequence[Path], known: Iterable[tuple[str, str]], warn: Warn) -> Iterator[Suite]:
    """The suites kept in the results folders without those of `known` names and scales, the first of a name.

    A file that is no suite, or not the one its name says, is left out with a warning.
    """
    seen = {_name(*each) for each in known}
    for path in (path for folder in results for path in sorted((folder / "suites").glob("*.toml")) if path.is_file()):
        if path.name in seen:
            continue
        try:
            text = path.read_text(encoding="utf-8")
            suite = parse_suite(text, path=str(path))
            (scale,) = (each for each in suite.scales if _name(suite.name, each) == path.name)
            yield suite if scale == suite.scale else parse_suite(text, path=str(path), scale=scale)
        except GtrBenchError as error:
            reason = error.problems[0].sentence if isinstance(error, SuiteError) else error.sentence
            warn(f"left out `{path}`: {reason}")
        except OSError as error:
            warn(f"left out `{path}`: {error.strerror}")
        except ValueError:
            warn(f"left out `{path}`: not the text of the suite and scale that its name says")
        else:
            seen.add(path.name)


def _name(suite: str, scale: str) -> str:
    return f"{file_name(f'{suite}-{scale}')}.toml"
