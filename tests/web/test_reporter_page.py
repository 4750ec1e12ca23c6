"""The reporter's page: what is shown to whom, and that only sent forms act."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from responder.adapters.links import ReporterClaim
from responder.domain.report_form import form_of
from responder.flows.report_by_person import add_reporter
from responder.flows.reporter import erase_contacts
from responder.store.database import Database
from tests.flows.reports import CONTACT, DAY, Reports
from tests.web.conftest import GUARDED, Client
from tests.world import alert, texts


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database, main=f"{GUARDED}reporters: {{url_file: reporters-url}}\n")


def link(world: Reports, ticket_id: int = 1) -> str:
    return world.desk.links.report(ReporterClaim(ticket_id=ticket_id)).removeprefix("https://responder.test")


async def test_the_page_shows_how_it_stands_and_changes_nothing(client: Client, world: Reports) -> None:
    ticket = await world.opens(labels={"instance": "web-9"})
    await world.restored()
    before = await world.ticket()
    for _ in range(2):
        answer = await client.get(link(world))
        text = await answer.text()
        assert answer.status == 200
    for shown in (ticket.number, "It should work again. Please check it.", "It is solved", "Not solved", "How was it?"):
        assert shown in text, shown
    assert "What you reported as" in text
    for hidden in ("web-9", "mei", "Li Wei", CONTACT, "/report/", "script"):
        assert hidden not in text, hidden
    assert (await world.ticket())["version"] == before["version"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_page_shows_what_was_reported_and_nothing_that_colleagues_have_filled_in(
    client: Client, world: Reports, lang: str
) -> None:
    await world.opens(
        title="The <b>printer</b> is dead",
        fields={"description": "It hums.\n\nThen nothing.", "impact": "partly abnormal", "serial": f"of {CONTACT}"},
    )
    await world.do("register", fields={"symptom": "a fool at work", "serial": "4711"})
    page = await (await client.get(f"{link(world)}?lang={lang}")).text()
    text, title = unescape(page), "The <b>printer</b> is dead"
    label, word = {"en": ("What it keeps you from", "partly abnormal"), "zh": ("业务影响", "部分异常")}[lang]
    assert "<b>" not in page
    for shown in (title, "It hums.\n\nThen nothing.", "of ***", f"<dt>{label}</dt>", f"<dd>{word}</dd>"):
        assert shown in text, shown
    for hidden in ("a fool at work", "4711", CONTACT, "<dt>Description: "):
        assert hidden not in text, hidden


async def test_what_a_form_only_sums_up_is_not_shown_twice(client: Client, world: Reports) -> None:
    await world.opens(fields={"product": "P900", "symptom": "no light"})
    text = await (await client.get(link(world))).text()
    assert (text.count("P900"), "Description" in text) == (1, False)


async def test_what_an_alert_says_is_not_shown_to_who_reports_it_too(client: Client, world: Reports) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    about = {"reporter": {"name": "Li Wei", "contact": CONTACT}, "fields": {"impact": "nobody can print"}}
    await add_reporter(world.desk, "1", "mei", form_of(about))
    text = await (await client.get(link(world))).text()
    assert [word for word in ("DiskFull", "web-1", "What you reported as", "<dt>") if word in text] == []


async def test_letters_on_the_page_name_no_link_that_is_not_there(client: Client, world: Reports) -> None:
    await world.opens()
    await world.restored()
    text = await (await client.get(link(world))).text()
    assert "tell us on the page of your report whether it is solved" in text
    assert "link below" not in text
    assert "The page of your report, to see how it stands" in (await world.letters())[-1].body


async def test_before_anything_is_restored_there_is_nothing_to_judge(client: Client, world: Reports) -> None:
    await world.opens(reporter={"language": "zh"})
    text = await (await client.get(link(world))).text()
    assert "已转交我们的团队。" in text
    assert 'lang="zh-CN"' in text
    assert "已解决" not in text.split("<h2>")[0]
    assert 'value="solved"' not in text
    assert 'value="score"' not in text
    assert 'value="information"' in text


async def test_each_form_of_the_page_does_what_it_says(client: Client, world: Reports) -> None:
    await world.opens()
    path = link(world)
    more = await client.post(path, data={"answer": "information", "text": "It <b>hums</b>.", "episode": "1"})
    assert (more.status, "We have noted it for" in await more.text()) == (200, True)
    await world.restored()
    no = await client.post(path, data={"answer": "not_solved", "text": "dark", "episode": "1"})
    assert (no.status, "We have taken up" in await no.text()) == (200, True)
    late = await client.post(path, data={"answer": "not_solved", "text": "still dark", "episode": "1"})
    assert (late.status, "has moved on since" in await late.text()) == (409, True)
    await world.work()
    await world.restored()
    yes = await client.post(path, data={"answer": "solved", "episode": "2"})
    assert (yes.status, "that it is solved" in await yes.text()) == (200, True)
    score = await client.post(path, data={"answer": "score", "score": "4", "text": "quick", "episode": "2"})
    assert (score.status, 'value="4" required checked' in await score.text()) == (200, True)
    ticket = await world.ticket()
    assert ticket["dossier"]["satisfaction"] == 4
    assert "The reporter says more: It <b>hums</b>." in texts(ticket)


async def test_what_a_browser_sends_again_at_once_counts_once(client: Client, world: Reports) -> None:
    await world.opens()
    more = {"answer": "information", "text": "It hums.", "episode": "1"}
    for _ in range(2):
        assert "We have noted it for" in await (await client.post(link(world), data=more)).text()
    assert len(await world.messages_to("mei")) == 2
    await client.post(link(world), data={**more, "text": "It hums louder."})
    await client.post(link(world), data=more)
    await world.advance(timedelta(minutes=11))
    await client.post(link(world), data=more)
    assert texts(await world.ticket()).count("It hums.") == 3
    await world.restored()
    no = {"answer": "not_solved", "text": "dark", "episode": "1"}
    assert [(await client.post(link(world), data=no)).status for _ in range(2)] == [200, 200]
    assert (await world.ticket())["episode"] == 2
    await world.work()
    await world.restored()
    again = await client.post(link(world), data={**no, "episode": "2"})
    assert ("We have taken up" in await again.text(), (await world.ticket())["episode"]) == (True, 3)


async def test_whoever_has_said_that_it_is_solved_is_not_asked_again(client: Client, world: Reports) -> None:
    await world.opens()
    await world.restored()
    assert 'value="solved"' in await (await client.get(link(world))).text()
    await client.post(link(world), data={"answer": "solved", "episode": "1"})
    text = await (await client.get(link(world))).text()
    assert ("You have told us that it is solved." in text, 'value="solved"' in text) == (True, False)
    assert 'value="not_solved"' in text


async def test_the_page_speaks_another_language_if_its_address_says_so(client: Client, world: Reports) -> None:
    await world.opens()
    for path, lang in ((link(world), "en"), (f"{link(world)}?lang=zh", "zh-CN"), (f"{link(world)}?lang=xx", "en")):
        text = await (await client.get(path, headers={"Accept-Language": "zh"})).text()
        assert f'<html lang="{lang}">' in text
        assert '<section class="letter" lang="en">' in text
        assert ("今天" in text, "today at" in text.split("<p>We have received")[0]) == (lang == "zh-CN", lang == "en")
    heard = await client.post(f"{link(world)}?lang=zh", data={"answer": "information", "text": "x", "episode": "1"})
    assert "已记入" in await heard.text()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "表单不完整"),
        ({"answer": "delete"}, "表单不完整"),
        ({"answer": "information", "text": "  "}, "请填写内容"),
        ({"answer": "information", "text": "x" * 4001}, "内容超过 4000 个字符"),
        ({"answer": "score", "score": "4"}, "尚未恢复"),
        ({"answer": "solved", "episode": "9"}, "状态已变化"),
    ],
)
async def test_what_does_not_count_is_said_in_the_readers_language(
    client: Client, world: Reports, form: dict[str, str], said: str
) -> None:
    await world.opens(reporter={"language": "zh"})
    version = (await world.ticket())["version"]
    answer = await client.post(link(world), data=form)
    assert (answer.status, said in await answer.text()) == (409, True)
    assert (await world.ticket())["version"] == version


async def test_a_score_outside_its_bounds_does_not_count(client: Client, world: Reports) -> None:
    await world.opens()
    await world.restored()
    for score in ("0", "6", "", "five", "-1", "٣"):
        answer = await client.post(link(world), data={"answer": "score", "score": score})
        assert (answer.status, "not from 1 to 5" in await answer.text()) == (409, True)


async def test_what_does_not_count_comes_back_with_what_was_typed(client: Client, world: Reports) -> None:
    await world.opens()
    words = "It <still> jams."
    stale = {"answer": "not_solved", "text": words, "episode": "9"}
    text = await (await client.post(link(world), data=stale)).text()
    assert 'class="problems" tabindex="-1" autofocus' in text
    assert re.search(r'id="f-more"[^>]*>\s*It &lt;still&gt; jams\.</textarea>', text)
    await world.restored()
    text = await (await client.post(link(world), data=stale)).text()
    assert re.search(r'id="f-why"[^>]*>\s*It &lt;still&gt; jams\.</textarea>', text)
    assert text.count("jams.") == 1
    assert "jams." not in await (await client.get(link(world))).text()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"answer=information&text=%ff%fe", "application/x-www-form-urlencoded"),
        (b"answer=\xff", "application/x-www-form-urlencoded; charset=utf-8"),
        (b"answer=x", "application/x-www-form-urlencoded; charset=nonsense"),
        (b"not a part", "multipart/form-data; boundary=x"),
        (b"not a part", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="answer"; filename="a"\r\n\r\nx\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b'{"answer": "solved"}', "application/json"),
        (b"&".join([b"a=b"] * 30), "application/x-www-form-urlencoded"),
    ],
)
async def test_no_body_breaks_the_page(client: Client, world: Reports, body: bytes, kind: str) -> None:
    await world.opens()
    answer = await client.post(link(world), data=body, headers={"Content-Type": kind})
    assert answer.status in (200, 409)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_is_not_ours_opens_nothing(client: Client, world: Reports, method: str) -> None:
    await world.opens()
    good = link(world)
    foreign = ["/report/x", good[:-2] + "xx", good.replace(".", "", 1), link(world, 77)]
    for path in foreign:
        answer = await client.request(method, path, data={"answer": "solved"} if method == "POST" else None)
        text = await answer.text()
        assert (answer.status, "does not open a report any more" in text) == (403, True), path
        assert "INC-" not in text
    zh = await client.get("/report/x", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "此链接已失效" in await zh.text()


async def test_a_link_for_a_colleague_is_none_for_a_reporter(client: Client, world: Reports) -> None:
    await world.opens()
    (page,) = await world.messages_to("mei")
    token = page.split("/ack/")[1].split()[0]
    assert (await client.get(f"/report/{token}")).status == 403


async def test_after_forgetting_the_link_shows_nothing(client: Client, world: Reports) -> None:
    await world.opens()
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    text = await (await client.get(link(world))).text()
    assert "there was no fault to repair" in text
    await world.advance(181 * DAY)
    assert await erase_contacts(world.desk) == 1
    assert (await client.get(link(world))).status == 403
    assert (await client.post(link(world), data={"answer": "solved"})).status == 403


async def test_a_merged_report_shows_how_the_other_stands_and_takes_answers_for_it(
    client: Client, world: Reports
) -> None:
    first = await world.opens()
    await world.opens()
    await world.do("merge", key="2", into=first.number)
    await world.do("acknowledge")
    text = await (await client.get(link(world, 2))).text()
    assert "It is handled together with another report of the same trouble. Our team is working on it." in text
    assert 'value="information"' in text
    assert ('value="solved"' in text, 'value="score"' in text) == (False, False)
    await world.do("restore", reason="a new fuse")
    text = await (await client.get(link(world, 2))).text()
    assert "It should work again. Please check it." in text
    assert ('value="not_solved"' in text, 'value="score"' in text) == (True, False)
    answered = await client.post(link(world, 2), data={"answer": "not_solved", "text": "dark", "episode": "1"})
    assert f"We have noted it for {first.number}." in await answered.text()
    assert f"The reporter of {(await world.ticket(2))['number']}" in texts(await world.ticket(1))


async def test_the_ticket_shows_what_its_reporter_was_asked_and_that_a_contact_is_erased(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    await world.opens(reporter={"kind": "engineer"})
    await world.restored()
    line = (await (await client.get("/api/v1/tickets/1", headers=act)).json())["reporter"]
    assert (line["name"], line["kind"], line["asked_for"]) == ("Li Wei", "engineer", "confirmation")
    assert "asked for confirmation" in " ".join((await (await client.get("/tickets/1", headers=act)).text()).split())
    await world.do("relapse", reason="dark again")
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await world.advance(181 * DAY)
    await erase_contacts(world.desk)
    text = " ".join((await (await client.get("/tickets/1", headers=act)).text()).split())
    assert ("erased <time" in text, "Li Wei" in text) == (True, False)


async def test_a_ticket_that_nobody_reported_shows_no_reporter(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    await world.post(alert())
    assert (await (await client.get("/api/v1/tickets/1", headers=act)).json())["reporter"] is None
    assert "<h2>Reporter</h2>" not in await (await client.get("/tickets/1", headers=act)).text()
