"""Acts of people and programs, written into the audit log with what they change; refusals, too."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import orjson
import structlog
from aiohttp import web

from responder.domain.access import Identity, Via
from responder.domain.accounts import objection_to_link
from responder.domain.audit import Entry
from responder.domain.throttle import Rates, Throttle
from responder.errors import LinkUsed, NotFound, NotTheirs, Refused, ResponderError, StoreUnavailable
from responder.flows.deeds import clean
from responder.flows.desk import Desk
from responder.store.answers import Answer, Claim, KeyTaken
from responder.store.audit_log import Act, refusal
from responder.store.with_first_write import with_first_write
from responder.web.identity import address_of

log = structlog.get_logger()
OF_STRANGERS = Rates(per_address=20, in_all=200)
"""How often in an hour it is written down what those try who show no credential: the log never shrinks."""
_LONGEST = 500
REFUSAL = web.ResponseKey("refusal", str)
"""Here a page that refuses keeps the sentence which it shows."""
SAFE = ("GET", "HEAD", "OPTIONS")


async def audited(
    request: web.Request, desk: Desk, who: Identity, doing: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Does something in somebody's name, and sees to its entry in the log. Raises what `doing` raises."""
    act = Act(entry=_entry(request, desk, who.name, who.via))
    with with_first_write(act):
        try:
            answer = await doing()
        except web.HTTPException as error:
            await _close(desk, act, error.status, error.text or error.reason if error.status >= 400 else "")
            raise
        except ResponderError as error:
            await _close(desk, act, _status(error), str(error))
            raise
    await _close(desk, act, answer.status, _detail(answer))
    return answer


@contextlib.asynccontextmanager
async def by_link(request: web.Request, desk: Desk, person: str, about: str) -> AsyncIterator[None]:
    """What a signed link does in a person's name; `about` is what it was made for, as people call it.

    Raises what is raised inside, and Refused for a person whose account is disabled.
    """
    act = Act(entry=replace(_entry(request, desk, person, Via.LINK), object=about))
    with with_first_write(act):
        try:
            await _refuse_disabled(desk, person)
            yield
        except ResponderError as error:
            await _close(desk, act, _status(error), str(error))
            raise
    await _close(desk, act, 200, "")


async def _refuse_disabled(desk: Desk, person: str) -> None:
    """Who is in the people file no more is refused by what they wanted to do, so that the ticket tells it, too."""
    user = await desk.store.read(lambda tx: tx.accounts.named(person))
    if why := objection_to_link(person, user, is_listed=True):
        raise Refused(why)


@contextlib.asynccontextmanager
async def by_link_once(request: web.Request, desk: Desk, person: str, about: str) -> AsyncIterator[None]:
    """As `by_link`, by a link that acts once: whoever has seen it, too, moves nothing any more. Raises LinkUsed."""
    claim = Claim(answer=Answer(identity=_identity(request), content="", at=desk.clock.now()))
    async with by_link(request, desk, person, about):
        try:
            with with_first_write(claim):
                yield
        except KeyTaken as error:
            raise LinkUsed(f"This link was used at {error.known.at:%Y-%m-%d %H:%M} UTC, and acts only once.") from error


async def ticket_of_link(desk: Desk, ticket_id: int) -> str:
    """The number of the ticket that a link was made for."""
    found = await desk.store.read(lambda tx: tx.tickets.many([ticket_id]))
    return found[ticket_id].number if ticket_id in found else str(ticket_id)


async def link_is_used(request: web.Request, desk: Desk) -> bool:
    """True if the link of this page has acted."""
    identity = _identity(request)
    return await desk.store.read(lambda tx: tx.answers.known(identity)) is not None


def _identity(request: web.Request) -> str:
    # What was signed, without the signature: that one can be written in several ways.
    signed = request.match_info["token"].rpartition(".")[0]
    return hashlib.sha256(f"link\x00{request.path.split('/')[1]}\x00{signed}".encode()).hexdigest()


async def refused(request: web.Request, desk: Desk, who: Identity, why: str) -> None:
    """Writes down that somebody may not do this."""
    await _write(desk, refusal(_entry(request, desk, who.name, who.via), 403, why))


async def refused_stranger(request: web.Request, desk: Desk, strangers: Throttle, error: web.HTTPException) -> None:
    """Writes down that somebody was not let in who shows no credential, and not without end."""
    address, now = address_of(request, desk.configuration.settings), desk.clock.now()
    if strangers.knock(address, OF_STRANGERS, now) is None:
        strangers.count(now)
        await _write(desk, refusal(_entry(request, desk, "", ""), error.status, error.text or ""))


def _entry(request: web.Request, desk: Desk, name: str, via: str) -> Entry:
    resource, values = request.match_info.route.resource, dict(request.match_info)
    verb = values.pop("verb", "{verb}")
    # It would act for whoever reads the log.
    values.pop("token", None)
    return Entry(
        at=desk.clock.now(),
        actor=name,
        via=via,
        address=address_of(request, desk.configuration.settings),
        action=f"{request.method} {resource.canonical if resource else ''}".replace("{verb}", verb)[:_LONGEST],
        object=" ".join(values.values())[:_LONGEST],
    )


async def _close(desk: Desk, act: Act, status: int, text: str) -> None:
    """Writes what is still to be written: an act that changed nothing here, or a refusal."""
    if status >= 400 and not act.is_refused:
        # Its entry is this one: the transaction that writes it must not add that of an act which was done.
        act.is_written = True
        await _write(desk, refusal(act.entry, status, clean(desk, text)))
    elif status < 400 and not act.is_written:
        act.is_written = True
        await _write(desk, replace(act.entry, status=status))


async def _write(desk: Desk, entry: Entry) -> None:
    try:
        await desk.store.write(lambda tx: tx.audit_log.add(entry))
    except StoreUnavailable as error:
        log.warning("not in the audit log", action=entry.action, actor=entry.actor, error=str(error))


def _status(error: ResponderError) -> int:
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, NotTheirs):
        return 403
    return 409 if error.permanent else 503


def _detail(answer: web.StreamResponse) -> str:
    """What an answer that says no gives as its reason."""
    if answer.status < 400 or not isinstance(answer, web.Response):
        return ""
    if answer.content_type != "application/problem+json":
        return str(answer.get(REFUSAL, ""))
    return str(orjson.loads(answer.body or b"{}").get("detail", ""))  # type: ignore[arg-type]
