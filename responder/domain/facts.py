"""Facts: the things that may happen to a ticket which start, stop or pause its clocks."""

from __future__ import annotations

from enum import StrEnum


class Fact(StrEnum):
    """One word per thing that happens. Moves are facts, and so is what people do without moving the ticket."""

    OPENED = "opened"
    REPORTED = "reported"
    REGISTERED = "registered"
    GRADED = "graded"
    ASSESSED = "assessed"
    ANSWERED = "answered"
    FIRST_AID = "first_aid"
    HANDED_OVER = "handed_over"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    DIAGNOSED = "diagnosed"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WAITING = "waiting"
    RESUMED = "resumed"
    UPDATED = "updated"
    RESTORED = "restored"
    VERIFIED = "verified"
    RELAPSED = "relapsed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    REVIEWED = "reviewed"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"


TEXTS = {
    Fact.OPENED: "the ticket was opened",
    Fact.REPORTED: "a person reported it",
    Fact.REGISTERED: "the report was complete",
    Fact.GRADED: "it was graded",
    Fact.ASSESSED: "a person set or confirmed its grade",
    Fact.ANSWERED: "the reporter got a first answer",
    Fact.FIRST_AID: "first aid began",
    Fact.HANDED_OVER: "it was handed over to people",
    Fact.ESCALATED: "it went to a higher tier",
    Fact.ACKNOWLEDGED: "somebody took it",
    Fact.DIAGNOSED: "it was diagnosed",
    Fact.PROPOSED: "a plan was proposed",
    Fact.APPROVED: "the plan was approved",
    Fact.REJECTED: "the plan was rejected",
    Fact.WAITING: "it began to wait",
    Fact.RESUMED: "the waiting ended",
    Fact.UPDATED: "the reporter was told of the progress",
    Fact.RESTORED: "the trouble no longer showed",
    Fact.VERIFIED: "the solution was verified",
    Fact.RELAPSED: "it came back",
    Fact.RESOLVED: "it was resolved",
    Fact.REOPENED: "it was reopened",
    Fact.REVIEWED: "it was reviewed",
    Fact.CLOSED: "it was closed",
    Fact.DISMISSED: "it was dismissed",
    Fact.MERGED: "it was merged into another ticket",
}
"""Each fact as the end of a sentence."""
