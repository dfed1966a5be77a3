"""`gtr-bench` with the fake worker of tests/schedule: `python fake_cli.py run suite.toml ...`."""

import sys
from pathlib import Path

from gtr_bench.schedule.executors import process

process.WORKER_COMMAND = (sys.executable, "-S", str(Path(__file__).parents[1] / "schedule" / "fake_worker.py"))

if __name__ == "__main__":
    from gtr_bench.cli.main import main

    main()
