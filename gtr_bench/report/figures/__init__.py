"""Figures of a report: one Vega-Lite definition each, interactive in the HTML page and the same in a file."""
