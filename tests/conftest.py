"""One torch thread: two on a busy machine are many times slower; and no deadlines, which such a machine misses."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported, which few of the tests need
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
