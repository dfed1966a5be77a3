"""The tasks of Meta-World v3 and what they show, without the package (metaworld 3.1.1)."""

from __future__ import annotations

from gtr_bench.environments.spaces import ObservationSpace, Spaces, symmetric

__all__ = ["METAWORLD_TASKS", "SPACES"]

_STEMS = """
    assembly basketball bin-picking box-close button-press button-press-topdown button-press-topdown-wall
    button-press-wall coffee-button coffee-pull coffee-push dial-turn disassemble door-close door-lock door-open
    door-unlock drawer-close drawer-open faucet-close faucet-open hammer hand-insert handle-press handle-press-side
    handle-pull handle-pull-side lever-pull peg-insert-side peg-unplug-side pick-out-of-hole pick-place
    pick-place-wall plate-slide plate-slide-back plate-slide-back-side plate-slide-side push push-back push-wall
    reach reach-wall shelf-place soccer stick-pull stick-push sweep sweep-into window-close window-open
"""

METAWORLD_TASKS = tuple(f"{stem}-v3" for stem in _STEMS.split())
"""All task names; kept here because importing the package takes most of a second (metaworld 3.1.1, env_dict.py)."""

SPACES = Spaces(ObservationSpace((39,)), symmetric(4, 1.0), has_success=True)
"""What a learner sees in every task (metaworld 3.1.1)"""
