"""`gtr-bench run --until-decided` as a user runs it: real training, real decisions."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Program
from tests.helpers import wait_for

CARTPOLE = 'env = "gym:CartPole-v1"\nshift = { kind = "action_permutation", cycle = 2 }'
SLOW = '\n[[algorithm]]\nid = "slow"\nuse = "ppo"\nlearning_rate = 1e-6\n'
TWIN = '\n[[algorithm]]\nid = "twin"\nuse = "ppo"\nclip_range = 0.21\n'
RUN = ("run", "tiny.toml", "--until-decided", "--wave", "4", "--max-seeds", "12", "-j", "1")

pytestmark = pytest.mark.slow


def write_suite(program: Program, comparisons: str = '[["ppo", "slow"], ["ppo", "twin"]]', more: str = "") -> None:
    """Training that helps clearly, and a twin whose difference twelve seeds will not show."""
    program.write_suite({"swap": CARTPOLE}, ["ppo"], seeds=3, steps=4096, evaluate_every=1024)
    path = program.folder / "tiny.toml"
    head = 'primary_metric = "lifetime_return"\n'
    text = path.read_text().replace(head, f"{head}comparisons = {comparisons}\n" if comparisons else head)
    path.write_text(text.replace("epochs = 2", "epochs = 4\nlearning_rate = 5e-3") + SLOW + TWIN + more)


def jobs_done(folder: Path) -> int:
    return len(list(folder.glob("jobs/*/job.parquet")))


def claims(program: Program, *arguments: str) -> dict[str, Any]:
    """The claims of `report --json` by id."""
    answer = program("report", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    (suite,) = json.loads(answer.stdout)["suites"]
    return {each["id"]: each for each in suite["claims"]}


def test_seeds_go_where_nothing_is_decided_and_an_interrupted_run_ends_with_the_same_decisions(
    program: Program,
) -> None:
    write_suite(program)
    ended = program(*RUN)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stderr.splitlines()
    assert lines[0] == "tiny (laptop): 12 jobs"
    assert "seeds come in waves of 4, at most 12, until everything is decided" in lines
    assert any(line.startswith("wave 3: 4 further seeds of ppo, twin; training 8 jobs") for line in lines), lines
    assert any(line.startswith("  ppo vs slow  supported (wave 2): difference ") for line in lines)
    assert jobs_done(program.folder / "results") == 32
    # The text stored with the jobs carries the rule, so a report decides by it without being told.
    found = claims(program)
    assert (found["ppo vs slow"]["verdict"], found["ppo vs slow"]["look"], found["ppo vs slow"]["n"]) == (
        "supported",
        2,
        8,
    )
    assert found["ppo vs slow"]["test"] == "sequential paired sign-flip, look 2 of 3"
    assert "level spent" in found["ppo vs twin"]["reason"]
    assert lines[-1] == "next: gtr-bench report results --suite tiny"
    assert claims(program, "results", "--suite", "tiny") == found
    assert {each["changed"] for each in found.values()} == {""}
    table = program("report").stdout
    assert "jobs: 32 complete\n" in table
    assert "seeds given: ppo 12, slow 8, twin 12" in table

    running = program.start(*RUN, "--results", "other")
    wait_for(lambda: jobs_done(program.folder / "other") >= 12, seconds=120)
    wait_for(lambda: len(list(program.folder.glob("other/cohorts/*/heartbeat.json"))) > 1)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 130, stderr
    assert "to continue: gtr-bench run tiny.toml --until-decided" in stderr
    assert {each["verdict"] for each in claims(program, "other").values()} == {"undecided"}
    again = program(*RUN, "--results", "other")
    assert again.returncode == 0, again.stderr
    assert claims(program, "other") == found

    streamed = program(*RUN, "--json")
    events = [json.loads(line) for line in streamed.stdout.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("launch", "done")
    assert events[-1]["trained"] == 0
    waves = [event for event in events if event["event"] == "wave"]
    assert [event["number"] for event in waves] == [1, 2, 3]
    last = {each["id"]: each["p"] for each in waves[-1]["statements"]}
    assert last == {name: claim["p"] for name, claim in found.items()}


def test_jobs_of_an_ordinary_run_are_not_trained_again(program: Program) -> None:
    write_suite(program, '[["ppo", "slow"]]', "\n[sequential]\nwave = 8\nmax_seeds = 8\n")
    text = (program.folder / "tiny.toml").read_text()
    (program.folder / "plain.toml").write_text(text.split("\n[sequential]")[0])
    assert program("run", "plain.toml", "-j", "1").returncode == 0
    before = jobs_done(program.folder / "results")
    assert before == 9
    ended = program("run", "tiny.toml", "--until-decided", "-j", "1")
    assert ended.returncode == 0, ended.stderr
    assert f"done: 24 jobs; trained {24 - before} in" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "next: gtr-bench report results --suite tiny.toml"
    (found,) = claims(program).values()
    assert found["look"] == 1
    # Seeds were fixed when the first of them had ended: waves that were thought of later are told.
    assert found["changed"].startswith("changed after results: sequential none -> wave 8, max_seeds 8 in request 2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--wave", "3"), "`--wave` goes with `--until-decided`"),
        (("--max-seeds", "30"), "`--max-seeds` goes with `--until-decided`"),
        (("--until-decided", "-k", "ppo"), "`-k` and `--until-decided` exclude each other"),
        (("--until-decided", "--wave", "9", "--max-seeds", "5"), "`--max-seeds 5` is less than one wave of 9"),
        (("--until-decided", "--max-seeds", "5"), "5 seeds can never decide anything here"),
        (("--until-decided", "--wave", "0"), "invalid value for `--wave`"),
    ],
)
def test_bad_requests_end_with_a_sentence_and_start_nothing(
    program: Program, arguments: tuple[str, ...], words: str
) -> None:
    write_suite(program)
    ended = program("run", "tiny.toml", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert not (program.folder / "results").exists()


def test_a_suite_with_nothing_to_decide_is_refused(program: Program) -> None:
    write_suite(program, comparisons="")
    ended = program("run", "tiny.toml", "--until-decided")
    assert ended.returncode == 2
    assert "`--until-decided` has nothing to decide: `tiny` has neither a `[[claim]]` nor `comparisons`" in ended.stderr
    assert "hint: " in ended.stderr
    assert not (program.folder / "results").exists()
