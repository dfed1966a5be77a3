"""What there is to name in a suite, as plain rows: for `gtr-bench list` and for the tables of the docs."""
