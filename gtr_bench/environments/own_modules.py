"""Gymnasium ids with a module in front, `my_package.worlds:Corridor-v0`: importing the module registers the id.

A suite is data, so the module must be one that somebody installed; one that merely lies in the current folder is
refused, and so is one there that hides the installed one.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gtr_bench.errors import EnvironmentFault, RequestError, UnknownNameError

__all__ = ["distribution_of", "registered_id"]

_known: dict[str, str] = {}
"""Tasks whose module is imported already, and their ids."""


def registered_id(task: str) -> str:
    """The id behind `module:Id`, its module imported; an id without a module as it is.

    Raises:
        EnvironmentFault: the module cannot be imported.
        RequestError: the module belongs to no installed distribution.
        UnknownNameError: importing it registers no such id.
    """
    module, colon, name = task.rpartition(":")
    if not colon:
        return task
    if task not in _known:
        from gymnasium.envs.registration import registry

        _installed(module)
        before = set(registry)
        try:
            import_module(module)
        except Exception as error:
            raise EnvironmentFault(f"`{module}` could not be imported: {type(error).__name__}: {error}") from error
        if name not in registry:
            added = sorted(set(registry) - before)
            raise UnknownNameError(f"id of `{module}`", name, added or ["none"])
        _known[task] = name
    return _known[task]


def distribution_of(task: str) -> str | None:
    """The distribution whose version belongs to the identity of a job on `module:Id`; None without a module."""
    module, colon, _ = task.rpartition(":")
    return _installed(module).metadata["Name"].lower() if colon else None


@cache
def _installed(module: str) -> Distribution:
    """The distribution that a module is of."""
    root = module.partition(".")[0]
    names = packages_distributions().get(root, [])
    if not module.replace(".", "_").isidentifier() or not names:
        raise RequestError(
            f"the module `{module}` belongs to no installed package",
            hint="install yours beside `gtr-bench`, such as by `pip install -e .` in its folder",
        )
    found = [distribution(name) for name in names]
    spec = find_spec(root)
    places = {Path(place).resolve() for place in (spec.submodule_search_locations or ())} if spec else set()
    if spec is not None and spec.origin is not None:
        places.add(Path(spec.origin).resolve())
    for each in found:
        if any(_holds(each, place) for place in places):
            return each
    where = ", ".join(f"`{place}`" for place in sorted(places)) or "nowhere"
    raise RequestError(
        f"the module `{root}` would be taken from {where}, which is no part of the installed `{names[0]}`",
        hint="run from another folder, or install that one",
    )


def _holds(installed: Distribution, place: Path) -> bool:
    """Whether a file or folder is the distribution's; one installed as editable lies in its own folder."""
    url = json.loads(installed.read_text("direct_url.json") or "{}")
    if url.get("dir_info", {}).get("editable"):
        return place.is_relative_to(Path(unquote(urlsplit(url["url"]).path)).resolve())
    return any(
        place in (located := Path(str(installed.locate_file(file))).resolve(), *located.parents)
        for file in installed.files or ()
    )
