"""The feedback form: asked by the policy, taken once, kept whole when something is wrong, and closed to floods."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from aiohttp import ClientResponse, FormData
from jinja2 import Environment, FileSystemLoader

from responder.adapters.yaml_file import load
from responder.config.configuration import read
from responder.config.policy import read_policy
from responder.domain.feedback import LABELS, faults, sheet_by
from responder.domain.policy import Policy
from responder.errors import ConfigError
from responder.flows.report_reading import vocabulary_by
from responder.flows.texts.languages import entries, offered
from responder.store.database import Database
from responder.web import pages
from tests.fakes import NOW
from tests.flows.reports import CONTACT, Reports
from tests.web.conftest import GUARDED, Client, header
from tests.world import write_files

OPEN = "feedback: {open: true, max_files: 2, max_file: 2048, max_sum: 3000, per_address: 4, in_all: 3}\n"
WHOLE = {"title": "Printer is dead", "name": "Li Wei", "contact": CONTACT, "reporter_kind": "user"}
PROFILES = ("p1-p4", "sop-3level", "regulation", "quick-response", "feedback-form")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database, main=f"{GUARDED}reporters: {{url_file: reporters-url}}\n{OPEN}")


def stamp_in(text: str) -> str:
    (found,) = re.findall(r'name="stamp" value="([^"]+)"', text)
    return unescape(found)


def sheet(*files: tuple[str, bytes], **texts: str) -> FormData:
    data = FormData(quote_fields=False, default_to_multipart=True)
    for name, text in texts.items():
        data.add_field(name, text)
    for name, content in files:
        data.add_field("files", content, filename=name, content_type="image/png")
    return data


async def begin(client: Client, world: Reports, lang: str = "en") -> str:
    """Opens the form and takes the time that people take; gives its stamp."""
    stamp = stamp_in(await (await client.get(f"/feedback?lang={lang}")).text())
    world.clock.advance(timedelta(seconds=30))
    return stamp


async def fill(client: Client, world: Reports, lang: str = "en", **texts: str) -> ClientResponse:
    stamp = await begin(client, world, lang)
    return await client.post(f"/feedback?lang={lang}", data=sheet(**{**WHOLE, "stamp": stamp, **texts}))


async def count(world: Reports) -> int:
    return len(await world.read(lambda tx: tx.tickets.listed()))


# --- a report ----------------------------------------------------------------------------------------


async def test_a_form_that_is_sent_opens_a_ticket_and_shows_its_number_and_the_reporters_page(
    client: Client, world: Reports
) -> None:
    answer = await fill(client, world, product="P900", affected_users="12", symptom="no <b>light</b>")
    text, ticket = await answer.text(), await world.ticket()
    assert (answer.status, ticket["number"] in text) == (200, True)
    assert (ticket["source"], ticket["dossier"]["fields"]["symptom"]) == ("website", "no <b>light</b>")
    (link,) = re.findall(r'href="https://responder.test(/report/[^"]+)"', text)
    await world.work()
    page = await (await client.get(link)).text()
    assert ticket["number"] in page
    (letter,) = await world.letters()
    (in_letter,) = re.findall(r"https://responder.test(/report/\S+)", letter.body)
    assert await (await client.get(in_letter)).text() == page
    assert (await world.reporter()).language == "en"


async def test_the_page_that_thanks_may_be_opened_again_and_only_by_its_link(client: Client, world: Reports) -> None:
    thanks = await fill(client, world)
    assert (thanks.method, thanks.url.path.startswith("/feedback/sent/")) == ("GET", True)
    again = await client.get(thanks.url.path, headers={"Accept-Language": "zh"})
    assert ((await world.ticket())["number"] in await again.text(), "您的报告编号为" in await again.text()) == (
        True,
        True,
    )
    for forged in (f"{thanks.url.path}x", "/feedback/sent/x"):
        answer = await client.get(forged)
        assert (answer.url.path, "INC-" in await answer.text()) == ("/feedback", False)
    assert await count(world) == 1


async def test_what_is_wrong_stands_beside_each_field_and_nothing_typed_is_lost(client: Client, world: Reports) -> None:
    answer = await fill(
        client, world, title="", contact='"><script>me', affected_users="many", symptom='"><script>', occurred_at="soon"
    )
    text = await answer.text()
    assert (answer.status, await count(world)) == (422, 0)
    for name in ("title", "contact", "affected_users", "occurred_at"):
        assert f'id="w-{name}"' in text, name
        assert f'href="#f-{name}"' in text, name
        assert re.search(rf'id="f-{name}"[^>]*aria-invalid="true"[^>]*aria-describedby="w-{name}', text), name
    assert ('value="Li Wei"' in text, 'value="&#34;&gt;&lt;script&gt;me"' in text, 'value="many"' in text) == (
        True,
        True,
        True,
    )
    assert ("&#34;&gt;&lt;script&gt;" in text, "<script" in text) == (True, False)
    again = await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp_in(text)))
    assert (again.status, await count(world)) == (200, 1)


async def test_secrets_in_what_is_typed_are_masked(client: Client, world: Reports) -> None:
    await fill(client, world, symptom="password=hunter2222", title=f"Call me at {CONTACT}")
    ticket = await world.ticket()
    assert ("hunter2222" in str(ticket), CONTACT in ticket["title"]) == (False, False)


async def test_a_form_that_is_sent_twice_gives_the_first_ticket(client: Client, world: Reports) -> None:
    stamp = await begin(client, world)
    texts = [await (await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp))).text() for _ in range(2)]
    number = (await world.ticket())["number"]
    assert ([number in text for text in texts], await count(world)) == ([True, True], 1)


async def test_another_report_with_a_used_form_is_shown_again_with_a_new_key(client: Client, world: Reports) -> None:
    stamp = await begin(client, world)
    await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp))
    other = await client.post("/feedback", data=sheet(**{**WHOLE, "name": "Otto"}, stamp=stamp))
    text = await other.text()
    assert (other.status, "/report/" in text, 'value="Otto"' in text) == (409, False, True)
    world.clock.advance(timedelta(seconds=5))
    third = await client.post("/feedback", data=sheet(**{**WHOLE, "name": "Otto"}, stamp=stamp_in(text)))
    assert (third.status, await count(world)) == (200, 2)


# --- files -------------------------------------------------------------------------------------------


async def test_files_are_kept_under_harmless_names(client: Client, world: Reports) -> None:
    stamp = await begin(client, world)
    files = (("../a.png", b"one"), ("a.png", b"two"))
    assert (await client.post("/feedback", data=sheet(*files, **WHOLE, stamp=stamp))).status == 200
    assert [one["name"] for one in (await world.ticket())["attachments"]] == ["a.png", "2-a.png"]


@pytest.mark.parametrize(
    ("sizes", "says"),
    [((2049,), "at most 2 KB"), ((10, 10, 10), "At most 2 files can"), ((1600, 1600), "All files together")],
)
async def test_too_much_of_files_is_said_beside_the_field_and_the_rest_is_kept(
    client: Client, world: Reports, sizes: tuple[int, ...], says: str
) -> None:
    stamp = await begin(client, world)
    files = tuple((f"{index}.bin", b"x" * size) for index, size in enumerate(sizes))
    answer = await client.post("/feedback", data=sheet(*files, **WHOLE, stamp=stamp))
    text = await answer.text()
    assert (answer.status, says in text, 'value="Li Wei"' in text, "choose your files again" in text) == (
        422, True, True, True,
    )  # fmt: skip
    assert await count(world) == 0


async def test_an_empty_file_field_is_no_file(client: Client, world: Reports) -> None:
    stamp = await begin(client, world)
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in {**WHOLE, "stamp": stamp}.items()
    )
    body += '--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n'
    body += "Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await client.post("/feedback", data=body.encode(), headers=kind)).status == 200
    assert (await world.ticket())["attachments"] == []


async def test_a_body_beyond_all_limits_is_refused_in_the_readers_language(client: Client, world: Reports) -> None:
    answer = await client.post("/feedback?lang=zh", data=sheet(("big", b"x" * 400_000), **WHOLE))
    assert (answer.status, "附件过大" in await answer.text()) == (413, True)


# --- machines ----------------------------------------------------------------------------------------


async def test_blind_programs_open_nothing(client: Client, world: Reports) -> None:
    stamp = stamp_in(await (await client.get("/feedback")).text())
    fast = await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp))
    world.clock.advance(timedelta(seconds=30))
    trapped = await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp, website="https://spam.test"))
    forged = await client.post("/feedback", data=sheet(**WHOLE, stamp=f"{stamp}x"))
    assert ([fast.status, trapped.status, forged.status], await count(world)) == ([422] * 3, 0)
    for answer in (fast, trapped, forged):
        assert 'value="Li Wei"' in await answer.text()


async def test_a_form_that_was_open_for_half_a_day_gets_a_new_stamp(client: Client, world: Reports) -> None:
    stamp = await begin(client, world)
    world.clock.advance(timedelta(hours=12))
    late = await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp))
    text = await late.text()
    assert (late.status, "open for very long" in text) == (422, True)
    world.clock.advance(timedelta(seconds=5))
    assert (await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp_in(text)))).status == 200


@pytest.mark.parametrize("body", [b"", b"no part", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="a"'])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "application/json"])
async def test_no_body_breaks_the_form(client: Client, world: Reports, body: bytes, kind: str) -> None:
    answer = await client.post("/feedback", data=body, headers={"Content-Type": kind})
    assert (answer.status, await count(world)) == (422, 0)


async def test_an_address_that_sends_too_often_waits_and_is_told_how_long(client: Client, world: Reports) -> None:
    for _ in range(4):
        assert (await client.post("/feedback", data=sheet(name="x"))).status == 422
    world.clock.advance(timedelta(minutes=20))
    refused = await client.post("/feedback", data=sheet(**WHOLE))
    assert (refused.status, refused.headers["Retry-After"]) == (429, "2401")
    assert "try again in 41 min" in await refused.text()
    assert (await client.get("/feedback")).status == 200
    world.clock.advance(timedelta(minutes=40))
    assert (await fill(client, world)).status == 200


async def test_more_reports_than_all_together_may_send_wait_too(client: Client, world: Reports) -> None:
    for number in range(3):
        assert (await fill(client, world, title=f"Report {number}")).status == 200
    assert (await fill(client, world)).status == 429
    assert await count(world) == 3


async def test_another_site_can_send_nothing(client: Client, world: Reports) -> None:
    foreign = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
    )
    _set(world, per_address=100)
    for headers in foreign:
        stamp = await begin(client, world)
        answer = await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp), headers=headers)
        assert (answer.status, await count(world)) == (403, 0)


async def test_what_browsers_say_of_our_own_form_is_taken(client: Client, world: Reports) -> None:
    host = f"{client.host}:{client.port}"
    own = (
        {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{host}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": f"http://{host}"},
    )
    for headers in own:
        stamp = await begin(client, world)
        assert (await client.post("/feedback", data=sheet(**WHOLE, stamp=stamp), headers=headers)).status == 200
    answer = await client.get("/feedback")
    assert answer.headers["Referrer-Policy"] == "same-origin"


# --- who may -----------------------------------------------------------------------------------------


async def test_without_the_setting_there_is_no_form(client: Client, world: Reports) -> None:
    _set(world, open=False)
    for method in ("GET", "POST"):
        assert (await client.request(method, "/feedback")).status == 404


async def test_behind_a_token_only_who_shows_one_sees_the_form(client: Client, world: Reports) -> None:
    _set(world, open=False, behind="token")
    refused = await client.get("/feedback")
    assert (refused.status, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert (await client.post("/feedback", data=sheet(**WHOLE))).status == 401
    assert (await client.get("/feedback", headers=await header(world, "ingest"))).status == 200


def test_open_and_behind_a_token_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    path = write_files(tmp_path, main=f"{GUARDED}feedback: {{open: true, behind: token}}\n")
    with pytest.raises(ConfigError, match=r"responder.yml:\d+:\d+: .*one of open: true and behind: token"):
        read(path)


def _set(world: Reports, **values: object) -> None:
    configuration = world.desk.configuration
    feedback = configuration.settings.feedback.model_copy(update=values)
    settings = configuration.settings.model_copy(update={"feedback": feedback})
    world.desk.take_over(replace(configuration, settings=settings))


# --- languages and policies --------------------------------------------------------------------------


async def test_the_form_speaks_as_the_address_says_else_as_the_browser_asks(client: Client, world: Reports) -> None:
    chinese = {"Accept-Language": "fr-FR,zh-CN;q=0.8,en;q=0.5"}
    for path, headers, lang in (
        ("/feedback", {}, "en"),
        ("/feedback", chinese, "zh-CN"),
        ("/feedback?lang=en", chinese, "en"),
        ("/feedback?lang=zh", {}, "zh-CN"),
        ("/feedback?lang=xx", {}, "en"),
    ):
        text = await (await client.get(path, headers=headers)).text()
        assert f'<html lang="{lang}">' in text, path
    answer = await fill(client, world, lang="zh")
    assert "您的报告编号为" in await answer.text()
    assert (await world.reporter()).language == "zh"


async def test_the_page_runs_nothing_and_loads_nothing_from_elsewhere(client: Client, world: Reports) -> None:
    answer = await client.get("/feedback")
    text = await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (answer.headers["Cache-Control"], re.findall(r"<script|style=| on\w+=|//", text)) == ("no-store", [])


async def test_every_field_has_a_label(client: Client, world: Reports) -> None:
    text = await (await client.get("/feedback")).text()
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* ?id="([^"]+)"', text))
    assert fields == set(re.findall(r'<label for="([^"]+)"', text))
    assert {"f-title", "f-contact", "f-files"} < fields


def policy_of(profile: str, tmp_path: Path, more: str = "") -> Policy:
    path = tmp_path / "policy.yml"
    path.write_text(f"extends: {profile}\n{more}")
    return read_policy(load(path))[1].as_policy()


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_has_its_own_form_and_it_is_all_in_chinese(profile: str, tmp_path: Path) -> None:
    policy = policy_of(profile, tmp_path)
    form = sheet_by(policy)
    names = [one.name for one in form.all]
    assert len(names) == len(set(names))
    required = {one.name for one in form.all if one.is_required}
    assert required == {"title", "name", "contact", *policy.report_fields}
    assert ("kind" in names) == bool(policy.kinds)
    spoken = [word for one in form.all for word in (one.label, *(one.words or dict.fromkeys(one.choices, "")).values())]
    spoken += [choice for one in form.all if not one.words for choice in one.choices]
    assert [word for word in spoken if word and offered(word, "zh") == word] == []


def test_the_forms_of_the_profiles_differ(tmp_path: Path) -> None:
    assert len({str(sheet_by(policy_of(one, tmp_path)).wanted) for one in PROFILES}) == 5


def test_a_field_that_grade_rules_read_offers_their_words(tmp_path: Path) -> None:
    scope = next(one for one in sheet_by(policy_of("regulation", tmp_path)).wanted if one.name == "scope")
    assert (scope.choices, scope.is_required) == (("whole system", "department", "several users", "single user"), True)


def choices(policy: Policy, name: str) -> tuple[str, ...]:
    return next(one for one in sheet_by(policy).wanted if one.name == name).choices


def test_a_reporter_may_choose_only_what_the_policy_offers(tmp_path: Path) -> None:
    policy = policy_of("sop-3level", tmp_path)
    assert choices(policy, "kind") == ("hardware", "software")
    assert choices(policy, "impact") == ("core function unusable", "partly unusable", "slight", "cosmetic")
    assert "partial" not in choices(policy_of("p1-p4", tmp_path), "impact")
    assert "operator-error" not in choices(policy_of("regulation", tmp_path), "kind")
    wrong = faults(sheet_by(policy), {**WHOLE, "kind": "pseudo-fault", "impact": "partial"}, policy, NOW)
    assert {wrong[name] for name in ("kind", "impact")} == {"Please choose one of the list."}


def test_what_is_not_offered_is_still_understood_where_somebody_writes_it(tmp_path: Path) -> None:
    words = vocabulary_by(policy_of("sop-3level", tmp_path)).words["impact"]
    assert (words["partial"], words["部分"], words["slight"]) == ("partial", "partial", "slight")


def test_a_policy_that_replaces_the_words_of_its_profile_offers_its_own(tmp_path: Path) -> None:
    more = "default_grade: level-3\ngrade_rules: [{name: on fire, grade: level-1, facts: {impact: [fire, smoke]}}]\n"
    more += "kinds: {hardware: null, software: null}\n"
    policy = policy_of("sop-3level", tmp_path, more + "kind_rules: []\n")
    assert (choices(policy, "impact"), choices(policy, "kind")) == (("fire", "smoke"), ("pseudo-fault",))
    offered_there = "report: {offered: {impact: [smoke]}}\n"
    policy = policy_of("sop-3level", tmp_path, more + "kind_rules: []\n" + offered_there)
    assert choices(policy, "impact") == ("smoke",)


def test_a_policy_says_what_is_asked_besides(tmp_path: Path) -> None:
    form = sheet_by(policy_of("sop-3level", tmp_path, "report: {required: product, asked: [serial, colour_of_light]}"))
    assert [one.label for one in form.besides] == [
        "Serial or batch number",
        "Colour of light",
        "How urgent it is to you",
    ]


def test_every_sentence_of_the_form_has_its_chinese() -> None:
    folder = Path(pages.__file__).parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), extensions=["jinja2.ext.i18n"], autoescape=True)
    found = {
        sentence
        for _, _, sentence in environment.extract_translations((folder / "feedback.html").read_text())  # type: ignore[attr-defined]
        if isinstance(sentence, str)
    }
    assert len(found) > 15
    assert (found | set(LABELS.values())) - {english for kind, english in entries("zh") if not kind} == set()
