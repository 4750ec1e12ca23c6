"""The post office of the demo: it takes letters by SMTP, and gives them to whoever waits for them."""

from __future__ import annotations

import asyncio
import email
import email.policy
from email.message import EmailMessage

from responder.cli.demo.nodes import free_port


class PostOffice:
    """Everybody's mailbox in one; it speaks just enough SMTP for one sender."""

    def __init__(self) -> None:
        self.port = free_port()
        self._letters: asyncio.Queue[EmailMessage] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def next_letter(self, within: float) -> EmailMessage:
        """Raises TimeoutError if none comes, within so many seconds."""
        async with asyncio.timeout(within):
            return await self._letters.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 the demo's post office\r\n")
        while line := await reader.readline():
            command = line[:4].upper().strip()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                await self._keep(reader)
            writer.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
            if command == b"QUIT":
                break
        writer.close()

    async def _keep(self, reader: asyncio.StreamReader) -> None:
        lines: list[bytes] = []
        while (line := await reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self._letters.put_nowait(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
