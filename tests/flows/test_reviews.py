"""Reviews from the draft to the report: written by people, refused in sentences, kept in the history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from sqlalchemy import text as sql
from typer.testing import CliRunner, Result

from responder.cli import actions as action_commands
from responder.cli import reviews as review_commands
from responder.domain.actions import ActionItem
from responder.domain.facts import Fact
from responder.domain.requirements import Need
from responder.domain.review import PROMPTS, ReviewForm
from responder.domain.sla import ClockRule
from responder.domain.ticket import Action
from responder.errors import NotFound, Refused
from responder.flows.actions import finish_action
from responder.flows.batcher import Batcher
from responder.flows.handle import acknowledge, do
from responder.flows.review import as_markdown, draft_review, read_review, write_review
from responder.store.database import Database
from responder.web import reviews as review_routes
from responder.web.context import CONTEXT, Context
from responder.web.problems import errors_as_problems, security_headers
from tests.flows.asking import PEOPLE
from tests.world import World, alert, resolved, texts

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    made = World(tmp_path, database, people=PEOPLE)
    under(made, needs=())
    return made


def under(world: World, **changes: object) -> None:
    """Changes the policy of the world."""
    policy = replace(world.desk.policy, **changes)  # type: ignore[arg-type]
    world.desk.take_over(replace(world.desk.configuration, policy=policy))


async def handed_over(world: World) -> None:
    """First aid did not help on web-1, and ines has the ticket."""
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    world.clock.advance(MINUTE)
    await acknowledge(world.desk, "1", "ines")


async def restored(world: World) -> None:
    await handed_over(world)
    await world.post(alert())
    world.clock.advance(9 * MINUTE)
    await world.post(resolved())
    await world.work()


async def note(world: World, text: str) -> None:
    await do(world.desk, "note", "1", actor="mei", content={"text": text})


def a_form(world: World, **changes: object) -> ReviewForm:
    due_at = world.clock.now() + 14 * DAY
    form = ReviewForm(
        root_cause="Logs were never rotated.",
        cause_class="environment",
        whys=("The disk was full.", "Nobody rotated the logs."),
        factors=("people: nobody knew", "bad luck"),
        improvements="Rotate everything.",
        actions=(ActionItem(text="Rotate the logs", owner="mei", due_at=due_at),),
        participants=("ines", "mei"),
    )
    return replace(form, **changes)  # type: ignore[arg-type]


async def actions_of(world: World, ticket_id: int = 1) -> list[ActionItem]:
    found: list[ActionItem] = await world.read(lambda tx: tx.actions.of_ticket(ticket_id))
    return found


# --- drafting --------------------------------------------------------------------------------------


async def test_the_draft_tells_the_incident_in_plain_lines(world: World) -> None:
    await restored(world)
    drafted = await draft_review(world.desk, "1")
    start = datetime.fromisoformat((await world.ticket())["opened_at"])
    found = [(int((when - start).total_seconds() / 60), text) for when, text in drafted.review.timeline]
    told = [text for _, text in found]
    for beginning in (
        "machine: The ticket was opened: ServiceDown on web-1:9100. P1 by rule",
        "machine: First aid began: restart-app on web-1 (run 1)",
        "machine: Step “restart” of restart-app on web-1: failed. ",
        "machine: restart-app on web-1, step 1 (restart): ",
        "machine: Handed over to people: First aid did not help.",
        "machine: To tell: ines by mail, lars by phone",
        "ines (human): Acknowledged.",
        "machine: The same was reported once more.",
        "machine: Restored: All-clear",
    ):
        assert sum(line.startswith(beginning) for line in told) == 1, (beginning, told)
    # Channels do not wait for each other.
    assert {"machine: Told ines by mail, lars by phone.", "machine: Told lars by phone, ines by mail."} & set(told)
    assert [minutes for minutes, _ in found] == sorted(minutes for minutes, _ in found)
    assert found[-1][0] == 10
    assert not any("budgets" in line for line in told)
    assert drafted.review.whys == PROMPTS
    assert drafted.review.participants == ("ines",)


async def test_a_draft_of_an_unknown_ticket_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        await draft_review(world.desk, "77")


# --- writing ---------------------------------------------------------------------------------------


async def test_a_review_is_kept_with_its_actions_and_an_event(world: World) -> None:
    await restored(world)
    ticket = await write_review(world.desk, "1", "ines", a_form(world))
    dossier = await world.read(lambda tx: tx.dossiers.of_ticket(1))
    written = dossier.review
    assert (written.root_cause, written.cause_class) == ("Logs were never rotated.", "environment")
    assert (written.written_by, written.written_at, written.participants) == (
        "ines",
        world.clock.now(),
        ("ines", "mei"),
    )
    assert len(written.timeline) > 5
    (action,) = await actions_of(world)
    assert (action.id, action.ticket_id, action.owner, action.text) == (1, 1, "mei", "Rotate the logs")
    shown = await world.ticket()
    event = shown["events"][-1]
    assert (event["kind"], event["actor"], event["data"]["fact"]) == ("handled", "ines", "reviewed")
    assert event["text"].startswith("ines reviews it: Logs were never rotated. (environment, 2 whys). Action 1 for mei")
    assert shown["version"] == ticket.version


@pytest.mark.parametrize("status", ["restored", "resolved", "closed"])
async def test_a_review_can_be_written_at_any_time_from_restored_on(world: World, status: str) -> None:
    await restored(world)
    if status != "restored":
        await world.advance(HOUR)
    if status == "closed":
        await world.advance(10 * DAY)
    assert (await world.ticket())["status"] == status
    await write_review(world.desk, "1", "ines", a_form(world))
    assert (await world.ticket())["status"] == status


async def test_before_it_is_restored_a_review_is_refused_and_the_ticket_says_so(world: World) -> None:
    await world.post(alert("Other"))
    await world.work()
    with pytest.raises(
        Refused, match="is handed over, so it cannot be reviewed yet: a review is written from restored on"
    ):
        await write_review(world.desk, "1", "ines", a_form(world))
    assert "ines could not review: " in texts(await world.ticket())
    kept = sql("SELECT count(*) FROM dossiers")
    assert await world.read(lambda tx: tx.connection.execute(kept).scalar()) == 0
    assert await actions_of(world) == []


async def test_a_refusal_names_everything_that_is_missing_and_keeps_nothing(world: World) -> None:
    await restored(world)
    before = await world.ticket()
    past = ActionItem(text="Rotate", owner="eve", due_at=world.clock.now())
    form = a_form(world, root_cause=" ", cause_class="gremlins", whys=(), actions=(past,))
    with pytest.raises(Refused) as refused:
        await write_review(world.desk, "1", "ines", form)
    for sentence in (
        "the root cause is empty (root_cause)",
        "there is no cause class 'gremlins'; there are user_operation, product_defect, environment, third_party",
        "there are no whys; give one to 7 (whys)",
        "action “Rotate”: nobody is called 'eve' in the people file",
        "action “Rotate” is due ",
    ):
        assert sentence in str(refused.value)
    assert await world.ticket() == before
    assert await actions_of(world) == []


async def test_a_review_stops_the_clocks_that_wait_for_it(world: World) -> None:
    policy = world.desk.policy
    rule = ClockRule(name="review", start=frozenset({Fact.RESTORED}), stop=frozenset({Fact.REVIEWED}))
    grades = {name: replace(grade, targets={**grade.targets, "review": DAY}) for name, grade in policy.grades.items()}
    under(world, clocks=(*policy.clocks, rule), grades=grades)
    await restored(world)

    async def is_running() -> bool:
        clocks = (await world.ticket())["clocks"]
        (found,) = [one["stopped_at"] is None for one in clocks if one["name"] == "review"]
        return bool(found)

    assert await is_running()
    await write_review(world.desk, "1", "ines", a_form(world))
    assert not await is_running()


async def test_a_ticket_that_needs_a_review_is_closed_once_it_is_there(world: World) -> None:
    under(world, needs=(Need(move=Action.CLOSE, needs=("review",)),))
    await restored(world)
    await world.advance(HOUR)
    await world.advance(10 * DAY)
    assert (await world.ticket())["status"] == "resolved"
    await write_review(world.desk, "1", "ines", a_form(world))
    await world.advance(DAY)
    assert (await world.ticket())["status"] == "closed"


async def test_a_review_that_was_the_last_thing_missing_resolves_the_ticket_at_once(world: World) -> None:
    under(world, needs=(Need(move=Action.RESOLVE, needs=("review",)),))
    await restored(world)
    await world.advance(HOUR)
    assert (await world.ticket())["status"] == "restored"
    assert (await write_review(world.desk, "1", "ines", a_form(world))).status == "resolved"


async def test_writing_anew_keeps_the_history_and_promises_nothing_twice(world: World) -> None:
    await restored(world)
    first = a_form(world)
    await write_review(world.desk, "1", "ines", first)
    again = (*first.actions, ActionItem(text="Watch the disk", owner="lars", due_at=world.clock.now() + DAY))
    await write_review(world.desk, "1", "lars", replace(first, root_cause="No rule.", actions=again))
    assert [(one.id, one.text) for one in await actions_of(world)] == [(1, "Rotate the logs"), (2, "Watch the disk")]
    reviewed = [event for event in (await world.ticket())["events"] if event["data"].get("fact") == "reviewed"]
    causes = [event["data"]["review"]["root_cause"] for event in reviewed]
    assert causes == ["Logs were never rotated.", "No rule."]
    assert (await world.read(lambda tx: tx.dossiers.of_ticket(1))).review.written_by == "lars"


async def test_an_action_that_is_promised_already_is_not_moved_by_writing_anew(world: World) -> None:
    await restored(world)
    form = a_form(world)
    await write_review(world.desk, "1", "ines", form)
    later = replace(form.actions[0], due_at=form.actions[0].due_at + DAY)
    with pytest.raises(Refused, match=r"action 1 is promised already, due .*; move it with responder actions move 1"):
        await write_review(world.desk, "1", "ines", replace(form, actions=(later,)))
    await finish_action(world.desk, 1, "mei", "done")
    await write_review(world.desk, "1", "ines", form)
    assert len(await actions_of(world)) == 1


async def test_an_edited_timeline_is_kept_until_it_is_edited_again(world: World) -> None:
    await restored(world)
    edited = ((world.clock.now(), "mei (human): saw smoke"),)
    await write_review(world.desk, "1", "ines", a_form(world, timeline=edited))
    await write_review(world.desk, "1", "ines", a_form(world, actions=()))
    assert (await read_review(world.desk, "1")).review.timeline == edited
    assert (await draft_review(world.desk, "1")).review.timeline == edited
    assert len((await draft_review(world.desk, "1", is_fresh=True)).review.timeline) > 5


async def test_two_people_who_write_from_the_same_draft_one_is_refused(world: World) -> None:
    await restored(world)
    form = a_form(world, is_from_draft=True, replaces=None)
    found = await asyncio.gather(
        write_review(world.desk, "1", "ines", form),
        write_review(world.another_desk(), "1", "lars", form),
        return_exceptions=True,
    )
    (refused,) = [one for one in found if isinstance(one, Refused)]
    assert "after your draft; draft it again" in str(refused)
    assert len(await actions_of(world)) == 1
    written_at = (await read_review(world.desk, "1")).review.written_at
    world.clock.advance(MINUTE)
    await write_review(world.desk, "1", "lars", replace(form, replaces=written_at))


async def test_with_a_version_the_ticket_must_not_have_changed(world: World) -> None:
    await restored(world)
    version = (await world.ticket())["version"]
    await note(world, "looking")
    with pytest.raises(Refused, match="has changed since you read it"):
        await write_review(world.desk, "1", "ines", a_form(world), version=version)
    await write_review(world.desk, "1", "ines", a_form(world), version=version + 1)


# --- the report ------------------------------------------------------------------------------------


async def test_the_report_is_complete(world: World) -> None:
    await restored(world)
    await world.advance(HOUR)
    meeting_at = world.clock.now()
    await world.advance(10 * DAY)
    await write_review(world.desk, "1", "ines", a_form(world, meeting_at=meeting_at))
    await finish_action(world.desk, 1, "mei", "rotated")
    report = await read_review(world.desk, "1")
    text = as_markdown(report)
    number = report.ticket.number
    for piece in (
        f"# Review of {number}: ServiceDown on web-1:9100\n",
        "| Grade | P1: ",
        "| Status | closed |",
        "| alertname | ServiceDown |",
        " UTC machine: First aid began: restart-app on web-1 (run 1).",
        " UTC ines (human): Acknowledged.",
        "| 0s | 1m | 10m | 1h 10m |\n",
        "| respond | met, 14m to spare |",
        "| restore | met, ",
        "Class: environment\n",
        "Logs were never rotated.",
        "1. The disk was full.\n2. Nobody rotated the logs.\n",
        "- **people**\n  - nobody knew\n- **other**\n  - bad luck\n",
        "Rotate everything.",
        "| 1 | Rotate the logs | mei | ",
        "| done by mei: rotated |",
        "Written by ines at ",
        f"Review meeting held at {meeting_at:%Y-%m-%d %H:%M:%S} UTC.",
        "Took part: ines, mei.",
    ):
        assert piece in text, (piece, text)


async def test_a_clock_that_was_missed_says_by_how_much(world: World) -> None:
    await handed_over(world)
    await world.post(alert("Other", instance="web-2:9100"))
    await world.work()
    world.clock.advance(16 * MINUTE)
    await acknowledge(world.desk, "2", "mei")
    await world.post(resolved("Other", instance="web-2:9100"))
    await world.work()
    await write_review(world.desk, "2", "mei", a_form(world))
    report = await read_review(world.desk, "2")
    assert report.outcomes["respond"] == "missed by 1m"
    assert report.outcomes["resolve"] == "running"


async def test_what_strangers_and_people_wrote_is_no_markup_in_the_report(world: World) -> None:
    evil = {"evil": "<script>alert(1)</script> [x](javascript:1) | *b*\n# head &lt;i&gt;"}
    await world.post(alert(**evil))
    await world.post(resolved(**evil))
    await world.work()
    form = a_form(
        world,
        root_cause="# no heading\n\n<b>cron</b> * * * of R&D\n> said so",
        timeline=((world.clock.now(), "<i>"),),
    )
    await write_review(world.desk, "1", "ines", form)
    text = as_markdown(await read_review(world.desk, "1"))
    for harmful in ("<script", "<b>", "<i>", "[x](", "\n# head", "\n# no", "| *b*", " &lt;i&gt;", "\n> said"):
        assert harmful not in text, harmful
    assert "\n\\# no heading\n\n&lt;b>cron&lt;/b> \\* \\* \\* of R&D\n\\> said so\n" in text


async def test_a_ticket_without_a_review_has_no_report(world: World) -> None:
    await restored(world)
    with pytest.raises(NotFound, match="has no review yet; responder reviews draft INC-"):
        await read_review(world.desk, "1")


# --- over HTTP and from the command line -----------------------------------------------------------


@dataclass(frozen=True)
class Outside:
    """The routes on a real server, and the commands that talk to it."""

    url: str

    async def asks(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        async with ClientSession() as client, client.request(method, self.url + path, json=content) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await (answer.json(content_type=None) if is_json else answer.text())

    async def runs(self, *words: str) -> Result:
        root = typer.Typer()
        review_commands.add_to(root)
        action_commands.add_to(root)
        there = ("--server", self.url)
        return await asyncio.to_thread(CliRunner().invoke, root, [*words, *there])


async def _nothing() -> None: ...


async def _ready() -> str:
    return ""


@pytest.fixture
async def outside(world: World) -> AsyncIterator[Outside]:
    application = web.Application(middlewares=[security_headers, errors_as_problems])
    application[CONTEXT] = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_nothing, is_ready=_ready)
    application.add_routes(review_routes.routes())
    async with TestServer(application) as server:
        yield Outside(str(server.make_url("")))


async def test_a_draft_from_the_api_is_what_the_api_takes(world: World, outside: Outside) -> None:
    await restored(world)
    status, found = await outside.asks("GET", "/api/v1/tickets/1/review/draft")
    assert (status, found["cause_classes"][0]) == (200, "user_operation")
    draft = found["draft"]
    status, problem = await outside.asks("POST", "/api/v1/tickets/1/review", draft)
    assert (status, "the root cause is empty (root_cause)" in problem["detail"]) == (409, True)
    filled = {
        **draft,
        "root_cause": "Full disk",
        "cause_class": "environment",
        "whys": ["x"],
        "actions": [{"text": "Rotate", "owner": "mei", "due": "14d"}],
        "actor": "ines",
    }
    status, ticket = await outside.asks("POST", "/api/v1/tickets/1/review", filled)
    assert (status, ticket["status"]) == (200, "restored"), ticket
    status, report = await outside.asks("GET", "/api/v1/tickets/1/review")
    assert (report["written_by"], report["root_cause"], report["factors"]) == ("ines", "Full disk", [])
    assert report["timeline"] == draft["timeline"]
    assert report["durations"][0]["acknowledge_seconds"] == 60
    assert report["actions"][0]["state"] == "open"
    assert "markdown" not in report
    status, text = await outside.asks("GET", "/api/v1/tickets/1/review.md")
    assert (status, text.startswith("# Review of INC-")) == (200, True)
    # What was written once is not written again from the same draft.
    assert (await outside.asks("POST", "/api/v1/tickets/1/review", filled))[0] == 409
    anew = (await outside.asks("GET", "/api/v1/tickets/1/review/draft"))[1]["draft"]
    assert (await outside.asks("POST", "/api/v1/tickets/1/review", anew))[0] == 200
    assert len(await actions_of(world)) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"route_cause": "x"}, "“route_cause” is not known here; there are "),
        ({"whys": "because"}, "“whys” is not a list."),
        ({"timeline": [{"text": "x"}]}, "A line of the “timeline” does not say when it was (at)."),
        ({"timeline": {"at": "x"}}, "“timeline” is not a list."),
        ({"actions": [{"text": "x", "owner": "mei", "due": "soon"}]}, "“due”: 'soon' is no day or time; write it like"),
        ({"actions": [{"text": "x", "owner": "mei"}]}, "“due” is missing"),
        ({"meeting_at": "yesterday"}, "“meeting_at” is no time"),
        ({"version": "new"}, "“version” is not a whole number."),
        ({"root_cause": 7}, "“root_cause” is not a text."),
    ],
)
async def test_what_is_filled_in_wrongly_is_named(
    world: World, outside: Outside, content: dict[str, Any], sentence: str
) -> None:
    await restored(world)
    status, problem = await outside.asks("POST", "/api/v1/tickets/1/review", content)
    assert (status, sentence in problem["detail"]) == (422, True), problem


async def test_the_review_of_another_ticket_is_not_written_here(world: World, outside: Outside) -> None:
    await restored(world)
    status, problem = await outside.asks("POST", "/api/v1/tickets/1/review", {"ticket": "INC-9"})
    assert (status, problem["detail"].startswith("This is the review of INC-9, not of INC-")) == (409, True)


async def test_a_draft_is_filled_in_as_a_file_written_and_shown(world: World, outside: Outside, tmp_path: Path) -> None:
    await restored(world)
    await note(world, 'said "no": #1 {日志} \x85 \x7f \u2028 \U0001f525 \\ end')
    drafted = await outside.runs("reviews", "draft", "1")
    assert drafted.exit_code == 0, drafted.output
    assert 'cause_class: ""  # user_operation, product_defect, environment, third_party' in drafted.stdout
    empty = tmp_path / "empty.yml"
    empty.write_text(drafted.stdout)
    refused = await outside.runs("reviews", "write", "1", str(empty), "--as", "ines")
    assert (refused.exit_code, "there are no whys" in refused.output) == (1, True), refused.output

    meeting = datetime.now(UTC) - 9 * DAY
    filled = (
        drafted.stdout.replace('root_cause: ""', "root_cause: |\n  Full disk.\n  No rotation.")
        .replace('cause_class: ""', "cause_class: environment")
        .replace('- "Why did it show?"', "- no: because of it")
        .replace('- "Why did it show?"', "- 3")
        .replace("actions: []", "actions:\n  - {text: Add disks, owner: mei, due: 2099-12-31}")
        .replace('meeting_at: ""', f"meeting_at: {meeting:%Y-%m-%d}")
    )
    filled = filled.replace("- no: because of it", '- "no: because of it"')
    (tmp_path / "review.yml").write_text(filled)
    done = await outside.runs("reviews", "write", "1", str(tmp_path / "review.yml"), "--as", "ines")
    assert (done.exit_code, done.stdout.endswith(" is reviewed\n")) == (0, True), done.output
    report = json.loads((await outside.runs("reviews", "show", "1", "--json")).stdout)
    assert (report["root_cause"], report["whys"]) == ("Full disk.\nNo rotation.", ["no: because of it"])
    assert report["actions"][0]["due_at"] == "2099-12-31T23:59:59Z"
    assert report["meeting_at"] == f"{meeting:%Y-%m-%d}T00:00:00Z"
    assert report["factors"] == []
    drafted_lines = (await draft_review(world.desk, "1", is_fresh=True)).review.timeline
    assert [line["text"] for line in report["timeline"]] == [text for _, text in drafted_lines][
        : len(report["timeline"])
    ]
    assert any("日志" in line["text"] and "\U0001f525" in line["text"] for line in report["timeline"])
    shown = await outside.runs("reviews", "show", "1", "--markdown")
    assert shown.stdout.startswith("# Review of INC-")


async def test_a_quick_review_is_written_from_options_alone(world: World, outside: Outside) -> None:
    await restored(world)
    words = ["reviews", "write", "1", "--as", "ines", "--root-cause", "Full disk", "--cause-class", "environment"]
    words += ["--why", "Logs", "--why", "No rule", "--factor", "people: nobody knew"]
    words += ["--action", "mei 14d Rotate the logs: all of them", "--participant", "mei"]
    done = await outside.runs(*words)
    assert done.exit_code == 0, done.output
    report = await read_review(world.desk, "1")
    assert (report.review.whys, report.review.participants) == (("Logs", "No rule"), ("mei",))
    assert report.actions[0].text == "Rotate the logs: all of them"
    odd = await outside.runs("reviews", "write", "1", "--action", "mei soon")
    assert (odd.exit_code, "is not of the form “OWNER DAY TEXT”" in odd.output) == (2, True)


async def test_a_file_that_is_no_yaml_is_shown_with_its_place(world: World, outside: Outside, tmp_path: Path) -> None:
    (tmp_path / "twice.yml").write_text("root_cause: a\nroot_cause: b\n")
    twice = await outside.runs("reviews", "write", "1", str(tmp_path / "twice.yml"))
    assert (twice.exit_code, "twice.yml:2:1" in twice.output) == (2, True), twice.output
    (tmp_path / "list.yml").write_text("- a\n")
    odd = await outside.runs("reviews", "write", "1", str(tmp_path / "list.yml"))
    assert (odd.exit_code, "is no review" in odd.output) == (2, True)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/tickets/1/review/draft", "read"),
        ("GET", "/api/v1/tickets/1/review", "read"),
        ("GET", "/api/v1/tickets/1/review.md", "read"),
        ("POST", "/api/v1/tickets/1/review", "act"),
        ("GET", "/api/v1/actions", "read"),
        ("POST", "/api/v1/actions/1/done", "act"),
        ("POST", "/api/v1/actions/1/move", "act"),
    ],
)
async def test_without_a_token_nothing_is_shown_or_done(
    world: World, outside: Outside, method: str, path: str, scope: str
) -> None:
    settings = world.desk.configuration.settings.model_copy(update={"console": "token"})
    world.desk.take_over(replace(world.desk.configuration, settings=settings))
    status, problem = await outside.asks(method, path)
    assert (status, f"a token with the scope {scope}" in problem["detail"]) == (401, True)
