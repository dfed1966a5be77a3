"""The tuned suite: the suite's own text with the values that were chosen, and where they come from."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from gtr_bench import __version__
from gtr_bench.ablation.model import Setting
from gtr_bench.errors import RequestError
from gtr_bench.names import file_name
from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.source import KeyPath, Source
from gtr_bench.tuning.model import AlgorithmTuning, Tuning
from gtr_bench.tuning.spaces import range_text

__all__ = ["tuned_text"]

_ENDING = "_tuned"


def tuned_text(source: Source, tuning: Tuning, command: str, path: str) -> str:
    """The suite with every algorithm at its best trial, and a table `[tuned]`, as TOML that `run` accepts.

    Its lines and comments stay where each change is one line of it; else it is written anew.

    Args:
        source: the suite's file as it was tuned.
        tuning: a complete one.
        command: what the user typed.
        path: where the text will stand, for errors.

    Raises:
        SuiteError: an algorithm refuses the values chosen for it.
    """
    import tomli_w

    chosen = {each.algorithm: each.best.setting for each in tuning.algorithms if each.best is not None}
    if len(chosen) < len(tuning.algorithms):
        raise RequestError("a tuning that is not complete has nothing to write")
    wanted = _tuned_tree(source.tree, chosen)
    head = _edited(source, chosen, wanted["suite"]["name"])
    if head is None or not _says(head, wanted):
        head = tomli_w.dumps(wanted)
    text = f"{head.rstrip()}\n\n{tomli_w.dumps({'tuned': _record(tuning, command)})}"
    parse_suite(text, path=path, scale=tuning.scale)
    return text


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _record(tuning: Tuning, command: str) -> dict[str, Any]:
    """The content of `[tuned]`."""
    return {
        "suite": tuning.suite,
        "scale": tuning.scale,
        "metric": tuning.metric,
        "direction": tuning.direction,
        "budget": tuning.budget,
        "sampler": tuning.sampler,
        "seeds": list(tuning.seeds),
        "tune_fraction": tuning.tune_fraction,
        "phases": {name: trained for name, (trained, _) in tuning.phases.items()},
        "command": command,
        "gtr_bench": __version__,
        "finished": tuning.finished,
        "algorithm": {each.algorithm: _chosen(each) for each in tuning.algorithms},
    }


def _chosen(each: AlgorithmTuning) -> dict[str, Any]:
    assert each.best is not None  # or nothing is written
    assert each.best.score is not None
    own = each.suites_own
    return {
        "trials": len(each.trials),
        "score": each.best.score,
        **({} if own is None or own.score is None else {"suite_score": own.score}),
        "diverged": each.jobs("diverged"),
        "failed": each.jobs("failed"),
        "values": dict(each.best.setting),
        "ranges": {axis.name: range_text(axis) for axis in each.axes},
    }


def _tuned_tree(tree: Mapping[str, Any], chosen: Mapping[str, Setting]) -> dict[str, Any]:
    """The suite's tables with the values in them and without an earlier `[tuned]`."""
    found = copy.deepcopy({key: value for key, value in tree.items() if key != "tuned"})
    if "tuned" not in tree:
        found["suite"]["name"] = file_name(f"{tree['suite']['name']}{_ENDING}")
    for table in found["algorithm"]:
        for name, value in chosen.get(table["id"], {}).items():
            add_on, dot, field = name.partition(".")
            if not dot:
                table[name] = value
                continue
            table["plasticity"] = [
                {"use": add_on, **(each if isinstance(each, dict) else {}), field: value}
                if add_on == (each["use"] if isinstance(each, dict) else each)
                else each
                for each in table["plasticity"]
            ]
    return found


def _edited(source: Source, chosen: Mapping[str, Setting], name: str) -> str | None:
    """The text with the same changes line by line, comments kept; None where one is not that simple.

    Whether it says what was meant, the caller finds out by parsing it.
    """
    if "tuned" in source.tree:
        return None
    lines = source.text.split("\n")
    added: dict[int, list[str]] = {}
    places: dict[KeyPath, tuple[Any, int]] = {("suite", "name"): (name, 0)}
    for index, table in enumerate(source.tree["algorithm"]):
        last = max(source.keys.get(("algorithm", index, key), (0, 0))[0] for key in ("id", "use"))
        for key, value in chosen.get(table["id"], {}).items():
            if "." in key:
                return None
            places["algorithm", index, key] = value, last
    for path, (value, after) in places.items():
        if path in source.keys:
            line = source.keys[path][0] - 1
            pattern = rf"(\s*{re.escape(str(path[-1]))}\s*=\s*)(\"[^\"]*\"|[^#\"\s]+)(\s*(?:#.*)?)"
            found = re.fullmatch(pattern, lines[line])
            if found is None:
                return None
            # What stood beside a value was about that value.
            lines[line] = f"{found[1]}{_toml(value)}{found[3] if path == ('suite', 'name') else ''}"
        else:
            added.setdefault(after, []).append(f"{path[-1]} = {_toml(value)}")
    return "\n".join(line for number, old in enumerate(lines, start=1) for line in (old, *added.get(number, ())))


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")
