"""`gtr-bench init`: a suite to start from that is right as it stands."""

from __future__ import annotations

import pytest

from gtr_bench.suite import load_suite
from tests.cli.conftest import Cli


def test_the_suite_it_writes_plans_and_trains_as_it_stands(cli: Cli) -> None:
    done = cli("init", "my_study")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "wrote my_study.toml\nnext: gtr-bench plan my_study.toml\n"
    path = cli.folder / "my_study.toml"
    assert "NAME" not in path.read_text()
    for scale in ("laptop", "full"):
        suite = load_suite(path, scale=scale)
        assert suite.name == "my_study"
        assert {job.algorithm for job in suite.jobs()} == {"ppo", "ppo_kl", "gtr"}
        assert [claim.id for claim in suite.claims] == ["gtr_beats_ppo"]
    assert cli("plan", "my_study.toml").returncode == 0


def test_a_file_that_is_there_is_left_alone(cli: Cli) -> None:
    (cli.folder / "mine.toml").write_text("mine")
    done = cli("init", "mine.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: `mine.toml` is there already\n")
    assert (cli.folder / "mine.toml").read_text() == "mine"


@pytest.mark.parametrize("name", ["../up", "a b", "CON", "", ".hidden", "x" * 101])
def test_a_name_that_cannot_be_a_file_everywhere_is_refused(cli: Cli, name: str) -> None:
    done = cli("init", name)
    assert done.returncode == 2
    assert "is not a usable name" in done.stderr
    assert sorted(path.name for path in cli.folder.iterdir()) == ["tiny.toml"]
