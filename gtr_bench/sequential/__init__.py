"""Seeds in waves until a suite's statements are decided: the jobs of `run`, with the decisions of `report`."""
