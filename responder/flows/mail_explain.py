"""Explain a mail: what it would become, and why. Decides by the same functions as the intake, and changes nothing.

Only the server knows tickets and letters. So an answer is told by its signed traces, and whose answer it is stays open.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from responder.adapters.mail_names import MailNames
from responder.adapters.notifier import Secret
from responder.config.configuration import Configuration
from responder.domain.mail import Mail
from responder.domain.mail_commands import Command, command_in
from responder.domain.mail_fields import Recognised
from responder.domain.mail_loop import AnswersSent, Kind, Nature, as_written, in_thread, may_answer, nature
from responder.domain.mail_record import Taken
from responder.domain.mail_rule import MailRule
from responder.domain.mail_thread import OwnAddress, Traces, traces
from responder.domain.mail_trust import Authentication, authentication, known_sender
from responder.domain.policy import Policy
from responder.flows.mail_alerts import disbelief, is_by_a_person, voice_in
from responder.flows.mail_desk import MailDesk, is_certain, mails_of
from responder.flows.mail_reports import form_of, wrong_with
from responder.flows.report_reading import explained
from responder.intake.mail.monitoring import Claim, claimed
from responder.intake.mail.reading import read_mail
from responder.intake.mail.reply import Reply, reply_of

_NOWHERE = "desk@responder.invalid"
_ANSWERS_SOMETHING = "It answers another mail; whether one of ours, only the configuration of the service tells."
_ANSWERS_OTHERS = "It answers another mail, but none of ours."
_IS_NEW = "Nothing in the mail leads to a ticket."
_WHOSE = "If somebody else than its reporter sends it, it is a note, a command of a colleague, or a new report."
_LEAVES = (Kind.AUTO_REPLY, Kind.LIST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """By what mails are explained. `is_ours` is false where no configuration says who we are."""

    mails: MailDesk
    policy: Policy
    is_ours: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """One mail, and all that decides about it. `ticket_id` is what a signed trace names; `objection` says why a report
    gets no answer."""

    becomes: Taken
    why: str
    mail: Mail
    nature: Nature
    reply: Reply
    authentication: Authentication
    person: str
    claim: Claim | None = None
    traces: Traces = field(default_factory=Traces)
    ticket_id: int | None = None
    command: Command | None = None
    objection: str = ""
    fields: Recognised | None = None
    """Of a report what its text says of the form's fields; `missing` are those that the policy wants besides."""
    missing: tuple[str, ...] = ()


def reader(configuration: Configuration | None, rules: tuple[MailRule, ...]) -> Reader:
    """What a configuration says of mail, with these rules; nobody's address where it says nothing."""
    mails = mails_of(configuration) if configuration else None
    if configuration is not None and mails is not None:
        return Reader(mails=replace(mails, rules=rules), policy=configuration.policy, is_ours=True)
    own = OwnAddress(address=_NOWHERE, id_domain=_NOWHERE.rpartition("@")[2])
    names = MailNames(Secret(secrets.token_hex()))
    policy = configuration.policy if configuration else Policy(name="", grades={}, default_grade="")
    return Reader(mails=MailDesk(own=own, names=names, rules=rules), policy=policy, is_ours=False)


def explain_mail(raw: bytes, by: Reader, now: datetime) -> Explained:
    """What some bytes would become if they came in as a mail."""
    mails = by.mails
    mail = read_mail(raw, limits=mails.limits)
    facts = Explained(
        becomes=Taken.REPORT,
        why="",
        mail=mail,
        nature=nature(mail, mails.own),
        reply=reply_of(mail.text, is_first=mail.is_first),
        authentication=authentication(mail, mails.trusted),
        person=known_sender(mail, mails.people, mails.trusted).person,
        traces=traces(mail, mails.own),
        command=command_in(mail.said),
    )
    return _decided(facts, by, now)


def _decided(facts: Explained, by: Reader, now: datetime) -> Explained:
    """The first that the mail can be, in the order of the intake."""
    kind = facts.nature.kind
    if kind is Kind.OWN:
        return _left(facts)
    if kind is Kind.BOUNCE:
        return replace(facts, becomes=Taken.BOUNCE, why=facts.nature.why)
    if (ticket_id := _ticket(facts.traces, by.mails.names)) is not None:
        return _of_a_ticket(facts, ticket_id)
    claim = claimed(facts.mail, by.mails.rules, received_at=now) if kind is not Kind.AUTO_REPLY else None
    if claim is not None and not is_by_a_person(facts.mail, facts.nature, by.mails, claim):
        return _claimed(facts, by, claim)
    if kind in _LEAVES and is_certain(facts.mail, facts.nature, by.mails):
        return _left(facts)
    return _reported(facts, by, now, but=claim.why if claim else "")


def _claimed(facts: Explained, by: Reader, claim: Claim) -> Explained:
    voice = voice_in(facts.mail, by.mails, claim)
    if voice.objection:
        taken, why = disbelief(voice, claim)
        return replace(facts, becomes=taken, why=why)
    why = claim.why or f"Alerts by rule “{claim.rule}”: {len(claim.reports)}."
    return replace(facts, becomes=Taken.ALERT, claim=claim, why=why)


def _left(facts: Explained) -> Explained:
    return replace(facts, becomes=Taken.LEFT, why=f"Left: {facts.nature.why}")


def _ticket(found: Traces, names: MailNames) -> int | None:
    """The ticket whose tag is signed by us; 0 where only a letter of ours is named, whose ticket the server knows."""
    tags = (ticket_id for tag in found.tags if (ticket_id := names.ticket_of(tag)) is not None)
    letters = (0 for one in found.ids if names.message_of(one) is not None)
    return next(tags, next(letters, None))


def _of_a_ticket(facts: Explained, ticket_id: int) -> Explained:
    how = f"It came to the address of the ticket with the id {ticket_id}." if ticket_id else "It answers our letter."
    is_order = facts.command is not None and facts.command.by_colleagues
    if in_thread(facts.nature).kind is not Kind.PERSON:
        return replace(facts, becomes=Taken.NOTE, why=f"{how} {facts.nature.why}", ticket_id=ticket_id or None)
    if facts.person and is_order and not facts.authentication.is_refuted:
        why = f"{how} {facts.person} asks for something; whether it may be done, the server knows."
        return replace(facts, becomes=Taken.COMMAND, why=why, ticket_id=ticket_id or None)
    return replace(facts, becomes=Taken.ANSWER, why=f"{how} {_WHOSE}", ticket_id=ticket_id or None)


def _reported(facts: Explained, by: Reader, now: datetime, *, but: str) -> Explained:
    mail = as_written(facts.mail, by.mails.own)
    form = form_of(mail)
    if wrong := wrong_with(form, by.policy, now):
        return replace(facts, becomes=Taken.QUARANTINED, why=" ".join(wrong))
    objection = may_answer(mail, facts.nature, AnswersSent(), by.mails.budget)
    why = " ".join(filter(None, (_why_new(mail, by), but, objection)))
    told = explained(by.policy, mail, form, now)
    return replace(facts, why=why, objection=objection, fields=told.found, missing=told.missing)


def _why_new(mail: Mail, by: Reader) -> str:
    if not (mail.in_reply_to or mail.references):
        return _IS_NEW
    return _ANSWERS_OTHERS if by.is_ours else _ANSWERS_SOMETHING
