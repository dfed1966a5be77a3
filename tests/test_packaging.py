"""A fresh clone: versions that fit together, a Makefile that installs once, a check that starts from nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gtr_bench import __version__

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
UNPINNED = {"language", "ray"}
"""Extras that nothing uses yet, so no version has been seen working."""


def pinned_version(name: str) -> str | None:
    found = [
        next(iter(pin.specifier)).version for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(name)
    ]
    return found[0] if found else None


def test_the_version_is_the_same_everywhere() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["version"] == __version__ == re.findall(r"^## (\S+)", changes, flags=re.MULTILINE)[0]


def test_every_constraint_is_one_exact_version_of_one_package() -> None:
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert sorted(set(names)) == sorted(names)
    assert {specifier.operator for pin in PINS for specifier in pin.specifier} == {"=="}
    assert all(len(pin.specifier) == 1 for pin in PINS)


@pytest.mark.parametrize("extra", [None, *sorted(set(PROJECT["optional-dependencies"]) - UNPINNED - {"all"})])
def test_every_requirement_has_a_constraint_that_satisfies_it(extra: str | None) -> None:
    listed = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, listed):
        version = pinned_version(requirement.name)
        assert version is not None, requirement
        assert requirement.specifier.contains(version), requirement


def test_the_extra_all_is_every_extra_but_the_tools() -> None:
    (requirement,) = map(Requirement, PROJECT["optional-dependencies"]["all"])
    assert requirement.extras == set(PROJECT["optional-dependencies"]) - {"all", "dev"}


def dry_run(target: str, venv: Path, **variables: str) -> str:
    """The commands `make` would run."""
    command = ["make", "--dry-run", "--no-print-directory", "--directory", str(ROOT), target, f"VENV={venv}"]
    command += [f"{name}={value}" for name, value in variables.items()]
    # A `make test` above this one would pass its own options on.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, env=environment
    )
    return done.stdout


def test_a_second_install_does_nothing(tmp_path: Path) -> None:
    (tmp_path / ".installed").touch()
    assert "pip" not in dry_run("install", tmp_path)


def test_changed_requirements_are_installed_again(tmp_path: Path) -> None:
    (tmp_path / ".installed").touch()
    os.utime(tmp_path / ".installed", (0, 0))
    assert "pip --disable-pip-version-check install" in dry_run("install", tmp_path)


def test_torch_alone_comes_from_the_index_that_is_given(tmp_path: Path) -> None:
    lines = [line for line in dry_run("install", tmp_path, TORCH_INDEX="INDEX").splitlines() if "pip" in line]
    assert [line.split("install ")[1] for line in lines] == [
        "-c constraints.txt torch",
        "-c constraints.txt -e '.[mujoco,metaworld,minatar,dm-control,box2d,atari,minigrid,crafter,procgen]'",
        lines[2].split("install ")[1],
    ]
    assert [line.strip().startswith("PIP_INDEX_URL=INDEX ") for line in lines] == [True, False, False]
    assert "PIP_INDEX_URL" not in dry_run("install", tmp_path)


GAMES = "install --no-deps --require-hashes -r games-requirements.txt"


def test_an_install_tries_the_games_and_goes_on_without_them(tmp_path: Path) -> None:
    commands = dry_run("install", tmp_path).splitlines()
    assert GAMES + " || echo 'The Procgen games could not be installed" in commands[-2]
    assert commands[-1] == f"touch {tmp_path}/.installed"


def test_the_games_alone_are_installed_again_on_request(tmp_path: Path) -> None:
    (tmp_path / ".installed").touch()
    (command,) = dry_run("games", tmp_path).splitlines()
    assert command.endswith(GAMES)  # and a failure is the target's own


def test_the_games_are_the_version_that_was_seen_working_with_its_hash() -> None:
    lines = (ROOT / "games-requirements.txt").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if not line.startswith("#"))
    requirement, digest = line.split(" --hash=sha256:")
    assert requirement == f"procgen-mirror=={pinned_version('procgen-mirror')}"
    assert len(bytes.fromhex(digest)) == 32


def test_the_demo_installs_trains_and_reports(tmp_path: Path) -> None:
    commands = dry_run("demo", tmp_path).splitlines()
    assert commands[-2:] == [
        f"{tmp_path}/bin/gtr-bench run quickstart",
        f"{tmp_path}/bin/gtr-bench report --suite quickstart",
    ]
    assert any("-e '.[mujoco" in command for command in commands)


def fake_make(folder: Path, code: int) -> dict[str, str]:
    """An environment in which `make` writes down its arguments and ends with `code`."""
    script = folder / "bin" / "make"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nmkdir -p "${{2#VENV=}}"\nexit {code}\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder)}


def test_the_whole_check_uses_an_environment_of_its_own_and_removes_it(tmp_path: Path) -> None:
    environment = fake_make(tmp_path, 0)
    subprocess.run(["bash", str(ROOT / ".ci/run")], check=True, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL)
    first, second = ((tmp_path / "calls").read_text()).splitlines()
    target, _, venv = first.partition(" VENV=")
    assert (target, second) == ("test", f"check VENV={venv}")
    assert venv.startswith(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "calls"]


def test_the_whole_check_stops_at_the_first_failure(tmp_path: Path) -> None:
    environment = fake_make(tmp_path, 3)
    done = subprocess.run(["bash", str(ROOT / ".ci/run")], env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == 3
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_the_image_is_made_by_the_makefile() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'RUN make install TORCH_INDEX="$TORCH_INDEX"' in text
    assert 'CMD ["make", "demo"]' in text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what a clone has."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("gtr_bench", "suites"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(source)], check=True, timeout=300, stdin=subprocess.DEVNULL)
    return folder / f"gtr_bench-{__version__}-py3-none-any.whl"


@pytest.mark.slow
def test_a_wheel_holds_every_module_the_suites_the_command_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        information = f"gtr_bench-{__version__}.dist-info"
        assert "gtr-bench = gtr_bench.cli.main:main" in archive.read(f"{information}/entry_points.txt").decode()
    assert f"{information}/licenses/LICENSE" in names
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "gtr_bench").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    shipped = {*(ROOT / "suites").glob("*.toml"), *(ROOT / "suites" / "published").iterdir()}
    assert {name for name in names if name.startswith("gtr_bench/suites/")} == {
        f"gtr_bench/{path.relative_to(ROOT)}" for path in shipped
    }


@pytest.mark.slow
def test_a_wheel_works_alone_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # in front of the editable install of the tests' own environment
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def python(*arguments: str) -> str:
        command = [sys.executable, "-P", *arguments]
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert python("-c", "import gtr_bench; print(gtr_bench.__file__)").startswith(str(site))
    assert "starpilot" in python("-m", "gtr_bench", "list", "published", "--environment", "starpilot")
    python("-m", "gtr_bench", "run", "quickstart", "-k", "spo and seed=0")
    assert python("-m", "gtr_bench", "report").startswith("quickstart, scale laptop (")
