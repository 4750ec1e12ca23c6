"""A mail server for one letter after another: it keeps them, refuses them, or never answers."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self


class MailSink:
    """Listens while it is entered. `answer` is what it says to each recipient; `hangs` lets it say nothing at all."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.answer = b"250 ok"
        self.hangs = False
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def address(self) -> str:
        """As apprise writes it."""
        return f"mailto://127.0.0.1:{self._server.server_address[1]}/?from=a@example.org&to=b@example.org"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def _handler(sink: MailSink) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if sink.hangs:
                sink.over.wait()
                return
            self._say(b"220 sink")
            while line := self.rfile.readline():
                if not self._answer(line.strip().upper()):
                    return

        def _answer(self, line: bytes) -> bool:
            if line.startswith(b"DATA"):
                self._say(b"354 go on")
                sink.letters.append(b"".join(iter(self._line, b".\r\n")).decode())
            self._say(sink.answer if line.startswith(b"RCPT") else b"221 bye" if line == b"QUIT" else b"250 ok")
            return line != b"QUIT"

        def _line(self) -> bytes:
            return self.rfile.readline() or b".\r\n"

        def _say(self, text: bytes) -> None:
            self.wfile.write(text + b"\r\n")
            self.wfile.flush()

    return Handler
