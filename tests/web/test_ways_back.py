"""Every address that a form is sent to can be reloaded and passed on: it leads to the page that the form is on."""

from __future__ import annotations

import pytest

from responder.web.console import NO_PAGES
from tests.web.conftest import Client, cookie
from tests.web.test_who_may_what import address, routes
from tests.world import World

BROWSER = {"Accept": "text/html"}


# Cron jobs send there, and nobody looks.
OF_PROGRAMS = (*NO_PAGES, "/heartbeat/")
# Pages of what need not be there: in this world there is no such account, article or form.
OF_ONE_THING = {"/users/{name}", "/knowledge/{id}", "/approvals/{id}", "/tickets/{key}/review", "/feedback"}


def forms(client: Client) -> set[str]:
    return {path for method, path, _ in routes(client) if method == "POST" and not path.startswith(OF_PROGRAMS)}


async def test_every_address_of_a_form_answers_who_opens_it(client: Client, world: World) -> None:
    admin = {**BROWSER, **await cookie(world, "admin", "ada")}
    found, dead = forms(client), []
    assert len(found) > 30
    for path in sorted(found - OF_ONE_THING):
        async with client.get(address(path), headers=admin, allow_redirects=False) as answer:
            dead += [(path, answer.status)] if answer.status in (404, 405) else []
    assert dead == []


@pytest.mark.parametrize(
    ("sent", "page"),
    [
        ("/tickets/INC-1/note", "/tickets/INC-1"),
        ("/tickets/INC-1/runs", "/tickets/INC-1"),
        ("/tickets/a%2Fb/note?lang=zh", "/tickets/a%2Fb?lang=zh"),
        ("/users/mei/password", "/users/mei"),
        ("/me/sessions/abc/end", "/me"),
        ("/on-call/overrides/7/end", "/on-call"),
        ("/on-call/swaps", "/on-call"),
        ("/inventory/maintenance/end?q=web&group=", "/inventory?q=web&group="),
        ("/knowledge/7/publish", "/knowledge/7"),
        ("/runbooks/restart/dry-run", "/runbooks/restart"),
        ("/audit/pages/accept", "/audit"),
        ("/automation/on", "/"),
        ("/views", "/tickets"),
        ("/views/7/drop", "/tickets"),
        ("/sign-out", "/"),
    ],
)
async def test_it_leads_to_the_page_of_the_form(client: Client, world: World, sent: str, page: str) -> None:
    admin = {**BROWSER, **await cookie(world, "admin", "ada")}
    answer = await client.get(sent, headers=admin, allow_redirects=False)
    assert (answer.status, answer.headers.get("Location")) == (303, page)


async def test_a_stranger_signs_in_first(client: Client) -> None:
    answer = await client.get("/tickets/INC-1/note", headers=BROWSER, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=/tickets/INC-1/note")
