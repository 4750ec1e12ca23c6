"""Of whom it is known that no message reaches them: beside the audit of pages, which asks what was written and tried.

That a channel fails is no difference between what was promised and what is stored, and yet nobody was told.
It asks what `unreached` asks for the pages of the console, and takes nothing from it: an audit that shares the words of
what it looks at makes the same mistakes. One table of tests holds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from responder.domain.page_audit import Account, Sheet
from responder.domain.page_story import Fact

_SETTLED = ("held", "by_hand")
"""Whoever has such a page is told later on purpose, or by a person."""
_IN_VAIN = ("failed", "failed_for_now")
_UNDER_WAY = ("waiting", "sending")
_NO_PERSON = "reporter"
_LIST = "bundle-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreached:
    """A ticket that waits for a person of whom nobody was reached, in a sentence."""

    ticket_id: int
    sentence: str


def unreached_tickets(accounts: Iterable[Account], late: datetime) -> list[Unreached]:
    """The tickets of which nobody was reached. What was due at `late` or before should have arrived by now."""
    return [Unreached(ticket_id=one.id, sentence=said) for one in accounts if (said := _said(one, late))]


def _said(account: Account, late: datetime) -> str:
    if account.status != "handed_over" or account.acknowledged_by or account.signal == "cleared":
        return ""
    own = [one for one in account.sheets if one.episode == account.episode]
    pages = [one for one in own if one.purpose.startswith("hand_over")]
    if any(_has_arrived(one) for one in own) or any(_is_on_its_way(one, late) for one in pages):
        return ""
    if not pages:
        return f"{account.number}: nobody is there who can be called." if any(_looked_in_vain(account)) else ""
    in_vain = [one for one in pages if one.state in (*_IN_VAIN, "bundled")]
    if any(_calls_another(account, pages, late)):
        return ""
    return f"{account.number}: no message has reached anybody ({_whom(in_vain)})." if in_vain else ""


def _has_arrived(one: Sheet) -> bool:
    """Whether it told a person of this ticket, whatever it was for; a list tells by the pages that are in it."""
    return one.sent_at is not None and one.person != _NO_PERSON and not one.purpose.startswith(_LIST)


def _is_on_its_way(page: Sheet, late: datetime) -> bool:
    is_listed = page.state == "bundled" and _is_young(page, late)
    return is_listed or page.state in _SETTLED


def _is_young(page: Sheet, late: datetime) -> bool:
    return (page.due_at or page.created_at) > late


def _calls_another(account: Account, pages: Sequence[Sheet], late: datetime) -> Iterator[bool]:
    """For each page that leaves just now, whether nothing has failed yet to reach whom it calls. While somebody is
    tried again and again, one try or another is always under way."""
    in_vain = {one.person for one in pages if one.state in (*_IN_VAIN, "bundled") or _is_tried_again(account, one)}
    for page in pages:
        if page.state in _UNDER_WAY and _is_young(page, late):
            yield page.person not in in_vain


def _is_tried_again(account: Account, page: Sheet) -> bool:
    """Whether it leaves, and the history speaks of it already: what leaves for the first time it does not know."""
    spoken_of = (fact.data["message"] for fact in account.facts if _is_about_a_message(fact))
    return page.state == "sending" and page.id in spoken_of


def _is_about_a_message(fact: Fact) -> bool:
    return isinstance(fact.data, Mapping) and "message" in fact.data


def _looked_in_vain(account: Account) -> Iterator[bool]:
    """Whether its history says that there was nobody to call, once for each time it does."""
    for fact in account.facts:
        if fact.kind == "escalation" and "unreached" in fact.data:
            yield fact.data.get("episode") == account.episode


def _whom(pages: Iterable[Sheet]) -> str:
    return ", ".join(dict.fromkeys(f"{one.person} by {one.channel}" for one in pages))
