"""The parts of a suite's report, one file each."""
