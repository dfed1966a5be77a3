"""Tuning: the same number of trials for every algorithm of a suite, on seeds and phases that are not reported."""
