"""A report in the browser that renews itself while jobs train (`gtr-bench watch`)."""
