"""A report as JSON: the model as it is, with the ids behind every number."""

from __future__ import annotations

import dataclasses
import json

from gtr_bench.report import text
from gtr_bench.report.headline import headline
from gtr_bench.report.model import Report
from gtr_bench.report.plain import plain
from gtr_bench.report.sections.registry import section

__all__ = ["FORMAT", "render_json"]

FORMAT = 2
"""Raised when a key changes its meaning or disappears; a new key does not raise it."""


def render_json(report: Report) -> str:
    """The report as one indented JSON object ending in a newline; numbers are unrounded, absent ones null.

    An end of an interval that is infinite is null too, and named in its object's `unbounded`.
    """
    content = {"format": FORMAT, **dataclasses.asdict(report)}
    for suite, shown in zip(report.suites, content["suites"], strict=True):
        del shown["curves"]  # every point of every seed: `gtr-bench export` has them
        del shown["reconstructed"]  # the statements name them
        del shown["pictures"]
        del shown["brief"]  # what the short report shows of all this
        for name, data in shown.pop("sections").items():
            section(name).put(shown, data)
        shown["headline"] = headline(suite)
        shown["statements"] = [*([text.SMOKE] if suite.smoke else []), *text.suite_lines(suite)]
    return json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
