"""One PPO minibatch step with plain modules and with the stacked pair: `python benchmarks/minibatch.py`.

Forward passes, loss and gradient of both networks (clip and optimizer step left out); and one step of acting in eight
environments. The two take turns in one process; the figure is the least CPU time of many short windows, which a busy
machine disturbs little.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.distributions import Categorical
from gtr_bench.networks.model import Model
from gtr_bench.networks.twin import Twin

CASES = ((1, (64, 64), 256), (10, (64, 64), 256), (4, (256, 256, 256), 32))  # members, hidden, minibatch
WINDOW, ROUNDS = 0.005, 60  # seconds, windows


def loss_of(outputs: Tensor, values: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """PPO's clipped loss, half the squared value error, a hundredth of the entropy; summed over members."""
    policy = Categorical.from_logits(outputs)
    ratio = (policy.log_prob(batch["actions"]) - batch["log_probs"]).exp()
    surrogate = (ratio * batch["advantages"]).minimum(ratio.clamp(0.8, 1.2) * batch["advantages"])
    error = (values - batch["returns"]).square()
    return (0.5 * error - surrogate - 0.01 * policy.entropy()).mean(1).sum()


def contenders(members: int, hidden: tuple[int, ...], size: int) -> dict[str, Callable[[], object]]:
    """What is timed, by name; plain before stacked."""
    generators = [torch.Generator().manual_seed(member) for member in range(members)]
    network = {"torso": "mlp", "version": 1, "hidden": list(hidden), "activation": "tanh"}
    plain = Model(network, generators, Spaces(ObservationSpace((4,)), ActionSpace("discrete", (2,))), 0.0)
    twin = Twin(4, hidden, 2, "tanh")
    parameters = torch.zeros(members, twin.size)
    for name, view in twin.named(parameters).items():
        view.copy_(plain.get_parameter(name).detach())
    leaf, act = parameters.requires_grad_(), twin.actor(parameters, 8)
    numbers = {name: torch.randn(members, size) for name in ("log_probs", "advantages", "returns")}
    batch = numbers | {"actions": torch.randint(2, (members, size))}
    observations, few = torch.randn(members, size, 4), torch.randn(members, 8, 4)

    def plain_step() -> Tensor:
        outputs = plain.policy_head(plain.actor(observations))
        return plain.gradient(loss_of(outputs, plain.value(observations), batch))

    def twin_step() -> Tensor:
        outputs, values, _ = twin.evaluate(leaf, observations)
        return torch.autograd.grad(loss_of(outputs, values, batch), leaf)[0]

    @torch.inference_mode()
    def plain_act() -> Tensor:
        return plain.policy_head(plain.actor(few))

    @torch.inference_mode()
    def twin_act() -> Tensor:
        return act(few)

    return {"plain": plain_step, "stacked": twin_step, "plain act": plain_act, "stacked act": twin_act}


def least(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of CPU time a call takes, by name."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            count, start = 0, time.process_time()
            while (passed := time.process_time() - start) < WINDOW or count == 0:
                function()
                count += 1
            best[name] = min(best[name], passed / count)
    return best


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| members | hidden | minibatch | plain | stacked | ratio | act: plain | stacked | ratio |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for members, hidden, size in CASES:
        found = {name: seconds * 1e6 for name, seconds in least(contenders(members, hidden, size)).items()}
        cells = [f"{members} | {'-'.join(map(str, hidden))} | {size}"]
        for prefix in ("", " act"):
            plain, stacked = found[f"plain{prefix}"], found[f"stacked{prefix}"]
            cells.append(f"{plain:,.0f} us | {stacked:,.0f} us | {plain / stacked:.2f}")
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
