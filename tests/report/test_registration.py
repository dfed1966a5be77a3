"""What was stated before the results is told from what was not, in every format, and by more than the newest text."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.formats import render
from gtr_bench.report.registration import UNKNOWN_TIME, terms_of
from gtr_bench.report.statements import statements_of
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from gtr_bench.suite.model import ClaimTable, SuiteTable
from tests.report.conftest import SUITE

BEFORE, AFTER, LATER = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"
"""The made-up jobs finish ten minutes after midnight."""

CLAIM = """
[[claim]]
id = "higher"
better = "gtr"
than = "ppo"
metric = "lifetime_return"
direction = "higher"
margin = 0.01
"""
CLAIMED = SUITE.replace("[training]", f"{CLAIM}\n[training]")

Report = Callable[..., tuple[dict[str, ClaimResult], tuple[str, ...]]]


@pytest.fixture
def results(jobs: list[Job], fill: Callable[..., Path]) -> Path:
    return fill(jobs, text=CLAIMED)


@pytest.fixture
def ask(results: Path, tmp_path: Path) -> Report:
    """The claims by id and the notes of a report after requests (time, text), or one with a suite file's text."""

    def asked(*requests: tuple[str, str], edited: str | None = None) -> tuple[dict[str, ClaimResult], tuple[str, ...]]:
        for number, (time, text) in enumerate(requests, start=1):
            write(results, number, time, text)
        if edited is not None:
            (tmp_path / "edited.toml").write_text(edited)
        suite = None if edited is None else str(tmp_path / "edited.toml")
        (found,) = build_report([results], suite=suite, warn=never).suites
        return {each.id: each for each in found.claims}, found.notes

    return asked


def never(sentence: str) -> None:
    raise AssertionError(sentence)


def write(results: Path, number: int, time: str, text: str, name: str = "swap-laptop") -> Path:
    path = results / "requests" / name / f"{number:04d}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# gtr-bench request {json.dumps({'time': time, 'suite_path': 'swap.toml'})}\n{text}")
    return path


def test_what_was_stated_before_the_first_result_is_as_registered(ask: Report) -> None:
    claims, notes = ask((BEFORE, CLAIMED))
    assert {name: claim.changed for name, claim in claims.items()} == {"higher": "", "gtr vs ppo": ""}
    assert notes == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("margin = 0.01", "margin = 0.02", "margin 0.01 -> 0.02"),
        ("margin = 0.01", 'margin = 0.01\nkind = "non_inferiority"', "kind superiority -> non_inferiority"),
        ("margin = 0.01", "margin = 0.01\nalpha = 0.2", "alpha 0.05 -> 0.2"),
        (
            "margin = 0.01",
            'sequences = ["cartpole_swap"]\nmargin = 0.01',
            "environments cartpole_swap, acrobot_swap ->",
        ),
        ('better = "gtr"\nthan = "ppo"', 'better = "ppo"\nthan = "gtr"', "better gtr -> ppo, than ppo -> gtr"),
        ("seeds = 5", "seeds = 4", "seeds 0-4 -> 0-3"),
        ("seeds = 5", "seeds = 6", "seeds 0-4 -> 0-5"),
        ("max = 500.0", "max = 200.0", "normalise cartpole_swap"),
        ("[training]", "[sequential]\nwave = 4\nmax_seeds = 8\n[training]", "sequential none -> wave 4, max_seeds 8"),
        ('id = "higher"', 'id = "new"\nalpha = 0.2', "first stated"),
    ],
)
def test_what_changed_after_the_first_result_is_marked_with_what_and_when(
    ask: Report, old: str, new: str, what: str
) -> None:
    claims, _ = ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace(old, new, 1)))
    (marked,) = (claim for claim in claims.values() if claim.declared == "claim")
    assert marked.changed.startswith(f"changed after results: {what}")
    assert marked.changed.endswith(
        "in request 2 of 2026-01-01 01:00:00 UTC; the first of its jobs had finished at 2026-01-01 00:10:00 UTC"
    )


def test_a_comparison_moves_with_the_suite_s_metric_and_alpha(ask: Report) -> None:
    text = CLAIMED.replace('"recovery_steps"', '"lifetime_return"\nalpha = 0.1')
    claims, _ = ask((BEFORE, CLAIMED), (AFTER, text))
    assert "metric recovery_steps -> lifetime_return" in claims["gtr vs ppo"].changed
    assert "alpha 0.05 -> 0.1" in claims["gtr vs ppo"].changed
    assert "direction lower -> higher" in claims["gtr vs ppo"].changed


def test_another_primary_metric_after_the_results_is_noted_where_only_claims_are_stated(ask: Report) -> None:
    start = CLAIMED.index("comparisons")
    old = CLAIMED[:start] + CLAIMED[CLAIMED.index("\n", start) + 1 :]
    new = old.replace('primary_metric = "recovery_steps"', 'primary_metric = "lifetime_return"')
    assert old != new
    claims, notes = ask((BEFORE, old), (AFTER, new))
    assert claims["higher"].changed == ""
    assert notes == ("primary metric changed after results: recovery_steps -> lifetime_return",)


def test_another_primary_metric_before_the_results_is_no_note(ask: Report) -> None:
    other = CLAIMED.replace('primary_metric = "recovery_steps"', 'primary_metric = "lifetime_return"')
    assert ask((BEFORE, other), ("2026-01-01T00:05:00Z", CLAIMED))[1] == ()


def test_what_changed_before_the_first_result_is_registered_and_so_are_labels_at_any_time(ask: Report) -> None:
    relabelled = CLAIMED.replace("Does GTR cross", "# a comment\n").replace('id = "higher"', 'id = "renamed"')
    relabelled = relabelled.replace('question = "# a comment\n', 'question = "')
    claims, notes = ask(
        (BEFORE, CLAIMED.replace("0.01", "0.5")), ("2026-01-01T00:05:00Z", CLAIMED), (AFTER, relabelled)
    )
    assert {name: claim.changed for name, claim in claims.items()} == {"renamed": "", "gtr vs ppo": ""}
    assert notes == ()


def test_a_change_taken_back_is_as_registered_and_one_made_twice_counts_from_the_first_time(ask: Report) -> None:
    other = CLAIMED.replace("0.01", "0.5")
    assert ask((BEFORE, CLAIMED), (AFTER, other), (LATER, CLAIMED))[0]["higher"].changed == ""
    again, _ = ask((BEFORE, CLAIMED), (AFTER, other), (LATER, other + "# again\n"))
    assert "in request 2 of 2026-01-01 01:00:00 UTC" in again["higher"].changed


def test_a_statement_first_made_after_its_jobs_of_another_suite_had_finished_is_marked(
    results: Path, ask: Report
) -> None:
    write(results, 1, AFTER, CLAIMED.replace('name = "swap"', 'name = "other"'), "other-laptop")
    found = {each.suite: each for each in build_report([results], warn=never).suites}
    for claim in found["other"].claims:
        assert claim.changed.startswith("changed after results: first stated in request 1 of 2026-01-01 01:00:00 UTC")
    assert found["swap"].notes == (UNKNOWN_TIME,)


def test_fresh_seeds_confirm_what_old_ones_suggested(ask: Report) -> None:
    text = CLAIMED.replace("0.01", "0.5").replace("seeds = 5", "seeds = [100, 101, 102, 103]")
    claims, _ = ask((BEFORE, CLAIMED), (AFTER, text))
    assert [claim.changed for claim in claims.values()] == ["", ""]


def test_a_statement_dropped_after_its_results_is_noted(ask: Report) -> None:
    claims, notes = ask((BEFORE, CLAIMED), (AFTER, SUITE))
    assert claims["gtr vs ppo"].changed == ""
    sentence = (
        "dropped after results: higher (gtr has a higher lifetime_return than ppo by more than 0.01 on average over "
    )
    assert [note for note in notes if "dropped" in note] == [
        f"{sentence}cartpole_swap, acrobot_swap), last stated in request 1"
    ]


def test_more_seeds_after_a_stop_are_marked(ask: Report) -> None:
    rule = "\n[sequential]\nwave = 4\nmax_seeds = {}\n"
    claims, _ = ask((BEFORE, CLAIMED + rule.format(8)), (AFTER, CLAIMED + rule.format(16)))
    for claim in claims.values():
        assert "sequential wave 4, max_seeds 8 -> wave 4, max_seeds 16 in request 2" in claim.changed


def test_the_newest_text_decides_though_no_job_was_trained_with_it(ask: Report) -> None:
    claims, _ = ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.5")))
    assert claims["higher"].margin == 0.5


def test_a_text_that_was_never_run_is_not_registered(ask: Report) -> None:
    edited = CLAIMED.replace("margin = 0.01", "margin = 0.02")
    claims, _ = ask((BEFORE, CLAIMED), edited=edited)
    assert claims["higher"].changed == "not registered: differs from what was run: margin 0.01 -> 0.02"
    assert claims["gtr vs ppo"].changed == ""
    dropped, notes = ask((BEFORE, CLAIMED), edited=SUITE)
    assert dropped["gtr vs ppo"].changed == ""
    assert any(note.startswith("dropped after results: higher") for note in notes)
    renamed, _ = ask((BEFORE, CLAIMED), edited=CLAIMED.replace('name = "swap"', 'name = "other"'))
    assert {claim.changed for claim in renamed.values()} == {"not registered: this suite was never run here"}


def test_a_request_s_own_file_may_be_asked_for(results: Path, ask: Report) -> None:
    ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.5")))
    for number, changed in ((1, ""), (2, "changed after results: margin 0.01 -> 0.5 in request 2")):
        path = results / "requests" / "swap-laptop" / f"{number:04d}.toml"
        (found,) = build_report([results], suite=str(path), warn=never).suites
        assert found.claims[0].changed.startswith(changed)
        assert bool(found.claims[0].changed) == bool(changed)


def test_results_from_before_the_ledger_say_that_their_time_is_unknown(ask: Report) -> None:
    claims, notes = ask()
    assert {claim.changed for claim in claims.values()} == {""}
    assert notes == (UNKNOWN_TIME,)
    edited, _ = ask(edited=CLAIMED.replace("margin = 0.01", "margin = 0.02"))
    assert edited["higher"].changed == "not registered: differs from what was run: margin 0.01 -> 0.02"


def test_a_ledger_begun_over_old_results_counts_their_text_as_the_first_request(ask: Report) -> None:
    claims, notes = ask((AFTER, CLAIMED))
    assert {claim.changed for claim in claims.values()} == {""}
    assert notes == (UNKNOWN_TIME,)
    claims, notes = ask((AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.02")))
    assert claims["higher"].changed.startswith("changed after results: margin 0.01 -> 0.02 in request 1")
    assert notes == (UNKNOWN_TIME,)


def test_a_text_kept_without_a_ledger_counts_as_run_but_does_not_decide(results: Path, ask: Report) -> None:
    other = CLAIMED.replace("margin = 0.01", "margin = 0.02")
    for folder in ("suites", "sequential"):
        (results / folder).mkdir()
        (results / folder / "swap-laptop.toml").write_text(other)
    assert ask()[0]["higher"].margin == 0.01
    assert ask(edited=other)[0]["higher"].changed == ""


def test_a_copied_folder_keeps_its_times(results: Path, ask: Report, tmp_path: Path) -> None:
    ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.02")))
    copied = tmp_path / "copied"
    shutil.copytree(results, copied)
    alone, twice = (build_report(folders, warn=never).suites[0] for folders in ([copied], [results, copied]))
    assert alone.claims[0].changed == twice.claims[0].changed != ""


def test_an_earlier_time_in_a_later_file_hides_nothing(ask: Report) -> None:
    claims, notes = ask((LATER, CLAIMED), (BEFORE, CLAIMED.replace("margin = 0.01", "margin = 0.02")))
    assert claims["higher"].changed.startswith("changed after results: margin 0.01 -> 0.02 in request 2")
    assert any("a clock was wrong" in note for note in notes)


def test_broken_requests_are_named_and_the_others_count(results: Path, ask: Report) -> None:
    ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.02")))
    write(results, 3, LATER, "[[")
    write(results, 4, LATER, CLAIMED.replace('name = "swap"', 'name = "stranger"'))
    told: list[str] = []
    (found,) = build_report([results], warn=told.append).suites
    assert found.claims[0].changed.startswith("changed after results: margin 0.01 -> 0.02 in request 2")
    assert {sentence.partition("`: ")[0][-9:] for sentence in told} == {"0003.toml", "0004.toml"}


def test_where_no_request_can_be_read_the_text_stored_with_the_jobs_stands_in(results: Path) -> None:
    write(results, 1, BEFORE, "[[")
    told: list[str] = []
    (found,) = build_report([results], warn=told.append).suites
    assert [claim.changed for claim in found.claims] == ["", ""]
    assert found.notes == (UNKNOWN_TIME,)
    assert told
    assert set(told) == {f"left out `{results}/requests/swap-laptop/0001.toml`: {told[0].partition('`: ')[2]}"}


@pytest.mark.parametrize("finished", [None, "yesterday", "2026-01-01"])
def test_a_job_without_a_time_is_no_crash(
    results: Path, ask: Report, monkeypatch: pytest.MonkeyPatch, finished: Any
) -> None:
    for path in results.glob("jobs/*/job.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("finished")
        column = pa.array([finished], pa.string())
        pq.write_table(table.set_column(place, table.schema.field("finished"), column), path)
    assert ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("0.01", "0.02")))[0]["higher"].changed == ""


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex", "json"])
def test_every_format_says_it_beside_the_verdict_and_why(results: Path, ask: Report, form: str) -> None:
    ask((BEFORE, CLAIMED), (AFTER, CLAIMED.replace("margin = 0.01", "margin = 0.02")))
    shown = " ".join(render(build_report([results], warn=never), form).replace("\\", "").split())
    if form == "json":
        (suite,) = json.loads(render(build_report([results], warn=never), form))["suites"]
        assert [claim["changed"][:21] for claim in suite["claims"]] == ["changed after results", ""]
    else:
        assert "(changed after results)" in shown
        assert "changed after results: margin 0.01 -" in shown.replace("textgreater{}", ">")


def test_every_key_that_decides_is_among_the_terms() -> None:
    suite = parse_suite(CLAIMED, path="swap.toml")
    terms = terms_of(suite, statements_of(suite)[0])
    labels = {"id", "name", "question"}
    resolved = {"primary_metric", "metric_direction", "comparisons", "sequences"}
    assert set(ClaimTable.model_fields) | set(SuiteTable.model_fields) <= set(terms) | labels | resolved
    assert dataclasses.asdict(suite)["seeds"] == terms["seeds"]
