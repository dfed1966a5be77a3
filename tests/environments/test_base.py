"""The description of actions, and what importing the environments costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gtr_bench.environments.spaces import ActionSpace

ONE = np.ones(2, dtype=np.float32)


@pytest.mark.parametrize(
    ("space", "shape"),
    [
        (ActionSpace("discrete", (3,)), ()),
        (ActionSpace("multi_discrete", (3, 4)), (2,)),
        (ActionSpace("continuous", (2,), -ONE, ONE), (2,)),
    ],
)
def test_the_shape_of_one_action_follows_from_the_kind(space: ActionSpace, shape: tuple[int, ...]) -> None:
    assert space.shape == shape


def test_spaces_match_only_with_equal_kind_sizes_and_bounds() -> None:
    space = ActionSpace("continuous", (2,), -ONE, ONE)
    assert space.matches(ActionSpace("continuous", (2,), -ONE.copy(), ONE.copy()))
    assert not space.matches(ActionSpace("continuous", (2,), -ONE, 2 * ONE))
    assert not space.matches(ActionSpace("multi_discrete", (2,)))
    assert not ActionSpace("discrete", (2,)).matches(ActionSpace("discrete", (3,)))


def test_checking_classic_control_and_metaworld_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from gtr_bench.environments import sequence\n"
        "from gtr_bench.environments.registry import availability, family_of\n"
        "for name in ('gym:CartPole-v1', 'metaworld:hammer-v3'):\n"
        "    family, task = family_of(name)\n"
        "    family.physics(task), family.packages(task), availability()\n"
        "heavy = {'torch', 'gymnasium', 'mujoco', 'metaworld', 'pandas', 'scipy', 'pyarrow', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
