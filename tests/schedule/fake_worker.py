"""A worker that speaks the contract of docs/design.md and trains nothing: for fault tests that must be fast.

Each member's first phase says in its options what to do: `behaviour` (below) of which `seeds` (all), `seconds` to
take, `times` a fault happens before the member behaves. `FAKE_WORKER_BEHAVIOUR` and `FAKE_WORKER_SECONDS` are the
defaults. Every start appends `cohort members first_step` to each member's starts.txt.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

STEPS = 100


def write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


class Worker:
    def __init__(self, document: Path) -> None:
        self.cohort = document.parent
        self.results = self.cohort.parent.parent
        self.document: dict[str, Any] = json.loads(document.read_text())
        self.jobs = self.document["jobs"]
        self.folders = [self.results / "jobs" / job["id"] for job in self.jobs]
        self.checkpoint = self.cohort / "checkpoint" / "step"
        self.step = int(self.checkpoint.read_text()) if self.checkpoint.exists() else 0
        self.first = self.step
        self.driver = int(os.environ["GTR_BENCH_DRIVER"])
        self.saved: int | None = None
        self.note: str | None = None
        self.kept: list[bytes] = []
        self.stop = False
        options = [job["definition"]["sequence"]["phases"][0]["options"] for job in self.jobs]
        default = {
            "behaviour": os.environ.get("FAKE_WORKER_BEHAVIOUR", "ok"),
            "seconds": float(os.environ.get("FAKE_WORKER_SECONDS", "0.1")),
            "times": 1000,
        }
        self.options = [{**default, **option} for option in options]
        for job, option in zip(self.jobs, self.options, strict=True):
            if job["seed"] not in option.get("seeds", [job["seed"]]):
                option["behaviour"] = "ok"
        self.seconds = max(float(option["seconds"]) for option in self.options)
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, number: int, frame: object) -> None:
        self.stop = True

    def starts(self, folder: Path) -> int:
        path = folder / "starts.txt"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def behaviours(self) -> set[str]:
        """What members want to do wrong this time."""
        return {
            str(option["behaviour"])
            for option, folder in zip(self.options, self.folders, strict=True)
            if self.starts(folder) <= int(option["times"])
        }

    def beat(self, state: str, failure: dict[str, Any] | None = None) -> None:
        beat = {
            "pid": os.getpid(),
            "time": time.time(),
            "state": state,
            "phase": 0,
            "phases": 1,
            "step": self.step,
            "steps": STEPS,
            "steps_per_second": STEPS / self.seconds * len(self.jobs),
            "training_return": 12.5,
            "failure": failure,
            "first_step": self.first,
            "saved_step": self.saved,
            "note": self.note,
            "profile": {"environment": 3.0, "policy": 2.0, "update": 4.0, "evaluation": 0.5, "storing": 0.5},
        }
        write(self.cohort / "heartbeat.json", json.dumps(beat))

    def fail(self, reason: str, message: str, startup: bool = False) -> None:
        print(message, flush=True)
        self.beat("failed", {"reason": reason, "message": message, "startup": startup})
        raise SystemExit(1)

    def save(self) -> None:
        self.checkpoint.parent.mkdir(exist_ok=True)
        write(self.checkpoint, str(self.step))
        git = {name: self.document["provenance"][name] for name in ("git_sha", "git_dirty")}
        write(self.checkpoint.with_name("worker.json"), json.dumps({**git, "versions": {}}))
        self.saved = self.step
        self.beat("running")

    def give_way(self) -> None:
        self.save()
        self.beat("stopped")
        raise SystemExit(75)

    def run(self) -> None:
        for folder in self.folders:
            with open(folder / "starts.txt", "a") as file:
                file.write(f"{self.document['id']} {len(self.jobs)} {self.first}\n")
        wrong = self.behaviours()
        if "die" in wrong:
            raise SystemExit("no module named nothing")
        if "preempted_at_once" in wrong:
            self.give_way()
        if "startup" in wrong:
            self.fail("error", "the simulator is not installed", startup=True)
        if "kill_at_once" in wrong:
            os.kill(os.getpid(), signal.SIGKILL)
        if "startup_after_evaluation" in wrong:
            self.beat("evaluating")
            time.sleep(0.1)
            self.fail("error", "the simulator is not installed", startup=True)
        self.note = "`checkpoint` is damaged" if "note" in wrong else None
        self.beat("running")
        while self.step < STEPS:
            self.misbehave(wrong)
            time.sleep(self.seconds / 20)
            self.step += STEPS // 20
            self.beat("running")
            if self.step % 25 == 0:
                self.save()
            if self.stop or os.getppid() != self.driver:
                self.give_way()
        self.finish()

    def misbehave(self, wrong: set[str]) -> None:
        if "spam" in wrong:
            print("all work and no play " * 20_000, flush=True)
        if "preempted" in wrong and self.step == self.first + STEPS // 5:
            self.stop = True
        if self.step < STEPS // 2:
            return
        if "raise" in wrong:
            self.fail("error", "the environment raised ValueError: bad")
        if "oom" in wrong:
            self.fail("oom", "out of memory")
        if "kill" in wrong:
            os.kill(os.getpid(), signal.SIGKILL)
        if "crash" in wrong:
            os.kill(os.getpid(), signal.SIGSEGV)
        while "leak" in wrong and len(self.kept) < 100:
            self.kept.append(b"x" * (50 << 20))
            time.sleep(0.05)
        if "exit" in wrong:
            os._exit(75)
        if "hang" in wrong:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)

    def finish(self) -> None:
        for option, folder in zip(self.options, self.folders, strict=True):
            if option["behaviour"] == "diverge":
                failure = {"reason": "diverged", "message": "NaN", "log": "", "step": self.step, "time": time.time()}
                write(folder / "failure.json", json.dumps(failure))
            # as much of a Parquet file as the driver looks at: tests.helpers.touch_done
            write(folder / "job.parquet", "PAR1\0\0\0\0PAR1")
        shutil.rmtree(self.checkpoint.parent, ignore_errors=True)
        self.beat("done")


if __name__ == "__main__":
    Worker(Path(sys.argv[1])).run()
