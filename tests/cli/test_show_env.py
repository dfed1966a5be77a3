"""`gtr-bench show-env` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_phases_of_a_named_sequence_say_what_their_shift_does(cli: Any) -> None:
    answer = cli("show-env", "cartpole_offset", "--json")
    phases = json.loads(answer.stdout)["phases"]
    assert answer.returncode == 0
    assert len(phases) == 10
    assert phases[0]["changes"] == []
    assert phases[1]["changes"][0].startswith("observation_offset ")
    assert phases[1]["changes"] != phases[2]["changes"]


def test_another_seed_has_other_shifts(cli: Any) -> None:
    first, again, other = (
        json.loads(cli("show-env", "cartpole_offset", "--seed", seed, "--json").stdout)["phases"] for seed in "001"
    )
    assert first == again
    assert first[1]["changes"] != other[1]["changes"]


def test_a_phase_is_drawn(cli: Any, tmp_path: Path) -> None:
    answer = cli("show-env", "gym:CartPole-v1", "--gif", str(tmp_path / "a.gif"), "--steps", "3")
    assert answer.returncode == 0
    assert "phase 0, 3 random steps, seed 0" in answer.stderr
    assert (tmp_path / "a.gif").read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("cartpole_offset", "--phase", "10", "--gif", "a.gif"), "phases are counted from 0 to 9"),
        (("swap_control",), "`swap_control` has 2 sequences at scale `medium`"),
        (("swap_control", "--sequence", "cartpole_swop"), "did you mean `cartpole_swap`?"),
        (("gym:CartPole-v1", "--gif", "missing/a.gif", "--steps", "1"), "`missing/a.gif` cannot be written"),
        (("nothing",), "nothing"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_hint(cli: Any, arguments: tuple[str, ...], told: str) -> None:
    scale = ("--scale", "medium") if arguments == ("swap_control",) else ()
    answer = cli("show-env", *arguments, *scale)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
