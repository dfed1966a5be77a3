"""Sections of reports by name; third parties register theirs in the entry-point group `gtr_bench.report_sections`."""

from __future__ import annotations

from gtr_bench.registry import Registry
from gtr_bench.report.sections.base import Section

__all__ = ["in_order", "section", "sections"]

OWN = {
    "setup": "gtr_bench.report.sections.setup:SetupSection",
    "claims": "gtr_bench.report.sections.claims:ClaimsSection",
    "tuning": "gtr_bench.report.sections.tuning:TuningSection",
    "tables": "gtr_bench.report.sections.tables:TablesSection",
    "atari_subsets": "gtr_bench.report.sections.atari_subsets:AtariSubsetsSection",
    "mechanism": "gtr_bench.report.sections.mechanism:MechanismSection",
    "relaxation": "gtr_bench.report.sections.relaxation:RelaxationSection",
    "missing": "gtr_bench.report.sections.absences:AbsencesSection",
    "published": "gtr_bench.report.sections.published:PublishedSection",
}
"""In the order in which a report shows them."""

sections = Registry("report section", "gtr_bench.report_sections", OWN)


def section(name: str) -> Section:
    """The section of a name; raises UnknownNameError."""
    kind: type[Section] = sections.get(name)
    return kind()


def in_order() -> dict[str, Section]:
    """All of them by name: ours as a report shows them, then those of packages by name."""
    names = sections.names()
    return {name: section(name) for name in (*OWN, *(each for each in names if each not in OWN))}
