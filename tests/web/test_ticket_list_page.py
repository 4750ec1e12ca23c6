"""The list of tickets: its filters are its address, and views are saved under a name."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from responder.config.settings import digest
from responder.domain.access import Role
from responder.domain.accounts import Session, Source, User
from responder.flows.handle import do
from tests.web.conftest import Client, header
from tests.world import World, alert

PAGE = {"Accept": "text/html"}


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers={**PAGE, **headers})
    assert answer.status == status
    return await answer.text()


def titles(text: str) -> list[str]:
    return re.findall(r'<a class="name" href="[^"]+">([^<]+)</a>', text)


async def test_the_filter_of_the_form_is_the_address_and_leaves_out_what_is_empty(
    client: Client, act: dict[str, str]
) -> None:
    answer = await client.get("/tickets?text=disk&grade=&open=yes", headers=act, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets?text=disk&open=yes")
    answer = await client.get("/tickets?text=&grade=", headers=act, allow_redirects=False)
    assert answer.headers["Location"] == "/tickets?sort=newest"


async def test_search_and_filters_narrow_the_list_and_each_can_be_taken_away(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"), alert("DiskSlow", severity="info"), alert("Other"))
    text = await shown(client, "/tickets?text=disk&grade=P1", act)
    assert titles(text) == ["DiskFull on web-1:9100"]
    chips = re.findall(r'<a class="tag" href="([^"]+)"', text)
    assert [dict(parse_qsl(urlsplit(one.replace("&amp;", "&")).query)) for one in chips] == [
        {"text": "disk"},
        {"grade": "P1"},
    ]
    assert sorted(titles(await shown(client, "/tickets?text=disk", act))) == [
        "DiskFull on web-1:9100",
        "DiskSlow on web-1:9100",
    ]


def sent_by(text: str) -> list[tuple[str, str]]:
    """What the form of the filter sends as it stands."""
    form = text.split('class="filter"')[1].split("</form>", maxsplit=1)[0]
    sent = [(name, value) for name, value in re.findall(r'<input [^>]*?name="(\w+)"[^>]*? value="([^"]*)"', form)]
    for name, several, options in re.findall(r'<select [^>]*?name="(\w+)"( multiple)?[^>]*>(.*?)</select>', form):
        chosen = re.findall(r'<option value="([^"]*)" selected>', options)
        sent += [(name, value) for value in (chosen if several else chosen[-1:])]
    return sorted((name, value) for name, value in sent if value)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("grade=P1,P2", [("grade", "P1"), ("grade", "P2")]),
        ("status=new&status=handed_over&open=yes", [("open", "yes"), ("status", "handed_over"), ("status", "new")]),
        ("source=main&text=disk&sort=urgent", [("sort", "urgent"), ("source", "main"), ("text", "disk")]),
    ],
)
async def test_what_the_form_shows_is_the_whole_filter(
    client: Client, world: World, act: dict[str, str], query: str, kept: list[tuple[str, str]]
) -> None:
    await world.post(alert())
    assert sent_by(await shown(client, f"/tickets?{query}", act)) == kept


async def test_page_follows_page_until_the_end_and_none_is_left_out(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(*(alert("Noise", instance=f"n{number}") for number in range(120)))
    seen, path = list[str](), "/tickets?open=yes&sort=urgent"
    for _ in range(3):
        text = await shown(client, path, act)
        seen += titles(text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert (path, len(seen), len(set(seen))) == ("", 120, 120)


async def test_all_tickets_are_all_of_them_on_every_page_and_in_every_copy(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(*(alert("Noise", instance=f"n{number}") for number in range(55)))
    for number in (1, 2):
        await do(world.desk, "dismiss", str(number), actor="mei", content={"as": "false_alarm", "reason": "a test"})
    text = await shown(client, "/tickets?sort=newest", act)
    following = re.findall(r'href="([^"]+)" rel="next"', text)[0].replace("&amp;", "&")
    last = await shown(client, following, act)
    assert (len(titles(text)), len(titles(last))) == (50, 5)
    assert 'href="/tickets?sort=newest">First page' in last
    (copy,) = re.findall(r'href="(/tickets\.md[^"]*)"', text)
    assert len(re.findall(r"^\| P", await shown(client, copy, act), re.MULTILINE)) == 55


@pytest.mark.parametrize("query", ["grade=P9", "status=<b>", "cursor=nonsense", "opened_from=soon"])
async def test_what_cannot_be_asked_says_so_on_a_page_that_leads_on(
    client: Client, act: dict[str, str], query: str
) -> None:
    answer = await client.get(f"/tickets?{query}", headers={**PAGE, **act})
    text = await answer.text()
    assert answer.status in (400, 422)
    assert ('<a href="/tickets">' in text, "<b>" in text) == (True, False)


async def test_nothing_found_offers_all(client: Client, act: dict[str, str]) -> None:
    text = await shown(client, "/tickets?text=nothing", act)
    assert "No ticket fits." in text
    assert 'href="/tickets?sort=newest"' in text


async def test_the_list_as_markdown_keeps_its_columns_whatever_a_title_says(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("A|B <b>"))
    text = await (await client.get("/tickets.md", headers=act)).text()
    assert r"| A\|B \<b\> on web-1:9100 |" in text
    assert text.startswith("| Grade | Number |")


# --- views ---------------------------------------------------------------------------------------------------


async def signed_in(world: World) -> dict[str, str]:
    now = world.clock.now()
    wanted = User(name="mei", role=Role.VIEWER, source=Source.LOCAL, subject="mei", created_at=now)

    async def body() -> User:
        return await world.database.write(lambda tx: tx.accounts.add(wanted))

    user = await body()
    made = Session(
        digest=digest("cookie"),
        user_id=user.id,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(days=1),
        address="127.0.0.1",
        agent="",
    )
    await world.database.write(lambda tx: tx.accounts.begin(made))
    return {"Cookie": "__Host-responder_session=cookie", "Sec-Fetch-Site": "same-origin"}


async def test_a_view_is_saved_under_a_name_and_removed_again(client: Client, world: World) -> None:
    mei = await signed_in(world)
    form = {"name": "  my   disks ", "query": "text=disk&open=yes&unknown=1"}
    answer = await client.post("/views", data=form, headers=mei, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets?open=yes&text=disk&saved=1")
    assert "The view “my disks” is saved." in await shown(client, answer.headers["Location"], mei)
    text = await shown(client, "/tickets?open=yes&text=disk", mei)
    assert '<a href="/tickets?open=yes&amp;text=disk" aria-current="true">my disks</a>' in text
    assert (await client.post("/views/1/drop", headers=mei, allow_redirects=False)).status == 303
    assert "my disks" not in await shown(client, "/tickets", mei)


async def test_a_view_of_everything_shows_everything(client: Client, world: World) -> None:
    mei = await signed_in(world)
    answer = await client.post(
        "/views", data={"name": "all", "query": "sort=newest"}, headers=mei, allow_redirects=False
    )
    assert answer.headers["Location"] == "/tickets?sort=newest&saved=1"
    assert '<a href="/tickets?sort=newest" aria-current="true">all</a>' in await shown(
        client, "/tickets?sort=newest", mei
    )
    assert 'href="/tickets?sort=newest">all</a>' in await shown(client, "/me", mei)


async def test_a_view_is_not_overwritten_by_another_of_its_name(client: Client, world: World) -> None:
    mei = await signed_in(world)
    await client.post("/views", data={"name": "mine", "query": "text=disk"}, headers=mei)
    answer = await client.post("/views", data={"name": "mine", "query": "text=cpu"}, headers=mei)
    text = await answer.text()
    assert (answer.status, "There is already a view called “mine”." in text) == (422, True)
    assert ('value="mine"' in text, 'value="text=cpu"' in text) == (True, True)
    assert (
        "已有名为“mine”的视图。"
        in await (await client.post("/views?lang=zh", data={"name": "mine", "query": "text=cpu"}, headers=mei)).text()
    )
    assert '<a href="/tickets?text=disk">mine</a>' in await shown(client, "/tickets", mei)


async def test_views_are_for_accounts_and_a_token_sees_no_form_for_them(client: Client, act: dict[str, str]) -> None:
    assert "Save this view" not in await shown(client, "/tickets", act)
    assert (await client.post("/views", data={"name": "x", "query": ""}, headers=act)).status == 403
    assert (await client.post("/views/1/drop", headers=act)).status == 404


async def test_a_reader_with_a_session_may_sign_out_and_reads_in_their_zone(client: Client, world: World) -> None:
    mei = await signed_in(world)
    await world.database.write(
        lambda tx: tx.connection.exec_driver_sql("UPDATE users SET zone = 'Asia/Shanghai', language = 'zh'")
    )
    text = await shown(client, "/tickets", mei)
    assert "时间按 Asia/Shanghai 显示" in text
    assert 'action="/sign-out"' in text
    assert (await client.get("/tickets", headers=await header(world, "read"))).status == 200
