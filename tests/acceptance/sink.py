"""Where the messages to people arrive: a real HTTP server."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PATH = "/pages"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A message as it arrived, with the instant of its last byte."""

    at: float
    to: str
    title: str
    text: str

    @property
    def acknowledge_link(self) -> str:
        lines = [line for line in self.text.splitlines() if line.startswith("Acknowledge: ")]
        return lines[0].partition(" ")[2] if lines else ""


class Sink:
    """Listens while it is entered."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.pages))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """As apprise writes it; whose pager it is comes behind it."""
        return f"json://127.0.0.1:{self.port}{PATH}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(pages: list[Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            whose = self.path.removeprefix(f"{PATH}/")
            is_known = whose != self.path
            if is_known:
                pages.append(Page(at=time.time(), to=whose, title=content["title"], text=content["message"]))
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
            """What arrived is told by whoever looks at the pages."""

    return Handler
