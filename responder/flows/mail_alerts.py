"""Mails of monitoring systems become alerts; a recovery that nobody need believe clears nothing, and is told."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.mail import Mail
from responder.domain.mail_loop import Kind, Nature
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_trust import authentication
from responder.domain.monitor_trust import Voice, is_listed, spoken_by, unheard, voice_of
from responder.domain.report import Report, Signal
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.mail_desk import Incoming, MailDesk
from responder.flows.mail_notices import tell_of_recovery
from responder.flows.receive import file_reports, internal_report
from responder.intake.mail.monitoring import Claim, claimed

_MOST_UNHEARD = 20


def claim_in(incoming: Incoming) -> Claim | None:
    """What the rules make of the mail; None if none takes it."""
    record, rules = incoming.record, incoming.mails.rules
    return claimed(incoming.mail, rules, received_at=incoming.now, source=record.way, receipt=record.receipt)


def is_by_a_person(mail: Mail, nature: Nature, mails: MailDesk, claim: Claim) -> bool:
    """Whether a mail that only looks like a monitoring's is better taken as what somebody writes."""
    return claim.is_plain and nature.kind is Kind.PERSON and not is_listed(mail.sender.address, mails.monitors)


def alerted(incoming: Incoming, claim: Claim) -> MailRecord:
    """Files the alerts of a mail that a rule takes."""
    record, mails = incoming.record, incoming.mails
    voice = voice_in(incoming.mail, mails, claim)
    not_cleared = _not_cleared(incoming, voice, claim)
    if voice.objection:
        return _disbelieved(incoming, voice, claim, not_cleared)
    reports = [one for report in claim.reports for one in spoken_by(voice, report)]
    file_reports(incoming.tx, reports, incoming.desk.policy, incoming.now)
    why = claim.why or f"Alerts by rule “{claim.rule}”: {len(claim.reports)}."
    return replace(record, taken=Taken.ALERT, why=" ".join((why, *dict.fromkeys(not_cleared.values()))))


def voice_in(mail: Mail, mails: MailDesk, claim: Claim) -> Voice:
    """As whom a mail that a rule takes speaks."""
    rule = next(one for one in mails.rules if one.name == claim.rule)
    found = authentication(mail, mails.trusted)
    return voice_of(mail.sender.address, found, wants_proof=rule.authentic, listed=mails.monitors)


def disbelief(voice: Voice, claim: Claim) -> tuple[Taken, str]:
    """What a mail becomes to whose sender there is an objection, and why: no problem is lost with it."""
    is_problem = any(report.signal is Signal.FIRING for report in claim.reports)
    why = f"It looks like an alert of the rule “{claim.rule}”, and is none: {voice.objection}"
    return Taken.QUARANTINED if is_problem else Taken.LEFT, why


def _disbelieved(incoming: Incoming, voice: Voice, claim: Claim, not_cleared: dict[int, str]) -> MailRecord:
    """A problem is set aside, and a ticket says so; a recovery is written on the tickets that it does not clear."""
    taken, why = disbelief(voice, claim)
    ticket_id = next(iter(not_cleared), None)
    if taken is Taken.QUARANTINED:
        file_reports(incoming.tx, [_about(incoming, claim, why)], incoming.desk.policy, incoming.now)
    elif ticket_id is not None:
        return replace(incoming.record, taken=Taken.NOTE, why=why, ticket_id=ticket_id)
    return replace(incoming.record, taken=taken, why=why)


def _about(incoming: Incoming, claim: Claim, why: str) -> Report:
    """One trouble for each problem, so that none hides behind another. None of its labels comes from the alert, so
    that no rule of first aid takes it for one."""
    subject = " ".join(incoming.mail.subject.split())[:200]
    labels = {
        "alertname": "ResponderMailNotBelieved",
        "mail_rule": claim.rule,
        "subject": subject,
        "severity": "error",
    }
    receipt = incoming.record.receipt
    return internal_report(labels, f"A mail was not believed (“{subject}”). {why}", incoming.now, receipt_id=receipt)


# --- recoveries that clear nothing ----------------------------------------------------------------------------


def _not_cleared(incoming: Incoming, voice: Voice, claim: Claim) -> dict[int, str]:
    """Writes on each ticket why the mail does not clear it, and tells whoever has it; the sentences by ticket."""
    said: dict[int, str] = {}
    for ticket, report in _firing(incoming, claim):
        why = unheard(voice, report, tuple(ticket.firing))
        if why and ticket.id not in said and len(said) < _MOST_UNHEARD:
            said[ticket.id] = _noted(incoming, ticket.id, claim, why)
    return said


def _firing(incoming: Incoming, claim: Claim) -> list[tuple[Ticket, Report]]:
    """The recoveries of a mail, each with the open ticket of its trouble."""
    keyed: dict[str, list[Report]] = {}
    for report in claim.reports:
        if report.signal is Signal.CLEARED:
            keyed.setdefault(incoming.desk.policy.trouble(report), []).append(report)
    known = incoming.tx.tickets.known(keyed)
    return [(one.ticket, report) for trouble, one in known.items() if one.ticket.is_open for report in keyed[trouble]]


def _noted(incoming: Incoming, ticket_id: int, claim: Claim, why: str) -> str:
    known = incoming.tx.tickets.one(ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    text = f"A mail (rule “{claim.rule}”) says that {known.ticket.number} is over. It clears nothing: {why}"
    too_many = tell_of_recovery(incoming, change, text)
    said = f"{text} {too_many}".strip()
    change.note(incoming.now, EventKind.SIGNAL, said, receipt=incoming.record.receipt)
    incoming.tx.apply([change], incoming.now)
    return said
