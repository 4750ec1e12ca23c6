"""The page of a ticket's review: the draft to fill in, or what was written, to be written anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiMapping

from responder.domain.dossier import Review
from responder.domain.review import MOST_WHYS, PROMPTS, fishbone, not_yet
from responder.errors import BadForm, NotTheirs, Refused
from responder.flows.review import Drafted, draft_review, write_review
from responder.web.bodies import actor_of, desk_of
from responder.web.console import console_page, visitor_of
from responder.web.context import identity_of, needs
from responder.web.reviews import review_in
from responder.web.tried import Tried, refused, typed_in
from responder.web.verb_forms import with_offset

_TEXTS = ("root_cause", "cause_class", "improvements", "replaces")
_LISTS = ("factors", "participants")
_MORE = "Why, once more?"
_EMPTY_ROWS = 3
_ACTION = ("action_text", "action_owner", "action_due")


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """One row of an action that is promised with this review."""

    text: str = ""
    owner: str = ""
    due: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.owner or self.due)


@needs("read")
async def review_page(request: web.Request) -> web.StreamResponse:
    """What was written, and for who may act the form."""
    return await _shown(request, Tried())


@needs("act")
async def send(request: web.Request) -> web.StreamResponse:
    """The review is written. What is refused comes back with what was typed, beside what is written by now."""
    desk, given = desk_of(request), await request.post()
    zone = ZoneInfo((await visitor_of(request)).zone)
    try:
        form = review_in(_content(given, zone), desk.policy.zone, desk.clock.now())
        actor, who = actor_of(request, dict(typed_in(given))), identity_of(request)
        ticket = await write_review(desk, request.match_info["key"], actor, form, who=who)
    except NotTheirs:
        raise
    except (BadForm, Refused, web.HTTPUnprocessableEntity) as error:
        return await _shown(request, refused("review", error, given))
    return web.Response(status=303, headers={"Location": f"/tickets/{ticket.number}?done=review"})


def routes() -> list[web.RouteDef]:
    return [web.get("/tickets/{key}/review", review_page), web.post("/tickets/{key}/review", send)]


# --- what is shown -----------------------------------------------------------------------------------


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk, visitor = desk_of(request), await visitor_of(request)
    drafted = await draft_review(desk, request.match_info["key"])
    ticket, review = drafted.ticket, drafted.review
    why_not = not_yet(ticket) or (visitor.objection_to_team(ticket.team) if visitor.may("act") else "")
    return await console_page(
        request,
        "review.html",
        status=tried.status,
        refusal=tried.why,
        title=("Review", ticket.number),
        tried=tried,
        ticket=ticket,
        review=review,
        fishbone=fishbone(review.factors) if review.written_at else {},
        promised=drafted.actions,
        why_not=why_not,
        has_form=visitor.may("act") and not why_not,
        words=tried.typed if tried.why else _words(review, ZoneInfo(visitor.zone)),
        whys=_whys(review, tried),
        rows=_rows(tried),
        replaces=review.written_at.isoformat() if review.written_at else "",
        **_choices(drafted, desk.configuration.people),
    )


def _choices(drafted: Drafted, people: Mapping[str, object]) -> dict[str, Any]:
    return {"cause_classes": drafted.cause_classes, "people": list(people)}


def _words(review: Review, zone: ZoneInfo) -> dict[str, str]:
    """What stands in the fields before anybody has typed."""
    return {
        **{name: getattr(review, name) for name in _TEXTS if name != "replaces"},
        **{name: "\n".join(" ".join(one.split("\n")) for one in getattr(review, name)) for name in _LISTS},
        "meeting_at": f"{review.meeting_at.astimezone(zone):%Y-%m-%dT%H:%M}" if review.meeting_at else "",
    }


def _whys(review: Review, tried: Tried) -> list[tuple[str, str]]:
    """Each question with its answer; a question that nobody has answered is none."""
    given = tried.several.get("whys", ()) if tried.why else tuple(_answer(one) for one in review.whys)
    questions = [*PROMPTS, *[_MORE] * (MOST_WHYS - len(PROMPTS))]
    return [(one, given[place] if place < len(given) else "") for place, one in enumerate(questions)]


def _answer(why: str) -> str:
    return "" if why in PROMPTS else why


def _rows(tried: Tried) -> list[Promise]:
    """What was typed, and some rows to fill in."""
    typed = [one for one in _promises(tried.several) if not one.is_empty]
    return [*typed, *[Promise()] * _EMPTY_ROWS]


# --- what is asked -----------------------------------------------------------------------------------


def _content(given: MultiMapping[Any], zone: ZoneInfo) -> dict[str, Any]:
    """The form as the API takes a review. The timeline is left out: the drafted or the edited one is kept."""
    typed = {name: text.replace("\r\n", "\n") for name, text in typed_in(given).items()}
    return {
        **{name: typed.get(name, "") for name in _TEXTS},
        **{name: typed.get(name, "").splitlines() for name in _LISTS},
        "whys": [one.replace("\r\n", "\n") for one in given.getall("whys", []) if isinstance(one, str)],
        "meeting_at": with_offset(typed.get("meeting_at", ""), zone),
        "actions": [_action(one) for one in _promises(_sent(given)) if not one.is_empty],
    }


def _sent(given: MultiMapping[Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(one for one in given.getall(name, []) if isinstance(one, str)) for name in _ACTION}


def _promises(sent: Mapping[str, tuple[str, ...]]) -> list[Promise]:
    columns = [sent.get(name, ()) for name in _ACTION]
    return [Promise(text=text.strip(), owner=owner, due=due) for text, owner, due in zip(*columns, strict=False)]


def _action(one: Promise) -> dict[str, str]:
    if not one.due:
        raise BadForm(f"Action “{one.text[:60]}” does not say by when it will be done.", field="action_due")
    return {"text": one.text, "owner": one.owner, "due": one.due}
