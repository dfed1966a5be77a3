"""What `gtr-bench ablate` refuses before anything is trained, and what it writes."""

from __future__ import annotations

from typing import Any

import pytest

from gtr_bench.cli.trainer import Trainer
from gtr_bench.errors import RequestError

STUDY = ("ablate", "--suite", "tiny.toml", "--algorithm", "ppo", "--param", "learning_rate", "--no-reference")
PATH = ("ablate", "--path", "--suite", "tiny.toml")


@pytest.fixture
def untrained(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, where training fails the test."""
    monkeypatch.setattr(Trainer, "train", lambda self, suite: pytest.fail("a refused request was trained"))
    return cli


def refused(cli: Any, *arguments: str) -> str:
    """What stderr says about a request that is refused and leaves nothing behind."""
    before = sorted(cli.folder.rglob("*"))
    answer = cli(*arguments)
    assert (answer.returncode, answer.stdout) == (2, ""), answer.stderr
    assert sorted(cli.folder.rglob("*")) == before
    assert "hint: " in answer.stderr
    return str(answer.stderr)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--algorithm", "gtr"),
        ("--range", "sigma=0.1:1"),
        ("--trials", "16"),
        ("--sampler", "qmc"),
        ("--sampler", "tpe"),
        ("--batch", "8"),
        ("--tune-fraction", "1"),
        ("--study", "mine"),
    ],
)
def test_the_path_refuses_options_of_a_study_even_with_their_defaults(untrained: Any, option: str, value: str) -> None:
    assert f"`{option}` does not go with `--path`" in refused(untrained, *PATH, option, value)


@pytest.mark.parametrize("option", ["--reference", "--no-reference"])
def test_the_path_refuses_the_choice_of_a_reference(untrained: Any, option: str) -> None:
    assert "no-reference` does not go with `--path`" in refused(untrained, *PATH, option)


def test_components_without_the_path_are_refused(untrained: Any) -> None:
    assert "`--components` goes with `--path`" in refused(untrained, *STUDY, "--components", "kernel")


@pytest.mark.parametrize("sampler", [(), ("--sampler", "qmc"), ("--sampler", "grid"), ("--sampler", "random")])
def test_a_batch_without_the_adaptive_sampler_is_refused(untrained: Any, sampler: tuple[str, ...]) -> None:
    assert "`--batch` goes with `--sampler tpe`" in refused(untrained, *STUDY, *sampler, "--batch", "4")


@pytest.mark.parametrize(
    ("command", "format"),
    [
        (STUDY, "html"),
        (PATH, "terminal"),
        (("report", "results"), "csv"),
        (("report", "results", "--explain", "x"), "terminal"),
        (("compare", "a", "b"), "markdown"),
    ],
)
def test_another_format_together_with_json_is_refused(untrained: Any, command: tuple[str, ...], format: str) -> None:
    assert f"`--format {format}` and `--json` exclude" in refused(untrained, *command, "--format", format, "--json")


def test_json_asked_for_twice_is_json(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "train", lambda self, suite: cli.fill(suite))
    once = cli(*STUDY, "--trials", "2", "--json")
    assert once.returncode == 0, once.stderr
    assert cli(*STUDY, "--trials", "2", "--json", "--format", "json").stdout == once.stdout


def test_a_parameter_or_a_range_named_twice_is_refused(untrained: Any) -> None:
    twice = (*STUDY, "--param", "clip_range", "--param", "learning_rate")
    assert "`--param` names `learning_rate` twice" in refused(untrained, *twice)
    ranges = ("--range", "learning_rate=1e-4:1e-3", "--range", "learning_rate=1e-4:1e-2")
    assert "`--range` names `learning_rate` twice" in refused(untrained, *STUDY, *ranges)


@pytest.mark.parametrize("command", [STUDY, PATH])
@pytest.mark.parametrize("option", ["--plot", "--out"])
def test_a_file_that_cannot_be_written_is_found_out_before_the_training(
    untrained: Any, command: tuple[str, ...], option: str
) -> None:
    said = refused(untrained, *command, option, "absent/x.png")
    assert "`absent/x.png` cannot be written: No such file or directory" in said


@pytest.mark.parametrize("command", [STUDY, PATH])
@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("drop", "`--metric drop` cannot judge settings: neither side of it is better"),
        ("transfer.cw", "on suite `tiny`: `transfer.cw` needs `references = true` in sequence `cartpole`"),
        ("oracle_gap", "on suite `tiny`: `oracle_gap` needs an algorithm that is re-initialised at shifts"),
    ],
)
def test_a_metric_that_cannot_judge_settings_is_refused_and_others_are_named(
    untrained: Any, command: tuple[str, ...], metric: str, words: str
) -> None:
    said = refused(untrained, *command, "--metric", metric)
    assert words in said
    assert "studies" not in said
    hint = said.partition("hint: ")[2]
    assert "`lifetime_return`" in hint
    assert f"`{metric}`" not in hint


def test_a_metric_that_does_not_exist_brings_a_suggestion(untrained: Any) -> None:
    assert "did you mean `lifetime_return`?" in refused(untrained, *STUDY, "--metric", "lifetime_retrn")


@pytest.mark.parametrize("existed", [False, True])
def test_a_study_refused_when_its_training_starts_leaves_no_folder_it_made(
    cli: Any, monkeypatch: pytest.MonkeyPatch, existed: bool
) -> None:
    def refuse(self: Any, suite: Any) -> None:
        raise RequestError("no card is there")

    folder = cli.results / "studies" / "mine"
    if existed:
        folder.mkdir(parents=True)
    monkeypatch.setattr(Trainer, "train", refuse)
    answer = cli(*STUDY, "--study", "mine", "--trials", "2")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "no card is there" in answer.stderr
    assert folder.exists() == existed
