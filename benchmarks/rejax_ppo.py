"""Rejax's PPO as a contender of throughput.py; run by the Python of its own environment (`make rejax`).

    python benchmarks/rejax_ppo.py '{"env": "CartPole-v1", ...}' MEMBERS STEPS

Seeds are vmapped and the whole training is one compiled program on one CPU thread. Compiling and a first run are left
out; no evaluation, nothing logged. What it does not do that ours does: logging and diagnostics of every iteration,
bootstrapping where episodes are truncated, clipping of the gradient's norm (Rejax clips its elements).
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def train(task: dict[str, Any], members: int, steps: int) -> float:
    """CPU seconds of `members` compiled trainings of `steps` steps each."""
    import jax
    from rejax import PPO

    algorithm = PPO.create(
        env=task["env"], num_envs=task["num_envs"], num_steps=task["num_steps"], num_epochs=task["epochs"],
        num_minibatches=task["num_minibatches"], learning_rate=task["learning_rate"], ent_coef=task["entropy"],
        max_grad_norm=0.5, total_timesteps=steps, eval_freq=steps, skip_initial_evaluation=True,
        agent_kwargs={"activation": "tanh", "hidden_layer_sizes": tuple(task["hidden"])},
    )  # fmt: skip
    algorithm = algorithm.replace(eval_callback=lambda *_: ())
    keys = jax.random.split(jax.random.PRNGKey(0), members)
    compiled = jax.jit(jax.vmap(algorithm.train)).lower(keys).compile()
    jax.block_until_ready(compiled(keys))
    start = time.process_time()
    jax.block_until_ready(compiled(keys))
    return time.process_time() - start


def main() -> None:
    """Print the speed as one line of JSON."""
    task, members, steps = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rollout = task["num_envs"] * task["num_steps"]
    steps -= steps % rollout
    print(json.dumps({"speed": steps * members / train(task, members, steps)}))


if __name__ == "__main__":
    main()
