"""What the API promises of a field allows all that the domain's field can hold."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from responder.domain.actions import ActionItem
from responder.domain.approval import Answer, Approval
from responder.domain.article import Article
from responder.domain.dossier import Dossier, Plan, Review, Verification
from responder.domain.drill import Answer as DrillAnswer
from responder.domain.drill import Drill
from responder.domain.escalation import Chain
from responder.domain.health_check import Finding, HealthCheck, Look
from responder.domain.holds import Held
from responder.domain.mail_record import MailRecord
from responder.domain.message import Message
from responder.domain.parts import Part, Reservation, StockMove
from responder.domain.reporter import Reporter
from responder.domain.rota import Override, Shift
from responder.domain.runbook import Attempt, Run
from responder.domain.sla import Clock
from responder.domain.ticket import Event, Ticket
from responder.store.attachments import Attachment
from responder.web.schemas import dossier, duty, reviews, service, stock, tickets

PAIRS = [
    (tickets.TicketLine, Ticket), (tickets.EventLine, Event), (tickets.ClockLine, Clock), (tickets.RunLine, Run),
    (tickets.ActLine, Attempt), (tickets.ApprovalLine, Approval), (tickets.AnswerLine, Answer),
    (tickets.MessageLine, Message), (tickets.AttachmentLine, Attachment), (tickets.ChainLine, Chain),
    (tickets.ReporterLine, Reporter), (tickets.HeldLine, Held), (reviews.ActionLine, ActionItem),
    (duty.OverrideLine, Override), (duty.ShiftLine, Shift), (duty.DrillLine, Drill), (duty.DrillAnswer, DrillAnswer),
    (service.CheckLine, HealthCheck), (service.WholeCheck, HealthCheck), (stock.MailLine, MailRecord),
    (stock.PartLine, Part), (stock.ReservationLine, Reservation), (stock.StockMoveLine, StockMove),
    (stock.ArticleLine, Article), (dossier.DossierLine, Dossier), (dossier.PlanLine, Plan),
    (dossier.ReviewInDossier, Review), (dossier.VerificationLine, Verification), (service.LookLine, Look),
    (service.FindingLine, Finding),
]  # fmt: skip


def may_be_none(kind: Any) -> bool:
    return NoneType in get_args(kind)


@pytest.mark.parametrize(("told", "kept"), PAIRS, ids=lambda one: one.__name__)
def test_a_field_that_may_be_empty_may_be_null(told: Any, kept: Any) -> None:
    promised, held = get_type_hints(told), get_type_hints(kept)
    both = [one.name for one in fields(kept) if one.name in promised]
    assert both
    assert [name for name in both if may_be_none(held[name]) and not may_be_none(promised[name])] == []
