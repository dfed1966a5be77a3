"""The HTTP server of `gtr-bench watch`: three paths, for this machine alone."""

from __future__ import annotations

import base64
import hashlib
import json
import socketserver
import sys
from functools import cache
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from gtr_bench.watch.renewal import Page, Renewal

__all__ = ["ADDRESS", "FIRST_PORT", "Server"]

ADDRESS = "127.0.0.1"
FIRST_PORT = 8000
_HTML = "text/html; charset=utf-8"
_FRAME = "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; base-uri 'none'; {}"


class Server(ThreadingHTTPServer):
    """Serves what a renewal makes; a context manager."""

    daemon_threads = True

    def __init__(self, port: int, renewal: Renewal, every: float) -> None:
        """Listen.

        Args:
            port: 0 means any.
            renewal: makes the page.
            every: seconds after which a browser asks for news.

        Raises:
            OSError: the port is taken, or may not be used.
        """
        self.renewal = renewal
        self.every = every
        super().__init__((ADDRESS, port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of this machine's name, which may wait for a network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error; anything else is told and ends its connection alone."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            print(f"warning: a request failed: {type(error).__name__}: {error}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of `/` (a frame that renews itself), `/report` (in the frame) and `/version` (what it asks)."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "gtr-bench"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer without one."""
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not told: a browser asks every few seconds."""

    def _answer(self) -> None:
        page = self.server.renewal.page
        path = self.path.partition("?")[0]
        if not self._meant_for_us():
            # A name that somebody's server resolves to this machine would read the report for its pages.
            self._send(HTTPStatus.FORBIDDEN, b"the Host header names another server\n", "text/plain")
        elif path == "/":
            content, policy = _frame(page, self.server.every)
            self._send(HTTPStatus.OK, content, _HTML, policy + "; frame-ancestors 'none'")
        elif path == "/version":
            news = {"version": page.version, "message": page.message}
            self._send(HTTPStatus.OK, json.dumps(news).encode(), "application/json")
        elif path == "/report" and page.content is not None:
            # The page has a policy of its own, to which this one adds who may frame it.
            self._send(HTTPStatus.OK, page.content, _HTML, "frame-ancestors 'self'")
        elif path == "/report":
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, f"{page.message}\n".encode(), "text/plain; charset=utf-8")
        else:
            self._send(HTTPStatus.NOT_FOUND, b"there is no such page\n", "text/plain")

    def _meant_for_us(self) -> bool:
        port = self.server.server_port
        ours = {f"{name}:{port}" for name in (ADDRESS, "localhost")} | ({ADDRESS, "localhost"} if port == 80 else set())
        hosts = self.headers.get_all("Host") or []
        return len(hosts) == 1 and hosts[0].lower() in ours

    def _send(self, status: HTTPStatus, content: bytes, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _frame(page: Page, every: float) -> tuple[bytes, str]:
    """The page around the report, and its policy."""
    style, script = _parts()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>gtr-bench watch</title>\n<style>{style}</style>\n</head>\n"
        f'<body data-milliseconds="{every * 1000:.0f}">\n<p id="note" role="status">{escape(page.message)}</p>\n'
        '<noscript><p>Without scripts nothing renews itself here: <a href="/report">the report as it is now</a>.</p>'
        f"</noscript>\n<script>{script}</script>\n</body>\n</html>\n"
    )
    return text.encode(), _FRAME.format(f"form-action 'none'; img-src data:; script-src 'sha256-{digest}'")


@cache
def _parts() -> tuple[str, str]:
    style, script = (files("gtr_bench.watch").joinpath(name).read_text("utf-8") for name in ("watch.css", "watch.js"))
    return style, script
