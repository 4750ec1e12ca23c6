"""The whole way of a report by mail: the service as a process of its own, a real mailbox, real servers in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.progress import until
from tests.acceptance.sink import Sink
from tests.cli.calling import begun
from tests.servers.dovecot import PASSWORD
from tests.servers.mail_town import MailTown
from tests.servers.ports import free_port
from tests.servers.responder import Responder

pytestmark = [
    pytest.mark.needs("/usr/lib/dovecot/imap"),
    pytest.mark.needs("/usr/lib/dovecot/lmtp"),
    pytest.mark.timeout(180),
]
DESK, REPORTER = "desk@desk.test", "li.wei@example.org"
_MAIL = """
mail:
  address: {desk}
  imap: {{host: localhost, port: {imap}, security: tls, ca_file: {certificate}, user: desk, password_file: {password},
          done_folder: Taken}}
  smtp: {{host: localhost, port: {smtp}, security: starttls, ca_file: {own_certificate}}}
"""
# What the shipped profile waits for, so that nobody reopens at once, is over in a moment here.
_POLICY = "extends: feedback-form\ngrades:\n  normal: {quiet: 1s}\n"


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a reporter writes, and what they must find in their letters."""

    report: EmailMessage
    received: str
    more: str
    solved: str
    score: str
    closed: str


def written(subject: str, text: str, charset: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Li Wei <{REPORTER}>", DESK, subject
    made["Message-ID"] = make_msgid(domain="example.org")
    made.set_content(text, charset=charset)
    return made


ENGLISH = Words(
    report=written("The printer is dead", "It prints nothing since 9 this morning.\n\n-- \nLi Wei", "utf-8"),
    received="Its number is",
    more="The lamp is red.",
    solved="It's solved, thank you!",
    score="4",
    closed="closed",
)
CHINESE = Words(
    report=written("打印机坏了", "您好，三楼的打印机今天早上开始不能打印了。\n\n李伟", "gb2312"),
    received="编号",
    more="红灯一直亮着。",
    solved="已解决，谢谢！",
    score="4分",
    closed="关闭",
)


@dataclass(kw_only=True)
class Reporter:
    """Somebody with a mailbox and a mail program that quotes below."""

    town: MailTown
    read: int = field(default=0)

    def reads(self, what: str) -> EmailMessage:
        """The next letter."""
        inbox = until(what, lambda: self.town.dovecot.read("li.wei")[self.read :])
        self.read += 1
        return inbox[0]

    def answers(self, letter: EmailMessage, text: str) -> None:
        made = written(f"Re: {letter['Subject']}", f"{text}\n\n{_quoted(letter)}", "utf-8")
        del made["To"]
        made["To"], made["In-Reply-To"] = letter["Reply-To"], letter["Message-ID"]
        made["References"] = f"{letter['References'] or ''} {letter['Message-ID']}".strip()
        self.town.send(made)


def _quoted(letter: EmailMessage) -> str:
    lines = plain(letter).splitlines()
    return "\n".join([f"On Sat, 21 Nov 2026 at 10:00, {letter['From']} wrote:", *(f"> {line}" for line in lines)])


def plain(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def town(tmp_path: Path) -> Iterator[MailTown]:
    folder = tmp_path / "town"
    folder.mkdir()
    with MailTown(folder) as made:
        yield made


@pytest.fixture
def responder(tmp_path: Path, town: MailTown, database_url: str) -> Iterator[Responder]:
    with Sink() as pager:
        config, port = _written(tmp_path / "responder", town, pager, database_url)
        with Responder(config, port) as made:
            made.log_in("act")
            yield made


def _written(folder: Path, town: MailTown, pager: Sink, database_url: str) -> tuple[Path, int]:
    begun(folder, "--profile", "feedback-form")
    (folder / "secrets" / "first-pager").write_text(f"{pager.address}/first")
    (folder / "secrets" / "mailbox").write_text(f"{PASSWORD}\n")
    (folder / "policy.yml").write_text(_POLICY)
    config, port = folder / "responder.yml", free_port()
    text = config.read_text().replace("9180", str(port)).replace("sqlite:///responder.db", database_url)
    config.write_text(
        text
        + _MAIL.format(
            desk=DESK,
            imap=town.dovecot.tls_port,
            smtp=town.port,
            certificate=town.dovecot.certificate,
            own_certificate=town.certificate,
            password="secrets/mailbox",
        )
    )
    return config, port


@pytest.mark.parametrize(
    ("database_url", "words"),
    [pytest.param("sqlite", ENGLISH, id="english"), pytest.param("postgresql", CHINESE, id="chinese")],
    indirect=["database_url"],
)
def test_a_report_by_mail_is_answered_and_closed_in_one_thread(
    town: MailTown, responder: Responder, words: Words
) -> None:
    reporter = Reporter(town=town)
    town.send(words.report)
    received = reporter.reads("the first answer")
    assert words.received in plain(received)
    (number,) = [ticket["number"] for ticket in responder.tickets()]

    reporter.answers(received, words.more)
    until("the answer on the ticket", lambda: words.more in str(responder.ticket(number)))

    done_by_the_engineer(responder, number)
    restored = reporter.reads("that it is restored")
    assert restored["References"].split()[0] == words.report["Message-ID"]

    reporter.answers(restored, words.solved)
    resolved = reporter.reads("how it was")
    reporter.answers(resolved, words.score)
    until("how it was, on the ticket", lambda: satisfaction(responder.ticket(number)))
    responder.post(f"tickets/{number}/close", {"reason": "done"})
    closed = reporter.reads("that it is closed")
    assert words.closed in plain(closed)

    (ticket,) = responder.tickets()
    assert (ticket["status"], satisfaction(ticket)) == ("closed", 4)
    assert received["In-Reply-To"] == words.report["Message-ID"]
    assert town.dovecot.letters("INBOX") == 0
    assert town.dovecot.letters("Taken") == 4


def done_by_the_engineer(responder: Responder, number: str) -> None:
    responder.post(f"tickets/{number}/acknowledge", {})
    responder.post(f"tickets/{number}/classify", {"kind": "technical-hardware"})
    responder.post(f"tickets/{number}/diagnose", {"text": "The fuse is blown.", "cause_class": "product_defect"})
    responder.post(f"tickets/{number}/solve", {"text": "Replace the fuse."})
    responder.post(f"tickets/{number}/restore", {"reason": "replaced the fuse"})


def satisfaction(ticket: dict[str, Any]) -> Any:
    return ticket["dossier"]["satisfaction"]
