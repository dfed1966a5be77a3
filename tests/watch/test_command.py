"""`gtr-bench watch` as a user has it: a process that serves, rows that arrive, and requests it must refuse."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.cli import watch
from gtr_bench.cli.main import execute
from gtr_bench.suite import load_suite
from gtr_bench.watch.renewal import NO_JOBS, Page
from gtr_bench.watch.server import FIRST_PORT, Server
from tests.helpers import points_of, suite_text, wait_for, write_finished


class Watching:
    """A running `gtr-bench watch` of `results` in a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gtr_bench", "watch", "--every", "0.1", "--port", "0", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        self.port = int(self.first_line.strip().strip('"}').rstrip("/").rpartition(":")[2])

    def ask(self, path: str, method: str = "GET", host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
        """Status, body and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers={"Host": host or f"127.0.0.1:{self.port}"})
        try:
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return answer.status, text, answer.headers

    def news(self) -> dict[str, Any]:
        return dict(json.loads(self.ask("/version")[1]))

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and what it said on stderr."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Start one in a folder with `tiny.toml`; it is ended afterwards."""
    started: list[Watching] = []
    (tmp_path / "tiny.toml").write_text(suite_text(algorithms=("ppo", "spo")))

    def start(*arguments: str) -> Watching:
        started.append(Watching(tmp_path, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


def finish(folder: Path, *, seeds: int) -> None:
    """Leave what jobs of `tiny.toml` would, of the first seeds."""
    suite = load_suite(str(folder / "tiny.toml"))
    for job in suite.jobs():
        if job.seed < seeds:
            returns = [float(step + job.seed) for step, _, _ in points_of(job)]
            write_finished(folder / "results", job, returns, suite_path="tiny.toml", suite_text=suite.text)


@pytest.mark.slow
def test_the_page_follows_the_results_from_before_the_first_row_to_a_broken_folder(watching: Any) -> None:
    server = watching()
    wait_for(lambda: server.news() == {"version": None, "message": NO_JOBS})
    assert NO_JOBS in server.ask("/")[1]
    assert server.ask("/report")[0] == 503

    finish(server.folder, seeds=1)
    wait_for(lambda: server.news()["version"])
    status, page, headers = server.ask("/report")
    first = server.news()
    assert (status, first["message"], headers["Content-Type"]) == (200, "", "text/html; charset=utf-8")
    assert "tiny, scale laptop" in page

    finish(server.folder, seeds=2)
    wait_for(lambda: server.news()["version"] not in (None, first["version"]))
    second = server.news()["version"]
    assert server.ask("/report")[1] != page

    shutil.rmtree(server.folder / "results")
    wait_for(lambda: server.news()["message"] == NO_JOBS)
    assert server.news()["version"] == second  # what was there is still shown

    code, said = server.interrupt()
    assert code == 130
    assert f"serving the report on `results` at http://127.0.0.1:{server.port}/" in said


@pytest.mark.slow
def test_a_suite_that_nobody_knows_is_told_on_the_page_and_in_the_terminal(watching: Any) -> None:
    server = watching("tinny", "--json")
    assert json.loads(server.first_line) == {"url": f"http://127.0.0.1:{server.port}/"}
    finish(server.folder, seeds=1)
    wait_for(lambda: "`tinny`" in server.news()["message"])
    assert "did you mean `tiny`?" in server.news()["message"]
    code, said = server.interrupt()
    assert code == 130
    assert said.count("unknown suite `tinny`") == 1


class Still:
    """Stands for a renewal that has nothing yet."""

    def __init__(self) -> None:
        self.page = Page(b"<!doctype html><title>r</title>", "")


@pytest.fixture
def served() -> Iterator[Watching]:
    """A server in this process."""
    server = Server(0, Still(), 1.0)  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    client = object.__new__(Watching)
    client.port = server.server_port
    yield client
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_host_header_of_another_server_is_refused(served: Watching, host: str) -> None:
    for path in ("/", "/report", "/version"):
        status, text, _ = served.ask(path, host=host.format(port=served.port) or " ")
        assert (status, text) == (403, "the Host header names another server\n")


def test_localhost_is_this_machine_too(served: Watching) -> None:
    assert served.ask("/report", host=f"LocalHost:{served.port}")[0] == 200


@pytest.mark.parametrize(
    "path", ["/index.html", "/report/", "/../pyproject.toml", "/%2e%2e/x", "/watch.js", "/version/x", "*"]
)
def test_no_other_path_is_there(served: Watching, path: str) -> None:
    assert served.ask(path)[0] == 404


def test_a_path_may_have_a_query(served: Watching) -> None:
    assert served.ask("/report?x=/etc/passwd")[:2] == (200, "<!doctype html><title>r</title>")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_nothing_but_reading_is_answered(served: Watching, method: str) -> None:
    assert served.ask("/", method)[0] == 501


def test_head_has_the_headers_alone(served: Watching) -> None:
    status, text, headers = served.ask("/report", "HEAD")
    assert (status, text, headers["Content-Length"]) == (200, "", "31")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert "frame-ancestors 'none'" in served.ask("/", "HEAD")[2]["Content-Security-Policy"]


def test_a_client_that_says_nonsense_or_goes_away_disturbs_nobody(
    served: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    for sent in (b"\0\xff\r\n\r\n", b"GET / HTTP/1.1\r\nHost:", b"GET /report HTTP/1.1\r\n\r\n", b""):
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall(sent)
    time.sleep(0.2)
    assert served.ask("/report")[0] == 200
    assert capfd.readouterr().err == ""


def test_only_this_machine_is_served() -> None:
    with Server(0, Still(), 1.0) as server:  # type: ignore[arg-type]
        assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_left_to_its_owner(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert execute(["watch", "--port", str(port)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"error: port {port} cannot be used: Address already in use\n\n"
        "hint: without `--port` the first free one is taken\n"
    )


def test_without_a_port_the_first_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class Taken(Server):
        def __init__(self, port: int, *arguments: Any) -> None:
            tried.append(port)
            if len(tried) < 3:
                raise OSError(98, "Address already in use")
            super().__init__(0, *arguments)

    monkeypatch.setattr("gtr_bench.watch.server.Server", Taken)
    watch._server(None, Still(), 1.0).server_close()  # type: ignore[arg-type]
    assert tried == [FIRST_PORT, FIRST_PORT + 1, FIRST_PORT + 2]


def test_it_opens_a_browser_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr(Server, "serve_forever", lambda self: None)
    assert execute(["watch", "--port", "0"]) == 0
    assert opened == []
    assert execute(["watch", "--port", "0", "--open"]) == 0
    wait_for(lambda: len(opened) == 1)
    assert opened[0].startswith("http://127.0.0.1:")
