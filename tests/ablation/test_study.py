"""The journal: who may open it, and what survives a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtr_bench.ablation.model import Axis
from gtr_bench.ablation.study import OpenStudy
from gtr_bench.errors import RequestError

AXES = [Axis("sigma", "float", 0.5, 0.05, 2.0, log=True), Axis("form", "choice", "a", choices=("a", "b"))]
SETTINGS = [{"sigma": 0.5, "form": "a"}, {"sigma": 0.1, "form": "b"}]


def opened(folder: Path, request: dict[str, object] | None = None) -> OpenStudy:
    return OpenStudy(folder, "name", AXES, request or {"suite": "x"})


def states(study: OpenStudy) -> list[str]:
    return [trial.state.name for trial in study._study.trials]


def test_a_rerun_asks_for_no_setting_twice_and_tells_what_was_left(tmp_path: Path) -> None:
    first = opened(tmp_path)
    assert first.pre_sampled(SETTINGS) == [0, 1]
    first.tell(0, 0.7)
    first.close()
    again = opened(tmp_path)
    assert again.pre_sampled(SETTINGS) == [0, 1]
    assert states(again) == ["COMPLETE", "RUNNING"]
    again.tell(0, 0.1)
    again.tell(1, None)
    assert states(again) == ["COMPLETE", "FAIL"]
    assert again._study.best_value == 0.7
    again.close()


def test_an_adaptive_study_repeats_what_it_had_asked(tmp_path: Path) -> None:
    first = opened(tmp_path)
    asked = first.adaptive(3, SETTINGS[:1])
    assert asked[0][1] == SETTINGS[0]
    first.tell(0, 0.5)
    first.close()
    again = opened(tmp_path)
    assert again.adaptive(3, SETTINGS[:1]) == asked
    assert len(again.adaptive(5, [])) == 5
    again.close()


def test_two_processes_cannot_have_it_open(tmp_path: Path) -> None:
    study = opened(tmp_path)
    with pytest.raises(RequestError, match="another process"):
        opened(tmp_path)
    study.close()
    opened(tmp_path).close()


def test_another_request_under_the_same_name_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(RequestError, match="another request"):
        opened(tmp_path, {"suite": "y"})
    opened(tmp_path).close()


def test_a_kill_in_the_middle_of_writing_loses_the_torn_line_alone(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.pre_sampled(SETTINGS)
    study.close()
    journal = tmp_path / "journal.log"
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 6, "trial')
    (tmp_path / "journal.log.lock").symlink_to(journal)
    again = opened(tmp_path)
    assert again.pre_sampled(SETTINGS) == [0, 1]
    again.tell(1, 1.0)
    again.close()
    assert states(opened(tmp_path)) == ["RUNNING", "COMPLETE"]
