"""Mails to people of the service that came back: who is called by mail, and does not hear it, must be seen."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.mail_record import MailRecord
from responder.flows.mail_desk import Incoming
from responder.flows.receive import file_reports, internal_report


def told_of_pages(incoming: Incoming, made: MailRecord) -> MailRecord:
    """Files a ticket for each person whose mails came back, unless the report is about a letter to a reporter."""
    people = incoming.mails.people if made.ticket_id is None else {}
    failed = {one.recipient.casefold(): one.status for one in incoming.mail.bounces if one.action == "failed"}
    found = {people[address]: status for address, status in failed.items() if address in people}
    said = [f"A mail to {name} did not arrive ({status}): what is sent there reaches nobody." for name, status in
            found.items()]  # fmt: skip
    labels = [{"alertname": "ResponderPageBounced", "person": name, "severity": "error"} for name in found]
    reports = [
        internal_report(label, text, incoming.now, receipt_id=made.receipt)
        for label, text in zip(labels, said, strict=True)
    ]
    if reports:
        file_reports(incoming.tx, reports, incoming.desk.policy, incoming.now)
    return replace(made, why=" ".join((made.why, *said)))
