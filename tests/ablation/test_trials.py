"""A study's jobs are the suite's own."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest

from gtr_bench.ablation.model import Axis
from gtr_bench.ablation.path import path_suite
from gtr_bench.ablation.run import Request
from gtr_bench.ablation.trials import fewest_seeds, load_template, study_tables
from gtr_bench.errors import RequestError, SuiteError, UnknownNameError
from gtr_bench.suite.load import load_suite


def test_a_setting_of_the_suites_grid_is_the_suites_job() -> None:
    template = load_template("kernel_ablation", None)
    suite = template.suite_of(study_tables(template, "gtr", [{"sigma": 0.5, "beta": 1.0}], None, []), name="study")
    own = {job.id for job in load_suite("kernel_ablation").jobs() if job.algorithm == "gtr[sigma=0.5,beta=1.0]"}
    assert {job.id for job in suite.jobs()} == own


def test_the_study_is_a_suite_file_that_says_the_same(tmp_path: Path) -> None:
    template = load_template("kernel_ablation", None)
    tables = study_tables(template, "gtr", [{"sigma": 0.1}], "ppo", [{"clip_range": 0.3}])
    suite = template.suite_of(tables, name="study", seeds=[5, 6])
    file = tmp_path / "study.toml"
    file.write_text(suite.text)
    assert [job.id for job in load_suite(file).jobs()] == [job.id for job in suite.jobs()]
    assert suite.seeds == (5, 6)
    assert "comparisons" not in tomllib.loads(suite.text)["suite"]


def test_a_part_of_the_phases_keeps_a_shift() -> None:
    template = load_template("swap_control", "medium")
    suite = template.suite_of([template.table("ppo")], name="study", tune_fraction=0.3)
    assert {len(world.environments) for world in suite.worlds} == {3}
    least = template.suite_of([template.table("ppo")], name="study", tune_fraction=0.01)
    assert {len(world.environments) for world in least.worlds} == {2}


def test_settings_are_measured_by_the_best_references_of_all_settings() -> None:
    """Not by their own, or one that learns nothing would be the best; the suite's algorithm may not be in the study."""
    template = load_template("swap_control", None)
    assert template.suite.reference == "ppo"
    suite = template.suite_of(study_tables(template, "gtr", [{"sigma": 0.1}, {"sigma": 0.2}], None, []), name="study")
    assert suite.reference == "best"
    assert {cell.algorithm for cell in suite.cells if cell.role == "reference"} == set(suite.algorithms)


def test_three_seeds_at_least() -> None:
    assert fewest_seeds([7]) == [7, 8, 9]
    assert fewest_seeds(range(5)) == [0, 1, 2, 3, 4]


def test_a_suite_with_waves_of_seeds_lends_a_study_its_first_wave_and_not_its_rule(tmp_path: Path) -> None:
    file = tmp_path / "waves.toml"
    file.write_text(load_suite("quickstart").text + "\n[sequential]\nwave = 4\n")
    template = load_template(str(file), None)
    assert fewest_seeds(template.suite.first_seeds) == [0, 1, 2, 3]
    assert template.suite_of([template.table("ppo")], name="study", seeds=[0]).sequential is None


def test_an_algorithm_nobody_knows_brings_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="gtrr"):
        load_template("kernel_ablation", None).table("gtrr")


def test_a_setting_the_algorithm_refuses_is_refused_before_the_start() -> None:
    template = load_template("kernel_ablation", None)
    with pytest.raises(SuiteError):
        template.suite_of(study_tables(template, "gtr", [{"sigma": -1.0}], None, []), name="study")


def test_the_path_switches_one_component_on_at_a_time(tmp_path: Path) -> None:
    template = load_template("kernel_ablation", None)
    suite = path_suite(template, ["kernel", "anchor", "surrogate", "gate"], [0], tmp_path)
    steps = [cell.definition["algorithm"]["parameters"] for cell in suite.cells if cell.sequence == "cartpole_swap"]
    assert suite.algorithms == ("ppo", "penalty", "with_kernel", "with_anchor", "with_surrogate", "with_gate")
    assert suite.comparisons[0] == ("penalty", "ppo")
    for before, after in itertools.pairwise(steps[1:]):
        assert len([key for key in after if before[key] != after[key]]) == 1
    assert steps[1]["kernel"] == "none"
    assert load_suite(suite.path).algorithms == suite.algorithms


def test_components_that_do_not_exist_or_come_twice_are_refused(tmp_path: Path) -> None:
    template = load_template("kernel_ablation", None)
    with pytest.raises(UnknownNameError, match="kernle"):
        path_suite(template, ["kernle"], [0], tmp_path)
    with pytest.raises(RequestError, match="twice"):
        path_suite(template, ["kernel", "kernel"], [0], tmp_path)


def test_the_suite_may_say_which_side_of_its_metric_is_better(tmp_path: Path) -> None:
    file = tmp_path / "low.toml"
    lines = [line for line in load_suite("quickstart").text.splitlines() if "metric_direction" not in line]
    file.write_text("\n".join(lines).replace('"phase_auc"', '"drop"\nmetric_direction = "lower"', 1))
    assert load_template(str(file), None, "drop").direction == "lower"
    assert load_template(str(file), None, "phase_auc").direction == "higher"
    with pytest.raises(RequestError, match="neither side"):
        load_template("quickstart", None, "drop")


def test_a_suite_judged_by_a_metric_that_needs_an_oracle_lends_its_worlds_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "gap.toml"
    text = load_suite("quickstart").text
    (line,) = [line for line in text.splitlines() if line.startswith("primary_metric")]
    oracle = "" if 'id = "oracle"' in text else '\n[[algorithm]]\nid = "oracle"\n'
    file.write_text(text.replace(line, 'primary_metric = "oracle_gap"') + oracle)
    assert load_template(str(file), None).stated("ppo")["clip_range"] == 0.2


def test_a_study_varies_an_add_ons_field_of_the_suites_own_algorithm(tmp_path: Path) -> None:
    file = tmp_path / "kept.toml"
    entry = 'plasticity = ["l2_init", { use = "redo", threshold = 0.05, period = 3 }]'
    file.write_text(load_suite("quickstart").text + f'\n[[algorithm]]\nid = "kept"\nuse = "ppo"\n{entry}\n')
    template = load_template(str(file), None)
    stated = template.stated("kept")
    assert (stated["redo.threshold"], stated["l2_init.strength"], stated["clip_range"]) == (0.05, 1e-3, 0.2)
    request = Request(
        template, "kept", ("redo.threshold",), {}, trials=2, batch=2, sampler="qmc", seeds=(0,), tune_fraction=1.0,
        reference=False,
    )  # fmt: skip
    assert request.axes() == [Axis("redo.threshold", "float", 0.05, 0.0, 0.2)]
    settings = [{"redo.threshold": 0.0}, {"redo.threshold": 0.05}]
    suite = template.suite_of(study_tables(template, "kept", settings, None, []), name="study")
    assert suite.algorithms == ("kept[redo.threshold=0.0]", "kept[redo.threshold=0.05]")
    own = {job.id for job in load_suite(file).jobs() if job.algorithm == "kept"}
    assert own <= {job.id for job in suite.jobs()}
