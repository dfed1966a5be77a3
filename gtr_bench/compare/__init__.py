"""Two sets of results of the same experiments: which learning curves changed."""
