"""Twice the mail is twice the work, whatever is in it: calls and letters are counted, so no clock is asked.

Counted are all calls, and each letter that a function of ours is given or gives back. What happens within one call of
`re` or of a builtin is not seen; so each bait is also read at a size at which a square would take minutes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from inspect import CO_GENERATOR
from types import FrameType
from typing import Any

import pytest

from benchmarks.mail_bait import FIELDS, HTML, MONITORING, RAW, TEXTS
from responder.config.mail_rules import shipped_mail_rules
from responder.domain.mail_fields import recognised
from responder.domain.mail_loop import nature
from responder.domain.mail_thread import OwnAddress, traces
from responder.domain.mail_trust import TrustedPath, authentication
from responder.intake.mail.html_text import text_of_html
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.monitoring import claimed
from responder.intake.mail.reading import read_mail
from responder.intake.mail.reply import reply_of

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
OWN = OwnAddress(address="help@example.org", id_domain="responder.example.org")
SMALL, LARGE = 10_000, 300_000
Read = Callable[[int], object]


def work(read: Callable[[], object]) -> int:
    """How many calls there were, and how many letters were handed over in them."""
    total = 0

    def count(frame: FrameType, event: str, given: Any) -> None:
        nonlocal total
        total += event in ("call", "c_call")
        code = frame.f_code
        # A generator that goes on is not given its arguments again.
        if event not in ("call", "return") or code.co_flags & CO_GENERATOR or not is_ours(code.co_filename):
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if event == "call" else ()
        texts = [given, *(frame.f_locals.get(name) for name in names)]
        total += sum(len(one) for one in texts if isinstance(one, str))

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read()
    finally:
        sys.setprofile(before)
    return total


def is_ours(file: str) -> bool:
    return f"{os.sep}responder{os.sep}" in file or file == __file__


def decided(raw: bytes) -> object:
    """All that is asked of a mail before anything is stored."""
    mail = read_mail(raw)
    claim = claimed(mail, shipped_mail_rules(), received_at=AT)
    return claim, nature(mail, OWN), traces(mail, OWN), authentication(mail, TrustedPath(servers=("mx",), stamps=3))


def readers() -> Iterator[tuple[str, Read]]:
    """By name, what reads a bait of some size."""
    for name, text_of in TEXTS.items():
        yield f"reply: {name}", lambda size, of=text_of: reply_of(of(size))  # type: ignore[misc]
        yield f"reply, first: {name}", lambda size, of=text_of: reply_of(of(size), is_first=True)  # type: ignore[misc]
    for name, text_of in HTML.items():
        yield f"HTML: {name}", lambda size, of=text_of: text_of_html(of(size), MailLimits(), [])  # type: ignore[misc]
    for name, text_of in FIELDS.items():
        yield f"fields: {name}", lambda size, of=text_of: recognised(of(size), sent_at=AT)  # type: ignore[misc]
    for name, raw_of in {**RAW, **MONITORING}.items():
        yield f"MIME: {name}", lambda size, of=raw_of: decided(of(size))  # type: ignore[misc]


READERS = dict(readers())


@pytest.mark.parametrize("name", READERS)
def test_twice_the_mail_is_at_most_twice_the_work(name: str) -> None:
    read = READERS[name]
    # What is made once, such as the rules and the tables of a library.
    read(100)
    once, twice = work(lambda: read(SMALL)), work(lambda: read(2 * SMALL))
    assert twice <= 2.3 * once + 5000


@pytest.mark.parametrize("name", READERS)
@pytest.mark.timeout(20)
def test_no_bait_catches_a_reader(name: str) -> None:
    """A pattern that tries again from every letter, or a text that is copied for every line, would take minutes."""
    # Only a reply has no limit of its own, and lines are cheap to copy: a square shows late.
    READERS[name](3 * LARGE if name.startswith("reply") else LARGE)


def test_work_that_grows_with_the_square_is_seen() -> None:
    def joined(size: int) -> str:
        text = ""
        for _ in range(size):
            text = added(text)
        return text

    def added(text: str) -> str:
        return text + "x"

    assert work(lambda: joined(2000)) > 3.5 * work(lambda: joined(1000))
    assert work(lambda: [added("") for _ in range(2000)]) < 2.1 * work(lambda: [added("") for _ in range(1000)])
