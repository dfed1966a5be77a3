"""The reports of the findings under today's rules, from the Parquet kept here: `python docs/findings/again.py FOLDER`.

The jobs were trained with version 1 of the learning loop. They are laid out as the results folder they came from, and
the suites are expanded as that version did, so that today's report finds its jobs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq

from gtr_bench.cli.main import execute
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.report.build import build_report
from gtr_bench.report.html import render_html
from gtr_bench.report.markdown import render_markdown
from gtr_bench.store.schema import EVALUATIONS, JOB, iterations_schema
from gtr_bench.store.writer import write_table

HERE = Path(__file__).parent
SUITES = ("swap_control", "swap_control_confirmation")


def laid_out(results: Path) -> None:
    """Write the kept jobs of `SUITES` as a results folder."""
    jobs = pq.read_table(HERE / "jobs.parquet").to_pandas()
    jobs = jobs[jobs["suite"].isin(SUITES)]
    tables = {
        name: dict(iter(pq.read_table(HERE / f"{name}.parquet").to_pandas().groupby("job")))
        for name in ("evaluations", "iterations")
    }
    known = {field.name for field in JOB}
    declared = iterations_schema([])
    for row in jobs.to_dict("records"):
        folder = results / "jobs" / row["job"]
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in (("evaluations", EVALUATIONS), ("iterations", None)):
            own = tables[name][row["job"]].sort_values("step", kind="stable")
            names = {field.name for field in declared}
            columns = [each for each in own.columns if each not in _LABELS and not each.startswith("parameter.")]
            found = schema or iterations_schema([each for each in columns if each not in names])
            write_table(
                folder / f"{name}.parquet",
                found,
                {each: _plain(own[each]) for each in columns if each in {f.name for f in found}},
            )
        write_table(
            folder / "job.parquet", JOB, {name: _plain([value]) for name, value in row.items() if name in known}
        )


_LABELS = {"suite", "scale", "algorithm", "algorithm_name", "sequence", "role", "seed", "status"}


def _plain(values: Any) -> list[Any]:
    return [
        None if value is None or value != value else getattr(value, "item", lambda value=value: value)()
        for value in values
    ]


def main() -> None:
    """Lay out, and write one report per suite, with its figure, beside the results."""
    results = Path(sys.argv[1])
    laid_out(results)
    with patch.object(PolicyLearner, "version", 1):
        for name in SUITES:
            suite = f"suites/findings/{name}.toml"
            report = build_report([results], suite=suite, curves=True)
            (results / f"{name}.md").write_text(render_markdown(report))
            (results / f"{name}.html").write_text(render_html(report))
            drawn = ["--plot", str(results / f"{name}.png"), "--out", str(results / f"{name}.txt")]
            if code := execute(["report", str(results), "--suite", suite, *drawn]):
                sys.exit(code)
            print(json.dumps([[claim.id, claim.verdict, claim.p] for suite in report.suites for claim in suite.claims]))


if __name__ == "__main__":
    main()
