"""What `gtr-bench tune` refuses before anything is trained, and what it does to files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gtr_bench.cli.trainer import Trainer

TUNE = ("tune", "tiny.toml", "--budget", "3")


@pytest.fixture
def trained(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, where trials are trained in no time."""
    monkeypatch.setattr(Trainer, "train", lambda self, suite: cli.fill(suite))
    return cli


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--seeds", "0,9000"), "the suite reports seed 0, which tuning must not see"),
        (("--batch", "2"), "`--batch` goes with `--sampler tpe`"),
        (("--param", "ppo.clip_rnge"), "did you mean `clip_range`"),
        (("--range", "sigma=1:2"), "`sigma`, which no algorithm searches"),
        (("--out", "tiny.toml"), "`--out tiny.toml` is the suite that is tuned"),
        (("--out", "other.txt"), "`other.txt` is there already, and is no tuned `tiny`"),
        (("--out", "no/such/folder.toml"), "cannot be written"),
        (("--metric", "phase_fnal"), "did you mean `phase_final`"),
        (("--study", "../x"), "is not a usable name"),
        (("--scale", "huge"), "unknown scale `huge`"),
    ],
)
def test_a_wrong_request_trains_nothing_and_leaves_nothing(
    cli: Any, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr(Trainer, "train", lambda self, suite: pytest.fail("a refused request was trained"))
    (cli.folder / "other.txt").write_text("mine")
    before = sorted(cli.folder.rglob("*"))
    answer = cli(*TUNE, *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert words in answer.stderr
    assert sorted(cli.folder.rglob("*")) == before


def test_a_plan_counts_the_jobs_and_starts_nothing(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "train", lambda self, suite: pytest.fail("a plan was trained"))
    before = sorted(cli.folder.rglob("*"))
    plan = json.loads(cli(*TUNE, "--plan", "--json").stdout)
    assert (plan["jobs"], plan["starting"]) == (2 * 3 * 3, 2 * 3 * 3)
    assert plan["steps"] == 2 * 3 * 3 * 2 * 1024
    assert "to run    12 in" in cli(*TUNE, "--plan", "--seeds", "2", "--sampler", "tpe").stdout
    assert sorted(cli.folder.rglob("*")) == before


def test_an_earlier_tuned_suite_is_replaced(trained: Any) -> None:
    assert trained(*TUNE).returncode == 0
    first = (trained.folder / "tuned.toml").read_text()
    assert trained("tune", "tiny.toml", "--budget", "4").returncode == 0
    second = (trained.folder / "tuned.toml").read_text()
    assert "trials = 3" in first
    assert "trials = 4" in second


def test_a_tuning_that_is_not_complete_writes_no_suite(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(self: Any, suite: Any) -> None:
        cli.fill(suite)
        for job in suite.jobs()[:1]:
            (cli.results / "jobs" / job.id / "job.parquet").unlink()

    monkeypatch.setattr(Trainer, "train", half)
    answer = cli(*TUNE)
    assert answer.returncode == 1
    assert "no suite written: 1 job left" in answer.stdout
    assert not (cli.folder / "tuned.toml").exists()


def test_the_next_command_names_the_scale_where_it_has_to(trained: Any) -> None:
    text = (trained.folder / "tiny.toml").read_text()
    other = "[scale.other]\nseeds = 4\nsteps_per_phase = 2048\n\n[[sequence]]"
    (trained.folder / "tiny.toml").write_text(text.replace("[[sequence]]", other, 1))
    assert "next: gtr-bench run tuned.toml\n" in trained(*TUNE).stderr
    assert "next: gtr-bench run tuned.toml --scale other\n" in trained(*TUNE, "--scale", "other").stderr
