"""Stands between a client and a server on loopback, and cuts the line when it is told to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Forwards while it is entered. `cut_after` is how many more bytes of the server still pass before a cut."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.cut_after: int | None = None
        self.cut_before = self.cut_behind = b""
        """A word of a client: the next line with it is not passed on, or passed on and its answer is not."""
        self._hides = False
        self.said: list[bytes] = []
        """What clients have sent."""
        self.heard = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        lines, self._lines = self._lines, []
        for one in lines:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def wait_for(self, word: bytes, *, times: int = 1) -> bool:
        """Whether clients have said a word so often, within ten seconds."""
        with self.heard:
            return self.heard.wait_for(lambda: b"".join(self.said).count(word) >= times, timeout=10)

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._lines += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while part := client.recv(65536):
                if self.cut_before and self.cut_before in part:
                    self.cut_before = b""
                    self.cut()
                    return
                if self.cut_behind and self.cut_behind in part:
                    self.cut_behind, self._hides = b"", True
                server.sendall(part)
                with self.heard:
                    self.said.append(part)
                    self.heard.notify_all()
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while part := server.recv(4096):
                if self._hides:
                    self._hides = False
                    self.cut()
                    return
                if self.cut_after is not None and len(part) >= self.cut_after:
                    client.sendall(part[: self.cut_after])
                    self.cut_after = None
                    self.cut()
                    return
                self.cut_after = None if self.cut_after is None else self.cut_after - len(part)
                client.sendall(part)
            client.shutdown(socket.SHUT_WR)
