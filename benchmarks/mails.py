"""The rows about reading mails: of inputs made to be slow the worst, in microseconds per kB of mail."""

from __future__ import annotations

import email
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser

from benchmarks.mail_bait import FIELDS, HTML, MONITORING, RAW, TEXTS, Raw, Text
from benchmarks.rows import Row, Settings, middle
from responder.config.mail_rules import shipped_mail_rules
from responder.domain.mail_fields import recognised
from responder.intake.mail.html_text import text_of_html
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.monitoring import claimed
from responder.intake.mail.reading import read_mail
from responder.intake.mail.reply import reply_of

_SIZE = 64_000
"""Bytes of an input; each is measured at twice that, too. Most limits of the readers lie beyond."""
_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
Limit = Callable[[str], Callable[[], object]]


@dataclass(frozen=True, kw_only=True)
class _Bait:
    """An input for one reader: what is called, the least that a library does with the same, and its size in bytes."""

    ours: Callable[[], object]
    limit: Callable[[], object]
    size: int


Baits = Mapping[str, Callable[[int], _Bait]]


def rows(settings: Settings) -> Iterator[Row]:
    """A row for each reader, of the input that is the worst for it."""
    for name, baits in _READERS.items():
        costs = {bait: _cost(make) for bait, make in baits.items()}
        worst = max(costs, key=lambda bait: costs[bait].each)
        steepest = max(costs, key=lambda bait: costs[bait].growth)
        found = baits[worst](_SIZE)
        times = [(_seconds(found.ours), _seconds(found.limit)) for _ in range(settings.rounds)]
        ours, limit = (middle(column) / found.size * 1e9 for column in zip(*times, strict=True))
        more = {"worst": worst, "inputs": len(baits), "steepest": steepest, "double_size": costs[steepest].growth}
        yield Row(name=name, unit="µs/kB", ours=ours, limit=limit, rounds=settings.rounds, more=more)


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What each byte costs, and how much more twice the size: 2 is linear, less is bounded."""

    each: float
    growth: float


def _cost(make: Callable[[int], _Bait]) -> _Cost:
    once, twice = make(_SIZE), make(2 * _SIZE)
    seconds = _seconds(once.ours)
    return _Cost(each=seconds / once.size, growth=_seconds(twice.ours) / seconds)


def _by_the_library(mail: bytes) -> Callable[[], object]:
    """The email package parses a mail, and its text is looked at once."""
    return lambda: len(str(email.message_from_bytes(mail).get_payload()))


def _html_by_the_library(text: str) -> Callable[[], object]:
    return lambda: HTMLParser().feed(text)


def _seconds(call: Callable[[], object]) -> float:
    """Of the processor, of the best of a few: others on the machine only ever add."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        call()
        best = min(best, time.process_time() - began)
    return best


def _texts(baits: Mapping[str, Text], reader: Callable[[str], object], limit: Limit) -> Baits:
    def made(text_of: Text) -> Callable[[int], _Bait]:
        def bait(size: int) -> _Bait:
            text = text_of(size)
            return _Bait(ours=lambda: reader(text), limit=limit(text), size=len(text.encode()))

        return bait

    return {name: made(text_of) for name, text_of in baits.items()}


def _mails(baits: Mapping[str, Raw], reader: Callable[[bytes], Callable[[], object]]) -> Baits:
    def made(raw_of: Raw) -> Callable[[int], _Bait]:
        def bait(size: int) -> _Bait:
            raw = raw_of(size)
            return _Bait(ours=reader(raw), limit=_by_the_library(raw), size=len(raw))

        return bait

    return {name: made(raw_of) for name, raw_of in baits.items()}


def _as_mail(text: str) -> Callable[[], object]:
    return _by_the_library(b"From: a@example.org\r\nSubject: x\r\n\r\n" + text.encode())


def _reading(raw: bytes) -> Callable[[], object]:
    return lambda: read_mail(raw)


def _by_rules(raw: bytes) -> Callable[[], object]:
    mail, rules = read_mail(raw), shipped_mail_rules()
    return lambda: claimed(mail, rules, received_at=_AT)


def _html(text: str) -> object:
    return text_of_html(text, MailLimits(), [])


_READERS: Mapping[str, Baits] = {
    "mail: reply without quotes": _texts(TEXTS, reply_of, _as_mail),
    "mail: MIME": _mails(RAW, _reading),
    "mail: HTML to text": _texts(HTML, _html, _html_by_the_library),
    "mail: monitoring rules": _mails(MONITORING, _by_rules),
    "mail: fields in the text": _texts(FIELDS, lambda text: recognised(text, sent_at=_AT), _as_mail),
}
