"""What docs/extending.md shows: its package installed by pip, its classes found by entry points, all of it trained."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.algorithms.ppo import clipped_surrogate
from tests.helpers import SWAPPED_BACK, suite_text

PACKAGE = Path(__file__).parent / "example_package"
GUIDE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")

TABLES = """comparisons = [["dual_clip", "ppo"]]

[training]
num_envs = 4
num_steps = 32

[network]
hidden = [8]

[evaluation]
every = 256
episodes = 2
"""
SUITE = suite_text(
    "third_party",
    "Does an algorithm of another package train?",
    tables=TABLES,
    steps=512,
    sequences=SWAPPED_BACK,
    algorithms=("ppo", "dual_clip"),
)


@pytest.fixture
def dual_clip(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGE))
    from gtr_bench_dual_clip import DualClip

    return DualClip


def value(algorithm: Any, ratio: float, advantage: float, **parameters: float) -> float:
    """The objective of one sample."""
    settings = SimpleNamespace(**({"clip_range": 0.2, "dual_clip": 3.0} | parameters))
    sample = SimpleNamespace(ratio=torch.tensor([[ratio]]), advantage=torch.tensor([[advantage]]))
    surrogate, penalty = algorithm(settings, 1).objective(sample)
    assert penalty is None
    return float(surrogate)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"), [(5, -1, -3), (2, -1, -2), (0.5, -1, -0.8), (5, 1, 1.2), (0.5, 1, 0.5)]
)
def test_the_objective_agrees_with_values_made_by_hand(
    dual_clip: Any, ratio: float, advantage: float, expected: float
) -> None:
    assert value(dual_clip, ratio, advantage) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"), [(5, -1, 1), (2, -1, 0), (5, 1, 0), (3.001, -1, 1), (0.5, -1, 0)]
)
def test_the_logged_fraction_counts_where_the_second_clip_acts(
    dual_clip: Any, ratio: float, advantage: float, expected: float
) -> None:
    settings = SimpleNamespace(clip_range=0.2, dual_clip=3.0)
    sample = SimpleNamespace(ratio=torch.tensor([[ratio]]), advantage=torch.tensor([[float(advantage)]]))
    found = dual_clip(settings, 1).diagnose(sample)
    assert found.keys() == dual_clip.columns.keys()
    assert float(found["dual_clip_fraction"]) == expected
    doubled = value(dual_clip, ratio, advantage) != value(dual_clip, ratio, advantage, dual_clip=1e9)
    assert doubled == bool(expected)


@given(ratio=st.floats(0.01, 50), advantage=st.floats(-10, 10))
def test_a_second_clip_beyond_every_ratio_is_ppo(ratio: float, advantage: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PACKAGE))
        from gtr_bench_dual_clip import DualClip

        found = value(DualClip, ratio, advantage, dual_clip=100.0)
    expected = clipped_surrogate(torch.tensor(ratio), torch.tensor(advantage), 0.2)
    assert found == pytest.approx(float(expected))


@pytest.mark.parametrize("name", ["pyproject.toml", "gtr_bench_dual_clip.py"])
def test_the_guide_shows_the_package_as_it_is(name: str) -> None:
    assert (PACKAGE / name).read_text(encoding="utf-8").strip() in GUIDE


def program(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`gtr-bench` in `folder`, with what is installed in `site`."""
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "gtr_bench.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_an_installed_package_s_algorithm_is_trained_and_reported(tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(PACKAGE, source)  # building leaves files beside the sources
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True, timeout=300, stdin=subprocess.DEVNULL)
    (tmp_path / "suite.toml").write_text(SUITE)

    run = program(tmp_path, site, "run", "suite.toml", "--jobs", "1")
    assert run.returncode == 0, run.stderr
    assert "done: 4 jobs" in run.stderr
    report = program(tmp_path, site, "report", "--json")
    assert report.returncode == 0, report.stderr
    assert "dual_clip" in json.dumps(json.loads(report.stdout))
    export = program(tmp_path, site, "export", "--what", "iterations", "--out", "tidy.parquet")
    assert export.returncode == 0, export.stderr
    table = pq.read_table(tmp_path / "tidy.parquet")
    logged = {
        name: table.filter(pc.equal(table["algorithm"], name))["dual_clip_fraction"] for name in ("ppo", "dual_clip")
    }
    assert logged["ppo"].null_count == len(logged["ppo"]) > 0
    assert logged["dual_clip"].null_count == 0 < len(logged["dual_clip"])

    (tmp_path / "suite.toml").write_text(SUITE + "dual_clp = 2.0\n")
    refused = program(tmp_path, site, "plan", "suite.toml")
    assert refused.returncode == 2
    assert "did you mean `dual_clip`?" in refused.stderr


@pytest.mark.slow
def test_the_guide_s_environment_shift_metric_network_add_on_and_section_work_together(tmp_path: Path) -> None:
    site = tmp_path / "site"
    information = site / "corridor_example-0.1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: corridor-example\nVersion: 0.1\n")
    codes = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    for name in ("corridor", "mute", "best", "gated", "fade", "pace"):
        (code,) = [code for code in codes if f"class {name.capitalize()}" in code]
        (site / f"{name}.py").write_text(code)
    tables = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)]
    (groups,) = [
        table["project"]["entry-points"] for table in tables if "name" not in table.get("project", {"name": ""})
    ]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()]
    (information / "entry_points.txt").write_text("\n".join(lines))
    (suite,) = [text for text in re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL) if "[suite]" in text]
    (tmp_path / "suite.toml").write_text(suite)

    run = program(tmp_path, site, "run", "suite.toml", "--jobs", "1")
    assert run.returncode == 0, run.stderr
    assert "done: 2 jobs" in run.stderr
    report = program(tmp_path, site, "report")
    assert report.returncode == 0, report.stderr
    assert "best_return: highest mean return of any evaluation of the run" in report.stdout
    for format, expected in (
        ("terminal", "steps/s: median over finished runs"),
        ("markdown", "### Pace"),
        ("html", ">Pace</h2>"),
        ("latex", r"\subsection*{Pace}"),
        ("csv", ",steps_per_second\n"),
        ("json", '"pace": {\n        "ppo": '),
    ):
        shown = program(tmp_path, site, "report", "--full", "--format", format)
        assert expected in shown.stdout, shown.stderr
    definition = json.loads(next(iter((tmp_path / "results/cohorts").glob("*/cohort.json"))).read_text())["jobs"][0][
        "definition"
    ]
    assert definition["packages"] == {"corridor-example": "0.1"}
    assert definition["network"] == {"torso": "gated", "version": 1, "units": 16}
    assert definition["plasticity"] == [{"name": "fade", "version": 1, "parameters": {"rate": 1e-4}}]
