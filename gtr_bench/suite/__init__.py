"""Suites: TOML files that become jobs, and jobs that become cohorts. Pure: nothing here trains or writes."""

from gtr_bench.suite.cohorts import Cohort, group
from gtr_bench.suite.expand import Cell, Job, Suite, World
from gtr_bench.suite.explain import render_suite_error
from gtr_bench.suite.identity import IDENTITY_VERSION, canonical_json, job_id
from gtr_bench.suite.load import load_suite, parse_suite, shipped_suites
from gtr_bench.suite.seeds import Seeds, derive_seeds

__all__ = [
    "IDENTITY_VERSION",
    "Cell",
    "Cohort",
    "Job",
    "Seeds",
    "Suite",
    "World",
    "canonical_json",
    "derive_seeds",
    "group",
    "job_id",
    "load_suite",
    "parse_suite",
    "render_suite_error",
    "shipped_suites",
]
