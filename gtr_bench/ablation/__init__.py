"""Ablation: studies of an algorithm's parameters, and the path from PPO to GTR one component at a time."""
