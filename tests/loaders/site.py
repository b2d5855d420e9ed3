"""A real HTTP server on this machine that behaves as badly as it is told to."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """Paths and what is answered there; ``asked`` is every request in the order of time."""

    port: int = 0
    host: str = "127.0.0.1"
    pages: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def address(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"

    def put(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> str:
        """Answer a path with a body; ``ETag`` and ``Last_Modified`` are compared as a good site does."""
        data = body.encode() if isinstance(body, str) else body
        told = {name.replace("_", "-"): value for name, value in headers.items()}

        def behave(handler: Handler) -> None:
            asked = handler.headers
            same = "ETag" in told and asked.get("If-None-Match") == told["ETag"]
            same = same or ("Last-Modified" in told and asked.get("If-Modified-Since") == told["Last-Modified"])
            if same:
                handler.answer(304, b"", {"ETag": told.get("ETag", "")})
            else:
                handler.answer(status, data, told)

        return self.do(path, behave)

    def do(self, path: str, behaviour: Behaviour) -> str:
        """Answer a path by calling a function; returns the address."""
        self.pages[path] = behaviour
        return self.address(path)

    def paths(self) -> list[str]:
        """What was asked for, but for robots.txt."""
        return [request.path for request in self.asked if request.path != "/robots.txt"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append(Request(self.path, dict(self.headers)))
        behaviour = self.site.pages.get(self.path)
        with contextlib.suppress(OSError):
            if behaviour is None:
                self.answer(404, b"nothing here")
            else:
                behaviour(self)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        pass  # a client that leaves is what the tests are about


@contextlib.contextmanager
def open_site(host: str = "127.0.0.1", wrap: Callable[[Any], Any] = lambda found: found) -> Iterator[Site]:
    site = Site(host=host)
    server = _Server((host, 0), type("Bound", (Handler,), {"site": site}))
    server.socket = wrap(server.socket)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
