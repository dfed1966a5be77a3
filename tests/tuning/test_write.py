"""The tuned suite says what the old one said, with the values in it, and its record moves no job."""

from __future__ import annotations

import tomllib

import pytest

from gtr_bench.ablation.trials import load_template
from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.source import parse_source
from gtr_bench.tuning.model import Tuning
from gtr_bench.tuning.write import tuned_text
from tests.tuning.conftest import Tuner


def written(tune: Tuner, tuning: Tuning | None = None) -> str:
    source = parse_source(tune.path.read_text(), "tiny.toml")
    return tuned_text(source, tune(budget=8) if tuning is None else tuning, "gtr-bench tune tiny.toml", "tuned.toml")


def test_comments_stay_but_for_those_beside_a_changed_value(tune: Tuner) -> None:
    text = written(tune)
    assert text.startswith("# Mine.\n")
    assert "# as stated" not in text
    assert 'name = "tiny_tuned"' in text


def test_the_values_are_those_of_the_best_trials_and_are_recorded(tune: Tuner) -> None:
    tuning = tune(budget=8)
    tree = tomllib.loads(written(tune, tuning))
    for table, each in zip(tree["algorithm"], tuning.algorithms, strict=True):
        assert each.best is not None
        assert {name: table[name] for name in each.best.setting} == dict(each.best.setting)
        record = tree["tuned"]["algorithm"][each.algorithm]
        assert record["values"] == dict(each.best.setting)
        assert (record["trials"], record["score"]) == (8, each.best.score)
        assert record["suite_score"] == each.trials[0].score
    assert (tree["tuned"]["seeds"], tree["tuned"]["tune_fraction"]) == ([9000, 9001], 0.5)
    assert tree["tuned"]["phases"] == {"cartpole": 2}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sigma = 0.5 # as stated", "  sigma=0.5"),
        ('[[algorithm]]\nid = "gtr"\nsigma = 0.5 # as stated\n', 'algorithm = [{ id = "gtr", sigma = 0.5 }]\n'),
        ("sigma = 0.5 # as stated", 'sigma = 0.5\nplasticity = ["redo"]'),
    ],
)
def test_however_the_suite_is_written_the_values_arrive(tune: Tuner, old: str, new: str) -> None:
    text = tune.path.read_text()
    if new.startswith("algorithm"):
        text = new + text.replace('[[algorithm]]\nid = "ppo"\n', "")
    tune.path.write_text(text.replace(old, "" if new.startswith("algorithm") else new))
    params = ("gtr.learning_rate", "gtr.redo.threshold") if "redo" in new else ()
    tuning = tune(budget=8, params=params)
    suite = parse_suite(written(tune, tuning), path="tuned.toml")
    by_name = {each.algorithm: each.best for each in tuning.algorithms}
    for cell in suite.cells:
        best = by_name[cell.algorithm]
        assert best is not None
        own = cell.definition["algorithm"]["parameters"]
        if "redo" in new and cell.algorithm == "gtr":
            assert cell.definition["plasticity"][0]["parameters"]["threshold"] == best.setting["redo.threshold"]
        assert own["learning_rate"] == best.setting["learning_rate"]


def test_the_record_moves_no_identity(tune: Tuner) -> None:
    text = written(tune)
    bare = text[: text.index("[tuned]")]
    ids = [[job.id for job in parse_suite(each, path="x.toml").jobs()] for each in (text, bare)]
    assert ids[0] == ids[1]
    assert parse_suite(text, path="x.toml").tuned is not None
    assert parse_suite(bare, path="x.toml").tuned is None


def test_a_rerun_writes_the_same_bytes(tune: Tuner) -> None:
    assert written(tune) == written(tune)


def test_a_tuned_suite_may_be_tuned_again_under_its_name(tune: Tuner) -> None:
    tune.path.write_text(written(tune))
    tree = tomllib.loads(written(tune))
    assert tree["suite"]["name"] == tree["tuned"]["suite"] == "tiny_tuned"


def test_a_study_of_a_tuned_suite_is_not_itself_tuned(tune: Tuner) -> None:
    tune.path.write_text(written(tune))
    template = load_template(str(tune.path), None)
    assert template.suite_of([{"id": "ppo"}], name="study").tuned is None


def test_a_record_that_cannot_be_read_is_refused_at_its_place(tune: Tuner) -> None:
    from gtr_bench.errors import SuiteError

    text = written(tune).replace("trials = 8", "trials = 0", 1).replace("budget = 8", "budgett = 8")
    with pytest.raises(SuiteError) as found:
        parse_suite(text, path="x.toml")
    sentences = " ".join(problem.sentence for problem in found.value.problems)
    assert "`trials` should be greater than or equal to 1" in sentences
    assert "unknown key `budgett`" in sentences
    assert all(problem.line for problem in found.value.problems)
