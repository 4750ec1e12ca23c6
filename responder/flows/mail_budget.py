"""How many answers mails still get in a day. That there are no more is a ticket: then reporters wait in silence."""

from __future__ import annotations

from datetime import timedelta

from responder.domain.mail_loop import AnswersSent, may_answer, used_up
from responder.domain.mail_trust import authentication
from responder.flows.mail_desk import Incoming
from responder.flows.receive import file_reports, internal_report

_A_DAY = timedelta(hours=24)


def objection_by_count(incoming: Incoming) -> str:
    """Why a mail gets no answer, by who sent it and how many were sent; empty if it may be answered."""
    found = authentication(incoming.mail, incoming.mails.trusted)
    if found.is_refuted:
        # An answer would reach somebody who has written nothing.
        return f"It gets no answer: {found.why}"
    record, mails, budget = incoming.record, incoming.tx.mails, incoming.mails.budget
    since, domain = incoming.now - _A_DAY, record.sender.rpartition("@")[2]
    sent = AnswersSent(
        to_sender=mails.answered_since(record.sender, since),
        to_domain=mails.answered_at(domain, since, is_proven=record.is_proven),
        # Who is proven is kept from no answer by whoever invents addresses.
        in_all=0 if record.is_proven else mails.answered_unproven(since),
    )
    objection = may_answer(incoming.mail, incoming.nature, sent, budget)
    if objection and objection == used_up(sent, budget):
        _tell(incoming, domain if sent.in_all < budget.in_all else "")
    return objection


def _tell(incoming: Incoming, domain: str) -> None:
    """One trouble for all, or for each domain."""
    labels = {"alertname": "ResponderMailAnswersUsedUp", "severity": "warning"} | ({"domain": domain} if domain else {})
    for_all = (
        "Reporters of whom nothing is proven get no more answers for now: as many were sent in 24 hours as may be."
    )
    at_one = f"Reporters at {domain[:100]} get no more answers for now: as many were sent there in 24 hours as may be."
    report = internal_report(labels, at_one if domain else for_all, incoming.now, receipt_id=incoming.record.receipt)
    file_reports(incoming.tx, [report], incoming.desk.policy, incoming.now)
