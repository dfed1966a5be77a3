"""Learner kinds: what the suite, plan, worker, store and report ask about a way of learning, and its runs."""
