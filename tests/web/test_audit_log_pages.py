"""The audit log as a page, as an API and as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import orjson
import pytest

from responder.domain.audit import Entry, Outcome
from responder.store.audit_log import AuditFilter
from tests.web.conftest import Client, cookie, header
from tests.world import World

LIST = "/api/v1/audit"
HOSTILE = "<script>alert(1)</script>"


async def kept(world: World, *entries: Entry) -> None:
    for one in entries:
        await world.database.write(lambda tx, one=one: tx.audit_log.add(one))  # type: ignore[misc]


def entry(world: World, actor: str = "mei", action: str = "POST /approvals/{id}", **more: object) -> Entry:
    return Entry(at=world.clock.now(), actor=actor, via="session", action=action, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/audit", LIST, f"{LIST}.csv", f"{LIST}.jsonl"])
async def test_only_an_admin_reads_the_log(client: Client, world: World, path: str) -> None:
    for role, status in (("viewer", 403), ("approver", 403), ("admin", 200)):
        assert (await client.get(path, headers=await cookie(world, role))).status == status


async def test_a_refusal_stands_there_with_its_sentence(client: Client, world: World) -> None:
    viewer = await cookie(world, "viewer", "lin")
    assert (await client.post("/tickets/1/resolve", headers=viewer)).status == 403
    text = await (await client.get("/audit", headers=await header(world, "admin"))).text()
    assert "This needs the role responder; lin is viewer. Whoever is admin can change that." in text
    assert "POST /tickets/{key}/resolve" in text


async def test_what_is_refused_is_one_entry_and_none_of_an_act_that_was_done(client: Client, world: World) -> None:
    lin = await cookie(world, "responder", "lin")
    for path, status in (
        ("/api/v1/tickets/77/resolve", 404),
        ("/tickets/77/resolve", 404),
        ("/knowledge/7/publish", 404),
    ):
        assert (await client.post(path, headers=lin)).status == status
    entries = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(actor="lin"), 50))
    assert [(one.outcome, one.status) for one in entries if one.action.startswith("POST")] == [("refused", 404)] * 3


async def test_each_part_of_an_entry_narrows_the_list_by_an_address(client: Client, world: World) -> None:
    admin = await header(world, "admin")
    await kept(world, entry(world, object="4"), entry(world, "lars", object="5"))
    world.clock.advance(timedelta(hours=2))
    refused = entry(world, action="POST /switch", outcome=Outcome.REFUSED, status=403, text="Not you.")
    await kept(world, refused)
    wanted = {
        "actor=lars": ["5"],
        "object=4": ["4"],
        "outcome=refused": [""],
        "action=POST%20/switch": [""],
        "actor=mei&object=5": [],
        "from=-1h": None,
        f"from={(world.clock.now() - timedelta(hours=1)).isoformat().replace('+00:00', 'Z')}": [""],
        f"to={(world.clock.now() - timedelta(hours=1)).isoformat().replace('+00:00', 'Z')}": ["5", "4"],
    }
    for query, objects in wanted.items():
        answer = await client.get(f"{LIST}?{query}", headers=admin)
        page = await client.get(f"/audit?{query}", headers=admin)
        assert (answer.status, page.status) == ((200, 200) if objects is not None else (422, 422)), query
        if objects is not None:
            assert [one["object"] for one in (await answer.json())["entries"]] == objects, query
            assert (await page.text()).count("data-row") == len(objects), query


async def test_a_list_is_read_on_from_where_a_page_ended_also_within_one_instant(client: Client, world: World) -> None:
    admin = await header(world, "admin")
    await kept(world, *(entry(world, object=str(number)) for number in range(7)))
    seen, path = [], f"{LIST}?limit=3"
    while path:
        answer = await client.get(path, headers=admin)
        found = await answer.json()
        seen += [one["object"] for one in found["entries"]]
        path = f"{LIST}?limit=3&cursor={found['next']}" if found["next"] else ""
        assert bool(answer.links) == bool(path)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    assert (await client.get(f"{LIST}?cursor=WzFd", headers=admin)).status == 422


async def test_the_page_leads_to_the_older_ones_and_keeps_its_filter(client: Client, world: World) -> None:
    admin = await header(world, "admin")
    await kept(world, *(entry(world, object=str(number)) for number in range(103)))
    text = await (await client.get("/audit?actor=mei&lang=en", headers=admin)).text()
    older = text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    assert (text.count("data-row"), older.startswith("/audit?actor=mei&")) == (100, True)
    assert (await (await client.get(older, headers=admin)).text()).count("data-row") == 3


async def test_the_whole_log_is_a_file_in_pages(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("responder.web.audit_log._LARGEST_PAGE", 2)
    admin = await header(world, "admin")
    await kept(world, *(entry(world, object=str(number)) for number in range(5)))
    lines = (await (await client.get(f"{LIST}.jsonl", headers=admin)).text()).splitlines()
    assert [orjson.loads(line)["object"] for line in lines] == ["4", "3", "2", "1", "0"]
    some = (await (await client.get(f"{LIST}.jsonl?limit=3&actor=mei", headers=admin)).text()).splitlines()
    assert len(some) == 3
    rows = list(csv.reader(io.StringIO(await (await client.get(f"{LIST}.csv", headers=admin)).text())))
    assert (rows[0][:3], [row[6] for row in rows[1:]]) == (["id", "at", "actor"], ["4", "3", "2", "1", "0"])


async def test_no_cell_of_the_file_is_a_formula_to_a_spreadsheet(client: Client, world: World) -> None:
    await kept(world, entry(world, "=HYPERLINK(1)", object="@x", text="-1+1"))
    admin = await header(world, "admin")
    rows = list(csv.reader(io.StringIO(await (await client.get(f"{LIST}.csv", headers=admin)).text())))
    assert (rows[1][2], rows[1][6], rows[1][9]) == ("'=HYPERLINK(1)", "'@x", "'-1+1")


async def test_what_others_wrote_is_text_on_the_page(client: Client, world: World) -> None:
    await kept(world, entry(world, HOSTILE, HOSTILE, object=HOSTILE, outcome=Outcome.REFUSED, text=HOSTILE))
    text = await (await client.get("/audit", headers=await header(world, "admin"))).text()
    assert (HOSTILE in text, text.count("&lt;script&gt;") >= 4) == (False, True)


async def test_an_empty_log_and_a_filter_without_entries_say_what_to_do_next(client: Client, world: World) -> None:
    admin = await header(world, "admin")
    assert "Every act and every refusal will stand here" in await (await client.get("/audit", headers=admin)).text()
    text = await (await client.get("/audit?actor=nobody", headers=admin)).text()
    assert ("No entry fits" in text, 'href="/audit">Show everything' in text) == (True, True)


async def test_a_difference_that_the_audit_of_pages_found_is_accepted_with_a_reason(
    client: Client, world: World
) -> None:
    found = {"key": "1/lost", "ticket": "INC-1", "text": "Nobody was told.", "since": 0, "is_said": True}
    result = {"tickets": 1, "differences": [found]}
    await world.database.write(lambda tx: tx.rounds.keep("page_audit", world.clock.now(), result))
    admin = await cookie(world, "admin", "ada")
    assert "Nobody was told." in await (await client.get("/audit", headers=admin)).text()
    form = {"key": "1/lost", "reason": "called by phone"}
    answer = await client.post("/audit/pages/accept", data=form, headers=admin, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/audit#pages")
    text = await (await client.get("/audit", headers=admin)).text()
    assert ("looked at by ada" in text, "called by phone" in text, "I have looked" in text) == (True, True, False)


async def test_a_page_far_behind_asks_an_index(world: World) -> None:
    place = (world.clock.now(), 5)

    def plan(wanted: AuditFilter) -> list[str]:
        with world.database.engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                return []
            said: list[str] = []
            from responder.store.audit_log import AuditStore

            class Told:
                def execute(self, query: object) -> list[object]:
                    text = query.compile(compile_kwargs={"literal_binds": True}, dialect=connection.dialect)  # type: ignore[attr-defined]
                    said.extend(str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
                    return []

            AuditStore(Told()).listed(wanted, 100)  # type: ignore[arg-type]
            return said

    for wanted in (
        AuditFilter(before=place),
        AuditFilter(actor="mei", before=place),
        AuditFilter(action="x", before=place),
        AuditFilter(object="x", before=place),
        AuditFilter(outcome="refused", before=place),
    ):
        steps = plan(wanted)
        assert all("USING INDEX audit_log_by" in step and "TEMP B-TREE" not in step for step in steps), steps
