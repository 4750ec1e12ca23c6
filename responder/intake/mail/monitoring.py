"""Mails of monitoring systems: which rule takes a mail, and the alerts that are in it.

A mail that a rule takes is never lost: when it cannot be understood, it becomes one plain report that says why. A
recovery rarely names the severity that the problem had, so it clears the alert in every severity that it can have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from responder.domain.line_patterns import LONGEST_LINE
from responder.domain.mail import Mail
from responder.domain.mail_rule import ALL, Condition, MailRule
from responder.domain.report import Report, Signal
from responder.intake.mail.monitoring_text import Found, alerts_of, filled

_MOST_TEXT = 64 * 1024
_MOST_LINES = 2000
_MOST_ALERTS = 200
_MOST_OF_VALUE = 1000


class NotUnderstood(Exception):
    """What a rule misses in a mail that it takes, as a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The rule that takes a mail, and what it made of it.

    Without reports the mail begins and ends nothing, and `why` says so. With `is_plain` the mail was not understood:
    the one report holds it as it is, and `why` is the oddity.
    """

    rule: str
    reports: tuple[Report, ...]
    why: str = ""
    is_plain: bool = False


def alerts_in(
    mail: Mail, rules: Sequence[MailRule], *, received_at: datetime, source: str = "mail", receipt: str = ""
) -> tuple[Report, ...]:
    """The alerts in a mail; none if no rule takes it, or if it begins and ends nothing."""
    claim = claimed(mail, rules, received_at=received_at, source=source, receipt=receipt)
    return claim.reports if claim else ()


def claimed(
    mail: Mail, rules: Sequence[MailRule], *, received_at: datetime, source: str = "mail", receipt: str = ""
) -> Claim | None:
    """What the first rule that takes the mail makes of it; None if none takes it."""
    # What somebody quotes or passes on is theirs, not the monitoring's.
    said = lines_of(mail.said)
    rule = next((one for one in rules if any(_holds(condition, mail, said) for condition in one.applies)), None)
    if rule is None:
        return None
    # A sender's clock may be wrong: nothing starts after it was received.
    at = min(mail.sent_at, received_at) if mail.sent_at else received_at
    reading = _Reading(rule, mail, _Frame(at=at, source=source, receipt=receipt))
    try:
        return reading.claim(alerts_of(rule, mail.subject[:LONGEST_LINE], lines_of(mail.text)))
    except NotUnderstood as why:
        sentence = f"A mail that looks like one of {rule.title} was not understood: {why}"
        return Claim(rule=rule.name, reports=(reading.plain(sentence),), why=sentence, is_plain=True)


def lines_of(text: str) -> list[str]:
    """The lines that rules look at: bounded in number and length."""
    return [line[:LONGEST_LINE].rstrip() for line in islice(text[:_MOST_TEXT].splitlines(), _MOST_LINES)]


def _holds(condition: Condition, mail: Mail, lines: Iterable[str]) -> bool:
    if condition.subject and not condition.subject.match(mail.subject[:LONGEST_LINE]):
        return False
    if condition.sender and not condition.sender.match(mail.sender.address[:LONGEST_LINE]):
        return False
    for name, pattern in condition.headers.items():
        if not any(pattern.match(value.strip()[:LONGEST_LINE]) for value in mail.headers.get(name, ())):
            return False
    return condition.line is None or any(condition.line.match(line) for line in _looked_at(condition, lines))


def _looked_at(condition: Condition, lines: Iterable[str]) -> Iterable[str]:
    """A line that is all that is asked for must be the first: people paste what a monitoring has sent them."""
    is_alone = not (condition.subject or condition.sender or condition.headers)
    return islice(filter(None, map(str.strip, lines)), 1 if is_alone else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    at: datetime
    source: str
    receipt: str


class _Reading:
    """One mail by one rule."""

    def __init__(self, rule: MailRule, mail: Mail, frame: _Frame) -> None:
        self._rule = rule
        self._mail = mail
        self._frame = frame

    def claim(self, alerts: Sequence[Found]) -> Claim:
        """Raises NotUnderstood."""
        if len(alerts) > _MOST_ALERTS:
            raise NotUnderstood(f"it holds {len(alerts)} alerts, and {_MOST_ALERTS} are the most.")
        # Alike reports of one mail are one: the first says it.
        reports = {(one.identity, one.signal): one for found in reversed(alerts) for one in self._reports(found)}
        ordered = tuple(reversed(reports.values()))
        why = "" if ordered else f"{self._rule.title} tells of nothing here that begins or ends."
        return Claim(rule=self._rule.name, reports=ordered, why=why)

    def plain(self, oddity: str) -> Report:
        subject = self._mail.subject.strip()[:_MOST_OF_VALUE] or "A mail without a subject"
        notes = {"summary": subject, "description": self._mail.text[:_MOST_OF_VALUE].strip(), "oddity": oddity}
        labels = {**self._rule.constant, "alertname": subject, "mail_rule": self._rule.name}
        return self._report(Signal.FIRING, labels, notes)

    def _reports(self, found: Found) -> Iterable[Report]:
        signal = self._signal(found.values)
        if signal is None:
            return
        labels, notes = self._labels(found), self._annotations(found)
        severities = self._rule.severity.all if signal is Signal.CLEARED else [self._severity(found.values)]
        for severity in reversed(list(severities) or [""]):
            yield self._report(signal, {**labels, "severity": severity} if severity else labels, notes)

    def _signal(self, values: Mapping[str, str]) -> Signal | None:
        """None if it neither begins nor ends anything. Raises NotUnderstood."""
        words, said = self._rule.signal, []
        for name in words.of:
            word = values.get(name, "").casefold()
            if word in words.firing:
                return Signal.FIRING
            if word in words.cleared:
                return Signal.CLEARED
            if word in words.neither:
                return None
            said += [f"{name} “{values[name][:80]}”"] if word else []
        known = f"{' and '.join(said)} is not a word that the rule knows" if said else "nothing says whether it fires"
        raise NotUnderstood(f"{known}.")

    def _severity(self, values: Mapping[str, str]) -> str:
        """In doubt the rule's own: an unknown word never makes an alert lost."""
        words = self._rule.severity
        said = (values.get(name, "").casefold() for name in words.of)
        return next((words.words[word] for word in said if word in words.words), words.default)

    def _labels(self, found: Found) -> dict[str, str]:
        """Raises NotUnderstood."""
        values = {**found.labels, **found.values}
        missing = [name for name in self._rule.needs if not values.get(name)]
        if missing:
            raise NotUnderstood(f"it does not say {' or '.join(missing)}.")
        labels = dict(self._rule.constant)
        labels |= found.labels if ALL in self._rule.labels else {}
        labels |= {name: values[name] for name in self._rule.labels if values.get(name)}
        if name := filled(self._rule.alertname, values):
            labels["alertname"] = name
        if not labels.get("alertname"):
            raise NotUnderstood("it does not say the alert's name.")
        return {name: value[:_MOST_OF_VALUE] for name, value in labels.items()}

    def _annotations(self, found: Found) -> dict[str, str]:
        kept = {name: value for name, value in found.values.items() if name not in self._rule.labels}
        summary = filled(self._rule.summary, {**found.labels, **found.values}) or self._mail.subject.strip()
        told = {"summary": summary, **kept, **found.notes}
        return {name: value[:_MOST_OF_VALUE] for name, value in told.items() if value}

    def _report(self, signal: Signal, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Report:
        return Report(
            source=self._frame.source,
            signal=signal,
            labels=labels,
            annotations=annotations,
            started_at=self._frame.at,
            ended_at=self._frame.at if signal is Signal.CLEARED else None,
            receipt=self._frame.receipt,
        )
