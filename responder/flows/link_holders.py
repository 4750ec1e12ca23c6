"""For whom signed links of messages still do something."""

from __future__ import annotations

from responder.domain.accounts import objection_to_link
from responder.errors import Refused
from responder.flows.desk import Desk


async def refuse_who_left(desk: Desk, person: str) -> None:
    """Raises Refused for somebody who is in the people file no more, or whose account is disabled."""
    user = await desk.store.read(lambda tx: tx.accounts.named(person))
    if why := objection_to_link(person, user, is_listed=person in desk.configuration.people):
        raise Refused(why)
