"""What a suite can name, as plain rows: the one source of `gtr-bench list` and of the tables in the docs. No torch."""

from gtr_bench.catalogue.entry import Entry
from gtr_bench.catalogue.kinds import KINDS, Kind, kind_of
from gtr_bench.catalogue.parameters import Parameter, parameters_of

__all__ = ["KINDS", "Entry", "Kind", "Parameter", "kind_of", "parameters_of"]
