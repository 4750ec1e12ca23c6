"""The service, a process of its own, takes mails of a mail server: a stop or kill -9 loses none and doubles none."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from responder.adapters.mail_names import MailNames
from responder.config.configuration import read
from tests.acceptance.progress import until
from tests.cli.calling import begun
from tests.servers.ports import free_port
from tests.servers.program import environment
from tests.servers.responder import Responder

DESK = "desk@desk.test"
MAILS = 24
_MAIL = "\nmail:\n  address: desk@desk.test\n  listener: {{listen: {listen}, mode: '0600'}}\n"


class Service(Responder):
    """The service with a door for mail servers."""

    def __init__(self, folder: Path, listen: str) -> None:
        config, port = begun(folder) / "responder.yml", free_port()
        config.write_text(config.read_text().replace("9180", str(port)) + _MAIL.format(listen=listen))
        super().__init__(config, port)
        self.listen = listen

    def end(self, number: signal.Signals) -> int:
        """Ends it with a signal, and gives its exit code."""
        assert self._process is not None
        os.kill(self._process.pid, number)
        return self._process.wait(30)

    def titles(self) -> list[str]:
        return sorted(ticket["title"] for ticket in self.tickets())


@pytest.fixture
def folder() -> Iterator[Path]:
    """One with a short name, as the names of sockets are."""
    with tempfile.TemporaryDirectory(prefix="lmtp-") as made:
        yield Path(made)


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    with Service(folder / "conf", str(folder / "lmtp")) as made:
        made.log_in("act")
        yield made


def hand_in(listen: str, name: str) -> None:
    """Raises what a mail server would be told, or that there is nobody."""
    with smtplib.LMTP(listen) as client:
        letter = f"From: li@example.org\r\nSubject: {name}\r\nMessage-ID: <{name}@example.org>\r\n\r\nIt is dead.\r\n"
        client.sendmail("li@example.org", [DESK], letter)


class MailServer:
    """Hands in mails by several connections, each until it is taken; counts what was taken."""

    def __init__(self, listen: str) -> None:
        self.taken = threading.Semaphore(0)
        self._listen = listen
        self._pool = ThreadPoolExecutor(4)

    def begin(self, names: list[str]) -> list[object]:
        return [self._pool.submit(self._until_taken, name) for name in names]

    def end(self) -> None:
        self._pool.shutdown()

    def _until_taken(self, name: str) -> None:
        pause = threading.Event()
        for _ in range(3000):
            try:
                hand_in(self._listen, name)
            except (smtplib.SMTPException, OSError):
                pause.wait(0.02)
                continue
            self.taken.release()
            return
        raise TimeoutError(f"{name} was never taken")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.timeout(180)
def test_every_mail_that_was_answered_is_one_ticket_whatever_stops_the_service(
    service: Service, number: signal.Signals
) -> None:
    names = [f"mail-{one:02}" for one in range(MAILS)]
    server = MailServer(service.listen)
    sent = server.begin(names)
    for _ in range(MAILS // 3):
        assert server.taken.acquire(timeout=30)
    code = service.end(number)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0), service.tail()
    assert Path(service.listen).exists() is (number is signal.SIGKILL)
    service.start()
    server.end()
    assert len(sent) == MAILS
    until("all tickets", lambda: service.titles() == names)
    assert "Traceback" not in service.tail(1000)


def test_a_pipe_hands_in_a_mail_with_its_envelope(service: Service) -> None:
    hand_in(service.listen, "first")
    until("the ticket", lambda: service.titles() == ["first"])
    token = json.loads(service.command("token", "create", "pipe", "--scope", "ingest", "--json"))["token"]
    tag = MailNames(read(service.config).secret).tag(1)
    words = ["mail", "take", "--server", service.url, "--from", "li@example.org", "--to", f"desk+{tag}@desk.test"]
    ran = subprocess.run(
        [sys.executable, "-m", "responder.cli", *words],
        input=b"From: li@example.org\r\nSubject: more\r\n\r\nIt smells.\r\n",
        env={**environment(), "RESPONDER_TOKEN": token},
        capture_output=True,
        check=True,
    )
    assert ran.stdout.startswith(b"answer ")
    assert service.titles() == ["first"]


def test_a_place_that_is_taken_is_a_clear_error_at_the_start(service: Service, folder: Path) -> None:
    second = Service(folder / "second", service.listen)
    argv = [sys.executable, "-m", "responder.cli", "serve", "--config", str(second.config)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=environment())
    assert ran.returncode == 1
    said = f"Mails cannot be handed in at {service.listen}: another service listens there, or a file is in the way."
    assert said in " ".join(ran.stderr.split())
    hand_in(service.listen, "still there")
    until("the ticket", lambda: service.titles() == ["still there"])
