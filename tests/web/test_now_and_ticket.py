"""The pages Now and Ticket: what they show, and what their forms do."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from responder.domain.switches import EVERYTHING
from responder.errors import SendFailed
from responder.flows.handle import do
from responder.flows.switches import turn_off_automation
from tests.web.conftest import Client, cookie, header
from tests.world import World, alert, resolved

HOSTILE = "<script>alert(1)</script>"
ENGLISH = re.compile(r"[A-Za-z]{4,}(?: [A-Za-z]{2,}){2,}")


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == status
    return await answer.text()


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found
    return found[1]


# --- Now -----------------------------------------------------------------------------------------------------


async def test_an_empty_world_says_what_to_do_next(client: Client, act: dict[str, str]) -> None:
    text = await shown(client, "/", act)
    assert "Nothing is open" in text
    assert "responder send-test-alert" in text
    assert "<tr" not in text


async def test_one_line_says_how_urgent_what_the_machine_did_and_who_is_called_next(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    world.clock.advance(timedelta(minutes=12))
    line = (await shown(client, "/", act)).split("<tbody>")[1].split("</tr>")[0]
    words = " ".join(re.sub("<[^>]+>", " ", line).split())
    assert words.startswith("P1 INC-")
    assert "ServiceDown on web-1:9100 ops firing 12m 3m respond restart-app failed" in words
    assert words.endswith("Take")
    assert 'class="clock soon"' in line


async def test_what_is_late_stands_above_what_has_time_and_what_is_restored_stands_last(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert(), alert("Slight", severity="info"), alert("Early"))
    await world.work()
    world.clock.advance(timedelta(minutes=20))
    await world.post(alert("Fresh"), resolved())
    text = await shown(client, "/", act)
    places = [text.index(f">{name} on") for name in ("Early", "Fresh", "Slight", "ServiceDown")]
    assert places == sorted(places)
    assert "5m</time> late" in text
    assert text.index("Restored: nothing to do") < places[-1]


async def test_what_is_said_to_be_restored_while_its_alert_fires_stands_by_its_urgency(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert(), alert("Slight", severity="info"))
    await world.work()
    assert (await world.ticket())["status"] == "restored"
    text = await shown(client, "/", act)
    line = text[text.index("<tbody>") : text.index(">Slight on")]
    assert "ServiceDown on web-1:9100</a>" in line
    assert '<span class="tag">restored</span>' in line
    assert "Restored: nothing to do" not in text
    assert "P1</span> 1</a>" in text
    await world.post(resolved())
    text = await shown(client, "/", act)
    assert text.index(">Slight on") < text.index("Restored: nothing to do") < text.index(">ServiceDown on")
    assert '<span class="tag">restored</span>' not in text


async def test_who_may_only_read_sees_no_form_that_acts(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await turn_off_automation(world.desk, "we look first", "mei", EVERYTHING)
    read = await header(world, "read")
    for path in ("/", "/tickets/1"):
        text = await shown(client, path, read)
        assert "<form" not in text.replace('<form method="dialog">', "")
    assert "we look first" in await shown(client, "/", read)


async def test_the_state_of_automation_and_of_those_on_call_is_on_the_page(
    client: Client, world: World, act: dict[str, str]
) -> None:
    text = await shown(client, "/", act)
    assert "no storm" in text
    assert re.search(r'<span class="soft">1</span> mei', text)
    await turn_off_automation(world.desk, HOSTILE, "mei", EVERYTHING)
    text = await shown(client, "/", act)
    assert "Automation is off" in text
    assert ("&lt;script&gt;alert" in text, HOSTILE in text) == (True, False)


async def test_the_title_of_what_cannot_be_taken_fits_also_where_nothing_is_missing(
    client: Client, world: World
) -> None:
    reader = {**await header(world, "admin"), "Accept": "text/html"}
    text = await shown(client, "/audit?outcome=sideways", reader, status=422)
    assert "<h1>That cannot be taken like this</h1>" in text


# --- what is done from a list, and what cannot be done -------------------------------------------------------


async def test_who_takes_a_ticket_in_a_list_comes_back_to_its_line(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"), alert("NodeDown"))
    await world.work()
    text = await shown(client, "/tickets?open=yes&grade=P1,P2", act)
    back = unescape(hidden(text, "back"))
    assert back == "/tickets?open=yes&grade=P1,P2"
    answer = await client.post("/tickets/2/acknowledge", data={"back": back}, headers=act, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"{back}#t2")
    line = (await shown(client, back, act)).split('id="t2"')[1].split("</tr>")[0]
    assert '<strong class="who">act-token</strong>' in line
    assert "/acknowledge" not in line


@pytest.mark.parametrize(
    "back",
    [
        "//evil.test/",
        "//[",
        "//evil.test",
        # Browsers, and what reads addresses here, leave these out.
        "/\t/evil.test/tickets",
        "/\n/evil.test/tickets",
        "https://evil.test/tickets",
        "/\\evil.test",
        "/sign-out",
        "tickets",
        "/tickets/../sign-out",
    ],
)
async def test_nothing_but_a_list_of_ours_is_come_back_to(
    client: Client, world: World, act: dict[str, str], back: str
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    answer = await client.post("/tickets/1/acknowledge", data={"back": back}, headers=act, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets/1?done=acknowledge")


async def test_what_would_be_refused_at_once_has_its_reason_instead_of_a_form(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert())
    await world.work()
    assert (await world.ticket())["status"] == "restored"
    text = await shown(client, "/tickets/1", act)
    resolve = text.split('id="do-resolve"')[1].split("</details>")[0]
    assert 'data-key="r"' in resolve
    assert ("still fires" in resolve, "<form" in resolve, "<button" in resolve) == (True, False, False)
    await do(world.desk, "relapse", "1", actor="mei", content={"reason": "not gone"})
    assert 'action="/tickets/' in text
    text = await shown(client, "/tickets/1", act)
    assert "<form" in text.split('id="do-escalate"')[1].split("</details>")[0]
    await do(world.desk, "escalate", "1", actor="mei", content={"reason": "too hard"})
    escalate = (await shown(client, "/tickets/1", act)).split('id="do-escalate"')[1].split("</details>")[0]
    assert ("has no tier above 2" in escalate, "<form" in escalate) == (True, False)


async def test_what_was_merged_is_not_offered_to_be_reopened(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull"), alert("NodeDown"))
    await world.work()
    await do(world.desk, "merge", "2", actor="mei", content={"into": "1"})
    reopen = (await shown(client, "/tickets/2", act)).split('id="do-reopen"')[1].split("</details>")[0]
    assert ("was merged; split it off instead" in reopen, "<form" in reopen) == (True, False)


async def test_a_key_whose_verb_is_not_there_has_the_reason_beside(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await do(world.desk, "acknowledge", "1", actor="lars", content={})
    text = await shown(client, "/tickets/1", act)
    why = re.search(r'<p class="notice warning" data-key="a"[^>]* hidden>([^<]*)</p>', text)
    assert why
    assert "is already acknowledged by lars." in why[1]
    assert text.count('data-key="r"') == text.count('data-key="e"') == 1


async def test_the_tries_of_one_message_stand_folded_under_the_newest(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.sender.failures.extend(SendFailed("no answer.") for _ in range(300))
    await world.post(alert("DiskFull"))
    await world.work()
    for _ in range(6):
        await world.advance(timedelta(minutes=5))
    events = (await world.ticket())["events"]
    tries = [one for one in events if one["text"].startswith("Not through to mei")]
    text = await shown(client, "/tickets/1", act)
    history = text.split('<ol class="plain history">')[1]
    folded = history.split('<details class="tries"')
    assert len(folded) == 1 + len({one["data"]["message"] for one in events if "try 3" in one["text"]})
    assert f"{len(tries) - 1} entries about this message before" in history
    assert tries[-1]["text"].replace("'", "&#39;") in history.split("<details")[0] + history
    assert history.count("Not through to mei") == len(tries)
    markdown = await shown(client, "/tickets/1.md", act)
    assert markdown.count("Not through to mei") == len(tries)


async def test_the_clocks_and_who_is_called_come_before_the_history(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    text = await shown(client, "/tickets/1", act)
    places = [text.index(one) for one in ('id="first-aid"', ">Clocks<", ">Who is called<", 'id="history"')]
    assert places == sorted(places)


# --- a ticket ------------------------------------------------------------------------------------------------


async def test_the_page_shows_the_steps_with_their_output_and_the_story_of_each_clock(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    text = await shown(client, "/tickets/1", act)
    assert '<span class="command">$ svc restart app</span>' in text
    assert "config is broken" in text
    assert "[exit code 1]" in text
    assert "Told mei by pager" in text
    assert 'id="clock-respond"' in text
    assert "target 15m" in text


async def test_a_move_comes_back_to_the_ticket_and_says_that_it_was_done(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    text = await shown(client, "/tickets/1", act)
    form = {"version": hidden(text, "version"), "seen": hidden(text, "seen")}
    answer = await client.post("/tickets/1/acknowledge", data=form, headers=act, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets/1?done=acknowledge")
    assert "Done: Acknowledge." in await shown(client, answer.headers["Location"], act)
    assert (await world.ticket())["acknowledged_by"] == "act-token"


async def test_who_saw_an_older_version_is_shown_what_came_between_and_keeps_what_was_typed(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    text = await shown(client, "/tickets/1", act)
    form = {"version": hidden(text, "version"), "seen": hidden(text, "seen"), "reason": 'cleaned "/var"'}
    await do(world.desk, "acknowledge", "1", actor="lars", content={})
    answer = await client.post("/tickets/1/restore", data=form, headers=act)
    again = await answer.text()
    assert answer.status == 409
    assert "has changed since you looked" in again
    since = again.split("What has happened since you looked:")[1].split("</ul>")[0]
    assert "lars has taken it." in since
    assert "first-aid" not in since
    assert 'value="cleaned &#34;/var&#34;"' in again
    assert (await world.ticket())["status"] == "in_progress"
    newer = {**form, "version": hidden(again, "version"), "seen": hidden(again, "seen")}
    answer = await client.post("/tickets/1/restore", data=newer, headers=act, allow_redirects=False)
    assert (answer.status, (await world.ticket())["status"]) == (303, "restored")


async def test_a_form_that_is_not_whole_says_so_and_keeps_the_rest(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    answer = await client.post("/tickets/1/regrade", data={"grade": "P3", "reason": " "}, headers=act)
    text = await answer.text()
    assert (answer.status, "“reason” is missing" in text) == (422, True)
    assert '<option value="P3" selected>' in text


async def test_what_stands_before_a_move_is_said_before_it_is_tried(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.fleet.pids["web-1"] = 0
    await world.post(alert())
    await world.work()
    text = await shown(client, "/tickets/1", act)
    assert "still fires; it is resolved once the alert has cleared" in text
    assert 'action="/tickets/' in text


async def test_only_what_is_possible_is_offered(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    await world.advance(timedelta(hours=1))
    await do(world.desk, "close", "1", actor="mei", content={"reason": "done"})
    text = await shown(client, "/tickets/1", act)
    offered = set(re.findall(r'action="/tickets/[^/"]+/([a-z-]+)"', text))
    assert "reopen" in offered
    assert not offered & {"acknowledge", "escalate", "restore", "resolve", "close", "assign", "merge"}


@pytest.mark.parametrize("path", ["/tickets/77", "/tickets/77.md", "/tickets/%3Cscript%3E"])
async def test_a_ticket_that_is_not_there_leads_on(client: Client, act: dict[str, str], path: str) -> None:
    text = await shown(client, path, {**act, "Accept": "text/html"}, status=404)
    assert "There is no ticket" in text
    chinese = await shown(client, f"{path}?lang=zh", {**act, "Accept": "text/html"}, status=404)
    assert ("没有工单" in chinese, "There is no" in chinese) == (True, False)
    assert ("<script>" in text, 'href="/"' in text) == (False, True)


async def test_the_ticket_as_markdown_is_text_whatever_the_labels_say(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("Disk*Full*", instance="[x](javascript:alert(1))"))
    await world.work()
    answer = await client.get("/tickets/1.md", headers=act)
    text = await answer.text()
    assert answer.content_type == "text/markdown"
    assert text.startswith("# P1 INC-")
    assert r"Disk\*Full\* on \[x\](javascript" in text
    assert "https://responder.test/tickets/INC-" in text


@pytest.mark.parametrize("path", ["/", "/tickets/1"])
async def test_the_pages_speak_chinese_beside_names_and_commands(
    client: Client, world: World, act: dict[str, str], path: str
) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    await do(world.desk, "acknowledge", "1", actor="mei", content={})
    text = await shown(client, f"{path}?lang=zh", act)
    body = re.sub(r"<pre>.*?</pre>|<dl class=\"facts\">.*?</dl>|<code>.*?</code>|<[^>]+>", "|", text, flags=re.DOTALL)
    found = ENGLISH.findall(body.split("English", 1)[1])
    assert set(found) <= {"ServiceDown on web", "core business is interrupted", "config is broken"}


async def test_a_reader_sees_times_in_their_own_zone(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert())
    text = await shown(client, "/tickets/1", act)
    opened = (await world.ticket())["opened_at"]
    assert f'<time datetime="{opened}" title="{opened[:10]} {opened[11:19]} UTC" data-time="ago">' in text


async def test_a_runbook_is_started_from_the_page_or_it_says_why_not(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    assert (await client.post("/tickets/1/acknowledge", headers=act)).status == 200
    path, order = "/tickets/1/runs", {"runbook": "restart-app", "target": "web-2"}

    nothing = await client.post(path, data={"runbook": "nothing"}, headers=act)
    assert (nothing.status, "There is no runbook nothing" in await nothing.text()) == (409, True)
    started = await client.post(path, data=order, headers=act, allow_redirects=False)
    assert (started.status, started.headers["Location"]) == (303, "/tickets/1?done=runs#first-aid")
    await world.work()
    assert world.fleet.restarts() == ["web-1", "web-2"]
    assert "Done: Start a runbook." in await shown(client, "/tickets/1?done=runs", act)


async def test_what_people_wrote_stays_as_they_wrote_it(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull"))
    await do(world.desk, "note", "1", actor="lars", content={"text": "Once."})
    for path in ("/tickets/1", "/tickets/1.md"):
        assert "Once." in await shown(client, f"{path}?lang=zh", act), path


async def test_the_keys_of_who_only_reads_say_that_the_role_does_nothing(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()
    text = await shown(client, "/tickets/1", await cookie(world, "viewer", "vera"))
    for key in "aerc":
        assert f'data-key="{key}" tabindex="-1" hidden>Your role reads tickets, and does nothing to them.' in text
    assert "does nothing to them" not in await shown(client, "/tickets/1", await cookie(world, "responder", "mei"))


async def test_the_head_of_a_ticket_names_who_was_called(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    head = (await shown(client, "/tickets/1", act)).split("<h1>")[0]
    assert "(called: mei)" in head
