"""What Tab offers, asked as shells ask: `_GTR_BENCH_COMPLETE=complete_bash`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "gtr_bench.cli"]


def offered(cli: Any, line: str, words: int | None = None) -> list[str]:
    """What bash gets for the last word of `line`, which is empty where the line ends in a space."""
    position = len(line.split(" ")) - 1 if words is None else words
    answer = subprocess.run(
        COMMAND,
        cwd=cli.folder,
        env={
            **os.environ,
            "_GTR_BENCH_COMPLETE": "complete_bash",
            "COMP_WORDS": f"gtr-bench {line}",
            "COMP_CWORD": str(position + 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stderr == ""
    return [name for name in answer.stdout.split("\n") if name]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("pl", ["plan", "play"]),
        ("run qu", ["quickstart"]),
        ("plan ti", ["tiny.toml"]),
        ("status swap", ["swap_control"]),
        ("run tiny.toml --scale ", ["laptop"]),
        ("run --scale laptop tiny.toml -k s", ["spo", "seed="]),
        ("plan tiny.toml -k ", ["ppo", "spo", "cartpole", "seed=", "not"]),
        ("run tiny.toml --device c", ["cpu", "cuda"]),
        ("report --metric phase_f", ["phase_final"]),
        ("compare a b --metric phase_f", ["phase_final"]),
        ("report --suite quick", ["quickstart"]),
        ("ablate --suite ker", ["kernel_ablation"]),
        ("ablate --suite tiny.toml --scale ", ["laptop"]),
        ("ablate --algorithm oracl", ["oracle"]),
        ("ablate --suite tiny.toml --algorithm sp", ["spo"]),
        ("ablate --param sig", ["sigma"]),
        ("ablate --algorithm ppo --param clip_r", ["clip_range"]),
        ("ablate --range sig", ["sigma="]),
        ("ablate --metric lifetime", ["lifetime_return"]),
        ("ablate --path --components kernel,a", ["kernel,anchor"]),
        ("tune tiny.toml --param ppo.clip_r", ["ppo.clip_range"]),
        ("tune tiny.toml --range spo.learning_rate", ["spo.learning_rate=", "spo.learning_rate_schedule="]),
        ("list sh", ["shifts"]),
        ("list algorithms pp", ["ppo", "ppo_kl"]),
        ("list suites ti", ["tiny.toml"]),
        ("list nothing ", []),
        ("logs ", []),
        ("run no_such.toml --scale ", []),
        ("report no_such --baseline ", []),
    ],
)
def test_names_are_offered(cli: Any, line: str, wanted: list[str]) -> None:
    assert offered(cli, line) == wanted


def test_a_quoted_selection_goes_on_word_by_word(cli: Any) -> None:
    assert offered(cli, "run tiny.toml -k 'ppo and c", 3) == ["ppo and cartpole"]
    assert offered(cli, "run tiny.toml -k 'ppo ", 3) == ["ppo and", "ppo or"]


@pytest.mark.slow
def test_what_a_results_folder_holds_is_offered(cli: Any) -> None:
    assert cli("run", "tiny.toml").returncode == 0
    job = min(cli.starts())
    assert offered(cli, f"logs {job[:6]}") == [job]
    assert offered(cli, "report --suite ti") == ["tiny", "tiny.toml"]
    assert sorted(offered(cli, "report --baseline ")) == ["ppo", "spo"]
    assert offered(cli, "report --environments cartpole,c") == ["cartpole,cartpole"]
    assert sorted(offered(cli, "report results --suite tiny.toml --explain ")) == [
        f"tiny/laptop/lifetime_return/cartpole/{name}" for name in ("ppo", "spo")
    ]
    assert offered(cli, "report --suite quickstart --explain ") == []
    for path in cli.results.glob("cohorts/*/cohort.json"):
        path.write_text("{")
    assert offered(cli, "report --baseline ") == []


def test_a_broken_suite_disturbs_nobody(cli: Any) -> None:
    (cli.folder / "tiny.toml").write_text("[[")
    assert offered(cli, "run tiny.toml --scale ") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script_the_program_prints(cli: Any) -> None:
    program = cli.folder / "bin" / "gtr-bench"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gtr_bench.cli "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    asked = """
eval "$(_GTR_BENCH_COMPLETE=source_bash gtr-bench)"
COMP_WORDS=(gtr-bench run qu)
COMP_CWORD=2
$(complete -p gtr-bench | sed 's/.* -F \\([^ ]*\\) .*/\\1/') gtr-bench
echo "${COMPREPLY[@]}"
"""
    answer = subprocess.run(
        ["bash", "--norc", "-c", asked], cwd=cli.folder, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "quickstart\n"


def test_help_offers_to_install_it(cli: Any) -> None:
    assert "--install-completion" in cli("--help").stdout
