"""Policies are kept, and a loaded one does again what the job's last evaluation saw."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import gtr_bench
from gtr_bench.errors import RequestError, ResultsError
from gtr_bench.learn.policy_file import POLICY_FILE, read_description
from gtr_bench.learn.training import Training
from gtr_bench.suite.load import parse_suite
from tests.helpers import suite_text

TASKS = {
    "gym:CartPole-v1": "",
    "gym:Pendulum-v1": "\n[training]\nobservation_normalisation = true\nreward_normalisation = true\n",
}
LABELS = {"job": "0123456789abcdef", "algorithm": "ppo"}


def trained(tmp_path: Path, environment: str, *, members: int = 2, network: str = "") -> tuple[Training, list[Path]]:
    """A short training over two phases, and where its members' policies are."""
    sequences = {"world": f'env = "{environment}"\nphases = 2\nmax_episode_steps = 60'}
    tables = "\n[evaluation]\nevery = 1024\nepisodes = 3\n" + TASKS[environment] + network
    suite = parse_suite(
        suite_text("kept", tables=tables, seeds=members, sequences=sequences, algorithms=("ppo",), steps=2048),
        path="kept.toml",
    )
    definitions = [job.definition for job in suite.jobs()]
    training = Training(definitions, torch.device("cpu"))
    training.run(lambda: True)
    folders = [tmp_path / str(member) for member in range(members)]
    for member, folder in enumerate(folders):
        folder.mkdir()
        training.keep(member, folder, LABELS)
    return training, folders


@pytest.mark.parametrize("environment", TASKS)
def test_a_loaded_policy_repeats_the_last_evaluation_to_the_bit(tmp_path: Path, environment: str) -> None:
    training, folders = trained(tmp_path, environment)
    for member, folder in enumerate(folders):
        rows, _ = training.rows_of(member)
        policy = gtr_bench.load_policy(folder)
        found = policy.evaluate()
        assert rows["point"][-1] == "end"
        assert found.return_mean[0] == rows["return_mean"][-1]
        assert found.return_std[0] == rows["return_std"][-1]
        assert policy.evaluate(stream=10_000).return_mean[0] != found.return_mean[0]
        assert policy.evaluate(0, 2).length_mean.shape == (1,)
        policy.close()


def test_an_action_is_the_mode_at_an_observation(tmp_path: Path) -> None:
    training, folders = trained(tmp_path, "gym:Pendulum-v1")
    policy = gtr_bench.load_policy(folders[1])
    seen = np.array([0.5, -0.5, 1.0], np.float32)
    assert training.learner.observation_normaliser is not None
    both = training.learner.observation_normaliser(np.broadcast_to(seen, (2, 1, 3)).copy())
    with torch.inference_mode():
        expected, _ = training.learner.model.act(torch.from_numpy(both), None, None)
    assert policy.act(seen).tolist() == expected[1, 0].tolist()
    policy.close()


def test_a_network_with_memory_remembers_until_it_is_reset(tmp_path: Path) -> None:
    _, folders = trained(
        tmp_path, "gym:CartPole-v1", members=1, network='\n[network]\ntorso = "gru"\nsequence_length = 8\n'
    )
    policy = gtr_bench.load_policy(folders[0])
    policy.act(np.ones(4))
    carried = policy._carry.clone()
    policy.act(np.ones(4))
    assert not torch.equal(carried, policy._carry)
    policy.reset()
    policy.act(np.ones(4))
    assert torch.equal(carried, policy._carry)
    policy.close()


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    _, (folder,) = trained(tmp_path, "gym:CartPole-v1", members=1)
    path = folder / POLICY_FILE
    whole = path.read_bytes()
    assert read_description(path)["job"] == LABELS["job"]
    for content in (b"", whole[: len(whole) // 2], b"\xff" * 100, whole[8:]):
        path.write_bytes(content)
        with pytest.raises(ResultsError, match="is not a policy of this program"):
            gtr_bench.load_policy(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ResultsError, match="is not a policy of this program"):
        gtr_bench.load_policy(folder)
    path.unlink()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    description = json.loads(header["__metadata__"]["gtr-bench"])
    for change, sentence in (({"format": 99}, "has format 99"), ({"definition": None}, "is not a policy")):
        header["__metadata__"]["gtr-bench"] = json.dumps(description | change)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
        with pytest.raises(ResultsError, match=sentence):
            gtr_bench.load_policy(path)
    description["definition"]["network"]["hidden"] = [32, 32]
    header["__metadata__"]["gtr-bench"] = json.dumps(description)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
    with pytest.raises(ResultsError, match="does not hold the network"):
        gtr_bench.load_policy(path)


def test_there_is_no_policy_without_a_job_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "jobs" / "0123456789abcdef").mkdir(parents=True)
    with pytest.raises(RequestError, match="has no policy"):
        gtr_bench.load_policy("0123", tmp_path)
    with pytest.raises(RequestError, match="job `77`"):
        gtr_bench.load_policy("77", tmp_path)


@pytest.mark.slow
def test_play_prints_the_last_evaluation_and_films_an_episode_and_the_guide_s_snippet_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gtr_bench", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    ask = ("train", "--algorithm", "ppo", "--env", "gym:CartPole-v1", "--steps", "2048")
    assert cli(*ask).returncode == 0
    (job,) = (tmp_path / "results" / "jobs").iterdir()
    played = cli("play", job.name[:6], "--gif", "out.gif", "--json")
    assert played.returncode == 0, played.stderr
    last = pq.read_table(job / "evaluations.parquet").to_pylist()[-1]
    numbers = json.loads(played.stdout)
    assert (numbers["job"], numbers["return_mean"]) == (job.name, last["return_mean"])
    assert (tmp_path / "out.gif").read_bytes()[:4] == b"GIF8"
    guide = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    (snippet,) = (each for each in re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL) if "load_policy" in each)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "python.md", "exec"), {})
    assert capsys.readouterr().out.startswith(f"[{last['return_mean']}]")
    assert cli("play", job.name, "--phase", "3").stderr.startswith("error: there is no phase 3\n")
    assert cli(*ask, "--seeds", "7,8", "--no-policies").returncode == 0
    others = [each for each in (tmp_path / "results" / "jobs").iterdir() if each != job]
    assert len(others) == 2
    assert not any((each / POLICY_FILE).exists() for each in others)
