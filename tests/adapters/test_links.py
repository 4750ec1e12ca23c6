"""Signed links in a text that everybody reads: nobody may follow what was given to one."""

from __future__ import annotations

import pytest

from responder.adapters.links import AckClaim, ApprovalClaim, CalendarClaim, DrillClaim, Links, ReporterClaim
from responder.adapters.notifier import Secret

LINKS = Links("https://desk.test/responder", Secret("a secret of the service"))
SIGNED = {
    "report": LINKS.report(ReporterClaim(ticket_id=7)),
    "ack": LINKS.acknowledge(AckClaim(ticket_id=7, episode=1, person="mei")),
    "approve": LINKS.approve(ApprovalClaim(approval_id=7, person="mei")),
    "drill": LINKS.drill(DrillClaim(drill_id=7, person="mei")),
    "calendars": LINKS.calendar(
        CalendarClaim(rota="a rota with a long name that is compressed, compressed, compressed")
    ),
    "heartbeat": LINKS.heartbeat("backup", 1),
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_link_is_masked(name: str) -> None:
    token = SIGNED[name].rpartition("/")[2]
    for text in (SIGNED[name], f"See <{SIGNED[name]}>.", SIGNED[name].replace("https://desk", "HTTPS://Desk")):
        assert token not in LINKS.masked(text)
    assert LINKS.masked(f"See <{SIGNED[name]}>.") == "See <***>."


@pytest.mark.parametrize("name", sorted(set(SIGNED) - {"heartbeat"}))
def test_a_signed_link_is_masked_when_a_filter_has_rewritten_it(name: str) -> None:
    path = SIGNED[name].removeprefix("https://desk.test/responder")
    for text in (f"https://desk.internal{path}", f"https://filter.test/?url={path.replace('/', '%2F')}&data=1"):
        assert path.rpartition("/")[2].removesuffix(".ics") not in LINKS.masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://wiki.test/report/2026-11-20-outage.html",
        "https://desk.test/responder/tickets/INC-7",
        "ack/approve/report",
    ],
)
def test_other_links_stay(text: str) -> None:
    assert LINKS.masked(text) == text
