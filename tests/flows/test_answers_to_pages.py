"""An engineer answers a page that came by mail: the answer reaches the desk, and takes the ticket."""

from __future__ import annotations

from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from responder.adapters.notifier import Notifier, Secret
from responder.domain.mail_record import Taken
from responder.store.database import Database
from tests.flows.test_mail_commands import DESK, Commanded
from tests.servers.mail import MailSink

TOLD_WHERE_TO_ANSWER = f"&reply={DESK}&+Auto-Submitted=auto-generated"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Commanded:
    return Commanded(tmp_path, database)


async def paged(world: Commanded) -> EmailMessage:
    """The page of a ticket as a mail program gets it."""
    await world.fires()
    (message, *_) = await world.read(lambda tx: tx.messages.of_ticket(1))
    notifier = Notifier()
    with MailSink() as sink:
        await notifier.send(Secret(f"{sink.address}{TOLD_WHERE_TO_ANSWER}"), message.subject, message.body)
    notifier.close()
    return message_from_string(sink.letters[0].replace("\r\n", "\n"), policy=policy.default)


async def test_a_page_by_mail_says_where_to_answer_and_that_a_machine_wrote_it(world: Commanded) -> None:
    page = await paged(world)
    assert DESK in page["Reply-To"]
    assert page["Auto-Submitted"] == "auto-generated"
    assert (await world.ticket())["number"] in page["Subject"]


async def test_reply_ack_send_takes_the_ticket(world: Commanded) -> None:
    page = await paged(world)
    quoted = "".join(f"> {line}\n" for line in page.get_content().splitlines())
    answer = world.mail(f"ack\n\nOn Tue, 7 May 2024 at 08:01, a wrote:\n{quoted}", Subject=f"Re: {page['Subject']}")
    assert (await world.comes(answer)).taken is Taken.COMMAND
    assert (await world.ticket())["acknowledged_by"] == "mei"
