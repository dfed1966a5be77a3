"""The ablation path: from PPO to GTR one component at a time, each step tested against the one before.

The steps are the algorithms of a suite whose declared comparisons are the steps, so the ordinary report decides them:
paired by seed, Holm over all steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from gtr_bench.ablation.trials import SuiteTemplate
from gtr_bench.ablation.wording import setting_text
from gtr_bench.algorithms.gtr.parameters import GTRParameters
from gtr_bench.algorithms.ppo import PPOParameters
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.files import replace_file
from gtr_bench.names import file_name
from gtr_bench.suite.expand import Suite

__all__ = ["COMPONENTS", "path_suite"]

COMPONENTS: dict[str, dict[str, Any]] = {
    "kernel": {"kernel": "gaussian"},
    "anchor": {"anchors": 4},
    "surrogate": {"surrogate": "linear"},
    "gate": {"sustain": True},
}
"""What each component switches on. Before the first stands the plain KL penalty, which is not GTR's own."""

_OFF: dict[str, Any] = {"kernel": "none", "anchors": 1, "surrogate": "clip", "sustain": False}


def path_suite(template: SuiteTemplate, components: Sequence[str], seeds: Sequence[int], results: Path) -> Suite:
    """The path as a suite, written to `<results>/studies/path-.../suite.toml`: `ppo`, `penalty`, then the components.

    Every step has the suite's own parameters of `gtr`; those that PPO knows too are PPO's here, so that nothing but the
    component differs between neighbours.

    Raises:
        UnknownNameError: a component that does not exist.
        RequestError: a component given twice.
        SuiteError: the suite does not allow it.
    """
    for name in components:
        if name not in COMPONENTS:
            raise UnknownNameError("component", name, COMPONENTS)
    if len(set(components)) < len(components):
        raise RequestError("`--components` names one twice")
    own = {key: value for key, value in template.table("gtr").items() if key not in ("id", "use")}
    shared = {key: value for key, value in own.items() if key in PPOParameters.model_fields}
    tables: list[dict[str, Any]] = [{"id": "ppo", **shared}]
    switched = {**own, **_OFF}
    tables.append({"id": "penalty", "use": "gtr", **switched})
    for name in components:
        switched |= COMPONENTS[name] | ({"anchors": _mixture(own)} if name == "anchor" else {})
        tables.append({"id": f"with_{name}", "use": "gtr", **switched})
    labels = [table["id"] for table in tables]
    name = file_name(f"path-{template.suite.name}-{'-'.join(components)}")
    path = results / "studies" / name / "suite.toml"
    suite = template.suite_of(
        tables,
        name=name,
        path=path,
        seeds=seeds,
        suite={
            "question": "Which component between PPO and GTR (this project's reconstruction) matters? Each step is "
            f"compared with the one before it: {'; '.join(_steps(tables))}",
            "comparisons": [[after, before] for before, after in pairwise(labels)],
        },
    )
    content = suite.text.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda file: file.write(content))
    return suite


def _steps(tables: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What each step sets that the one before it had otherwise, or not at all."""
    yield f"{tables[0]['id']} is the first"
    for before, after in pairwise(tables):
        changed = {key: value for key, value in after.items() if before.get(key) != value and key not in ("id", "use")}
        what = setting_text(changed) if changed else "nothing, as the suite's own value is the one before"
        yield f"{after['id']} sets {what}" + (" of gtr" if "use" not in before else "")


def _mixture(own: dict[str, Any]) -> int:
    """The suite's own number of anchors, or GTR's default."""
    return int(own.get("anchors", GTRParameters.model_fields["anchors"].default))
