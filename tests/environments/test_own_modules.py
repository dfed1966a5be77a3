"""`gym:package.module:Id`: worlds of an installed package, and of nothing that merely lies about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gtr_bench.environments import own_modules
from gtr_bench.environments.gymnasium_family import GymnasiumFamily
from gtr_bench.environments.own_modules import distribution_of, registered_id
from gtr_bench.errors import EnvironmentFault, RequestError, UnknownNameError

WORLD = """
import gymnasium
import numpy as np


class Corridor(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 4
        return np.array([self.place], np.float32), {}

    def step(self, action):
        self.place += 1 if action else -1
        ended = self.place in (0, 9)
        return np.array([self.place], np.float32), float(self.place == 9), ended, False, {}


gymnasium.register("{name}-v0", entry_point=Corridor, max_episode_steps=50)
"""


def package(folder: Path, name: str, *, editable: Path | None = None) -> None:
    """An installed distribution with one module; an editable one has its module elsewhere."""
    home = editable or folder
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{name}.py").write_text(WORLD.replace("{name}", name.title().replace("_", "")))
    info = folder / f"{name}-0.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-').title()}\nVersion: 0.3\n")
    (info / "top_level.txt").write_text(f"{name}\n")
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n" + ("" if editable else f"{name}.py,,\n"))
    if editable:
        (info / "direct_url.json").write_text(json.dumps({"url": home.as_uri(), "dir_info": {"editable": True}}))


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> Iterator[None]:
    from gymnasium.envs.registration import registry

    before = set(registry)
    own_modules._installed.cache_clear()
    own_modules._known.clear()
    yield
    for name in set(registry) - before:
        del registry[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("name", ["own_worlds", "own_editable"])
def test_a_world_of_an_installed_package_is_found_with_its_version(site: Path, tmp_path: Path, name: str) -> None:
    editable = tmp_path / "source" if name == "own_editable" else None
    package(site, name, editable=editable)
    if editable:
        sys.path.insert(0, str(editable))
    try:
        task = f"{name}:{name.title().replace('_', '')}-v0"
        family = GymnasiumFamily()
        family.check(task)
        assert family.packages(task) == ("gymnasium", name.replace("_", "-"))
        assert (family.physics(task), family.options(task)) == ({}, None)
        batch = family.make(task, members=1, envs=2, max_episode_steps=None, options={})
        assert batch.spaces.observation == family.spaces(task, {}).observation
        assert batch.spaces.observation.shape == (1,)
        batch.close()
    finally:
        if editable:
            sys.path.remove(str(editable))


def test_an_id_without_a_module_is_as_it_was() -> None:
    assert registered_id("CartPole-v1") == "CartPole-v1"
    assert distribution_of("CartPole-v1") is None


@pytest.mark.parametrize(
    "task", ["lying_about:Lying-v0", "os:Lying-v0", "../evil:Lying-v0", "a b:Lying-v0", ":Lying-v0"]
)
def test_a_module_that_nobody_installed_is_refused_and_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    (tmp_path / "lying_about.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RequestError, match="belongs to no installed package"):
        registered_id(task)


def test_a_file_that_hides_the_installed_module_is_refused(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(site, "own_hidden")
    here = tmp_path / "here"
    here.mkdir()
    (here / "own_hidden.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(here)
    with pytest.raises(RequestError, match="which is no part of the installed `Own-Hidden`"):
        registered_id("own_hidden:OwnHidden-v0")


def test_an_unknown_id_and_a_broken_module_are_told_apart(site: Path) -> None:
    package(site, "own_misspelt")
    with pytest.raises(UnknownNameError) as unknown:
        registered_id("own_misspelt:OwnMispelt-v0")
    assert unknown.value.hint == "did you mean `OwnMisspelt-v0`?"
    package(site, "own_broken")
    (site / "own_broken.py").write_text("raise ValueError('no')")
    with pytest.raises(EnvironmentFault, match="`own_broken` could not be imported: ValueError: no"):
        registered_id("own_broken:OwnBroken-v0")


@pytest.mark.slow
def test_a_job_trains_in_a_world_of_ones_own_and_its_worker_imports_nothing_from_the_folder(tmp_path: Path) -> None:
    package(tmp_path / "site", "own_trained")
    (tmp_path / "torch.py").write_text("raise SystemExit('imported')")
    command = [sys.executable, "-m", "gtr_bench", "train", "--algorithm", "ppo", "--steps", "1024", "--env"]
    # an empty entry would be the current folder
    places = [str(tmp_path / "site"), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    done = subprocess.run(
        [*command, "gym:own_trained:OwnTrained-v0"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "done: 1 job" in done.stderr
