"""Which mails are the same mail, and which only say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.mail import Address, Mail, MailFile
from responder.domain.mail_record import MailRecord, Taken, earlier_or_new, identity_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MAIL = Mail(
    id="a@b",
    digest="d",
    sender=Address(address="Li.Wei@example.org"),
    subject="Fire",
    text="In the server room.",
    files=(MailFile(name="a.png", media_type="image/png", size=1, digest="f"),),
    sent_at=NOW,
)
NAMELESS = replace(MAIL, id="sha256:d", sent_at=None)
STAMPED = replace(NAMELESS, headers={"received": ("1",)})
RECORD = MailRecord(
    identity="i",
    message_id="a@b",
    digest="d",
    way="imap",
    receipt="r",
    sender="li.wei@example.org",
    taken=Taken.REPORT,
    why="",
    received_at=NOW,
)
KNOWN = replace(RECORD, id=7)


@pytest.mark.parametrize(
    "copy",
    [
        replace(MAIL, digest="of other bytes"),
        replace(MAIL, sender=Address(address="li.wei@example.org", name="Li Wei")),
        replace(MAIL, recipients=(Address(address="help@desk.test"),), headers={"received": ("3",)}),
        replace(MAIL, text="In the\r\nserver  room.\n"),
        replace(MAIL, sent_at=NOW + timedelta(hours=1)),
    ],
    ids=["bytes", "letters of the sender", "what servers write", "white space", "sent again by a person"],
)
def test_a_copy_of_a_mail_has_its_identity(copy: Mail) -> None:
    assert identity_of(copy) == identity_of(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        replace(MAIL, id="b@b"),
        replace(MAIL, sender=Address(address="eve@example.org")),
        replace(MAIL, subject="Water"),
        replace(MAIL, text="In the kitchen."),
        replace(MAIL, files=()),
        replace(MAIL, id="sha256:d"),
    ],
    ids=["id", "sender", "subject", "text", "files", "no id"],
)
def test_a_mail_that_says_something_else_has_an_identity_of_its_own(other: Mail) -> None:
    assert identity_of(other) != identity_of(MAIL)


def test_without_an_id_two_mails_are_told_apart_by_their_dates() -> None:
    dated = replace(NAMELESS, sent_at=NOW)
    assert identity_of(dated) == identity_of(replace(dated, id="sha256:e", digest="e"))
    assert identity_of(dated) != identity_of(replace(dated, sent_at=NOW + timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("mail", "digest", "after", "is_same"),
    [
        (MAIL, "d", timedelta(days=900), True),
        (MAIL, "other", timedelta(days=900), True),
        (NAMELESS, "d", timedelta(hours=1), True),
        (NAMELESS, "d", timedelta(days=1), False),
        (STAMPED, "d", timedelta(days=1), True),
        (STAMPED, "other", timedelta(days=1), False),
    ],
    ids=["id", "id, other way", "no id", "no id, a day later", "stamped", "stamped, other bytes"],
)
def test_a_mail_comes_once_for_ever_unless_nothing_but_its_words_tells_that_it_is_the_same(
    mail: Mail, digest: str, after: timedelta, is_same: bool
) -> None:
    record = replace(RECORD, digest=digest, received_at=NOW + after)
    assert earlier_or_new([KNOWN], record, mail) == (KNOWN if is_same else replace(record, nth=1))


@pytest.mark.parametrize(
    ("taken", "was_proven", "is_proven", "is_same"),
    [
        (Taken.NOTE, False, True, False),
        (Taken.QUARANTINED, False, True, False),
        (Taken.NOTE, False, False, True),
        (Taken.NOTE, True, True, True),
        (Taken.NOTE, True, False, True),
        (Taken.ANSWER, False, True, True),
        (Taken.ALERT, False, True, True),
    ],
)
def test_an_unproven_copy_that_has_not_counted_does_not_keep_the_proven_mail_out(
    taken: Taken, *, was_proven: bool, is_proven: bool, is_same: bool
) -> None:
    first = replace(KNOWN, taken=taken, is_proven=was_proven)
    record = replace(RECORD, digest="other", is_proven=is_proven)
    assert earlier_or_new([first], record, MAIL) == (first if is_same else replace(record, nth=1))
    # Read anew after somebody has told us whose findings count, it is still the same.
    assert earlier_or_new([first], replace(record, digest="d"), MAIL) == first
