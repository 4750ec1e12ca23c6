"""The known-issue base as people meet it: a closed ticket teaches, the next one is recognised, articles are written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from responder.domain.article import ArticleState
from responder.domain.dossier import EMPTY, Dossier, Plan, Review
from responder.domain.knowledge import Recognition, Source
from responder.domain.ticket import Change, Disposition, EventKind, Ticket
from responder.errors import BadForm, NotFound, Refused
from responder.flows import knowledge
from responder.flows.recognise import index_closed, recognise
from responder.store.transaction import Transaction
from tests.world import World, alert, texts

REVIEW = Review(
    root_cause="升级后日志轮转配置丢失",
    cause_class="environment",
    whys=("debug 日志一直增长",),
    improvements="Check the rotation after each upgrade.",
)
LEARNT = Dossier(
    fields={
        "symptom": "订单服务写日志报错，磁盘空间不足",
        "error_code": "LOG-4001",
        "name": "Li Wei",
        "contact": "139",
    },
    cause="Log rotation lost.",
    solution="Delete old logs, restore logrotate.",
    review=REVIEW,
)


async def opened(world: World, title: str, dossier: Dossier = EMPTY, **labels: str) -> int:
    """A ticket with this title; gives its id."""
    before = len(await world.read(lambda tx: tx.tickets.listed()))
    await world.post({**alert("Any", instance=f"n{before}", **labels), "annotations": {"summary": title}})
    ticket_id = before + 1
    if dossier is not EMPTY:
        await world.database.write(lambda tx: tx.dossiers.keep(ticket_id, dossier))
    return ticket_id


async def closed(world: World, title: str, dossier: Dossier = EMPTY, **changes: Any) -> int:
    """A ticket that has ended, as far as the knowledge base sees it."""
    ticket_id = await opened(world, title, dossier)

    def end(tx: Transaction) -> None:
        change = Change.of(tx.tickets.one(ticket_id).ticket)
        change.update(**changes)
        tx.apply([change], world.clock.now())
        index_closed(tx, change.after, tx.dossiers.of_ticket(ticket_id))

    await world.database.write(end)
    return ticket_id


async def seen(world: World, ticket_id: int) -> Recognition:
    """What is recognised, written into the ticket's history."""

    def body(tx: Transaction) -> Recognition:
        known = tx.tickets.one(ticket_id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        found = recognise(world.desk, tx, change, tx.dossiers.of_ticket(ticket_id))
        tx.apply([change], world.clock.now())
        return found

    return await world.database.write(body)


async def number_of(world: World, ticket_id: int) -> str:
    ticket: Ticket = (await world.read(lambda tx: tx.tickets.one(ticket_id))).ticket
    return ticket.number


# --- recurring or new ------------------------------------------------------------------------------


async def test_a_trouble_that_was_there_before_is_recurring_and_the_ticket_says_so(world: World) -> None:
    past = await closed(world, "订单服务日志把磁盘写满", LEARNT)
    new = await opened(world, "order 服务：日志所在硬盘已满")
    found = await seen(world, new)

    assert found.is_recurring
    assert found.sentence.startswith(f"Recurring: looks like {await number_of(world, past)} (")
    assert found.sentence.endswith("Delete old logs, restore logrotate.")
    (event,) = [one for one in (await world.ticket(new))["events"] if one["kind"] == EventKind.HANDLED]
    assert (event["text"], event["data"]["recurring"]) == (found.sentence, True)
    (match,) = event["data"]["similar"]
    assert (match["source"], match["id"], match["score"]) == ("ticket", past, round(found.similar[0].score, 2))
    assert {"硬盘", "日志"} <= set(match["words"])


async def test_a_trouble_that_nobody_has_seen_is_new(world: World) -> None:
    await closed(world, "订单服务日志把磁盘写满", LEARNT)
    new = await opened(world, "Thermal printer prints blank labels")
    assert not (await seen(world, new)).is_recurring
    assert "New: nothing in the knowledge base is like it." in texts(await world.ticket(new))


async def test_in_an_empty_base_everything_is_new(world: World) -> None:
    assert (await seen(world, await opened(world, "Disk full"))).sentence == (
        "New: nothing in the knowledge base is like it."
    )


async def test_a_ticket_is_not_like_itself_nor_like_the_article_that_was_drawn_from_it(world: World) -> None:
    past = await closed(world, "订单服务日志把磁盘写满", LEARNT)
    article = await knowledge.draft(world.desk, str(past), "mei")
    await knowledge.publish(world.desk, article.id, "mei")
    assert (await seen(world, past)).similar == ()


async def test_the_floor_is_the_policys(world: World) -> None:
    await closed(world, "Disk full on the log volume")
    new = await opened(world, "Disk full on the data volume of a host")
    score = (await seen(world, new)).similar[0].score
    object.__setattr__(world.desk.configuration.policy, "similar_from", score + 0.001)
    assert not (await seen(world, new)).is_recurring


@pytest.mark.parametrize("disposition", [Disposition.DUPLICATE, Disposition.FALSE_ALARM, Disposition.MAINTENANCE])
async def test_what_ended_as_no_trouble_of_its_own_teaches_nothing(world: World, disposition: Disposition) -> None:
    await closed(world, "Disk full on the log volume", LEARNT, disposition=disposition.value)
    assert not (await seen(world, await opened(world, "Disk full on the log volume"))).is_recurring


async def test_a_pseudo_fault_teaches_only_by_its_guide(world: World) -> None:
    pseudo = Disposition.PSEUDO_FAULT.value
    await closed(world, "Printer prints blank labels", Dossier(cause="Wrong side up."), disposition=pseudo)
    assert not (await seen(world, await opened(world, "Printer prints blank labels"))).is_recurring
    guide = Dossier(guide="Turn the roll around.", cause="secret cause")
    await closed(world, "Printer prints blank labels", guide, disposition=pseudo)
    found = await seen(world, await opened(world, "Printer prints blank labels"))
    assert found.similar[0].solution == "Turn the roll around."
    assert await knowledge.search(world.desk, "secret") == []


async def test_a_ticket_that_turns_out_to_be_a_duplicate_is_forgotten(world: World) -> None:
    past = await closed(world, "Disk full on the log volume", LEARNT)

    def merge(tx: Transaction) -> None:
        change = Change.of(tx.tickets.one(past).ticket)
        change.update(disposition=Disposition.DUPLICATE.value)
        index_closed(tx, change.after, LEARNT)

    await world.database.write(merge)
    assert await knowledge.search(world.desk, "disk") == []


async def test_an_alert_that_comes_every_night_is_one_document(world: World) -> None:
    first = await closed(world, "Disk full on the log volume")
    second = await closed(world, "Disk full on the log volume", previous_id=first)
    (match,) = (await seen(world, await opened(world, "Disk full on the log volume"))).similar
    assert (match.id, match.times) == (second, 2)


async def test_who_reported_it_is_never_in_the_base(world: World) -> None:
    await closed(world, "订单服务日志把磁盘写满", LEARNT)
    assert await knowledge.search(world.desk, "Li Wei 139") == []


# --- articles --------------------------------------------------------------------------------------


async def test_an_article_is_drafted_from_what_people_found_out_then_published_and_recommended(world: World) -> None:
    past = await closed(world, "订单服务日志把磁盘写满", LEARNT)
    article = await knowledge.draft(world.desk, str(past), "mei")
    assert article.state is ArticleState.DRAFT
    assert article.symptom == "订单服务写日志报错，磁盘空间不足\nLOG-4001"
    assert article.cause == "升级后日志轮转配置丢失\ndebug 日志一直增长"
    assert article.solution == "Delete old logs, restore logrotate.\nCheck the rotation after each upgrade."
    assert article.labels == {"alertname": "Any"}
    assert f"mei has drafted article {article.id}." in texts(await world.ticket(past))

    new = await opened(world, "日志磁盘已满 LOG-4001")
    assert [one.source for one in (await seen(world, new)).similar] == [Source.TICKET]
    await knowledge.publish(world.desk, article.id, "lars")
    # The article says all that its ticket does.
    assert [(one.source, one.id) for one in (await seen(world, new)).similar] == [(Source.ARTICLE, article.id)]
    await knowledge.retire(world.desk, article.id, "lars")
    assert [one.source for one in (await seen(world, new)).similar] == [Source.TICKET]


async def test_a_ticket_has_one_article(world: World) -> None:
    past = await closed(world, "Disk full", LEARNT)
    article = await knowledge.draft(world.desk, str(past), "mei")
    with pytest.raises(Refused, match=rf"has article {article.id} already \(draft\); edit that one"):
        await knowledge.draft(world.desk, str(past), "lars")
    await knowledge.retire(world.desk, article.id, "mei")
    assert (await knowledge.draft(world.desk, str(past), "lars")).id != article.id
    with pytest.raises(NotFound):
        await knowledge.draft(world.desk, "INC-0", "mei")


async def test_what_is_missing_is_said_and_can_be_filled_in(world: World) -> None:
    article = await knowledge.draft(world.desk, str(await opened(world, "Disk full")), "mei")
    with pytest.raises(Refused, match=r"cannot be published yet: it has no solution \(responder knowledge edit"):
        await knowledge.publish(world.desk, article.id, "mei")
    edited = await knowledge.edit(world.desk, article.id, {"solution": "Delete logs."}, "lars")
    assert (edited.solution, edited.actor, edited.title) == ("Delete logs.", "lars", "Disk full")
    assert (await knowledge.publish(world.desk, article.id, "mei")).state is ArticleState.PUBLISHED


async def test_an_edited_article_is_found_by_its_new_words_at_once(world: World) -> None:
    words = {"title": "Disk full", "symptom": "No space left.", "solution": "Delete logs."}
    article = await knowledge.write(world.desk, words, "mei", {"service": "order"})
    assert await knowledge.search(world.desk, "disk") == []
    await knowledge.publish(world.desk, article.id, "mei")
    await knowledge.edit(world.desk, article.id, {"title": "Printer jams", "symptom": "It jams."}, "mei")
    assert await knowledge.search(world.desk, "disk") == []
    assert [hit.id for hit in await knowledge.search(world.desk, "打印机")] == [article.id]


async def test_an_article_that_is_published_cannot_lose_its_solution_and_a_retired_one_is_not_changed(
    world: World,
) -> None:
    words = {"title": "Disk full", "symptom": "No space left.", "solution": "Delete logs."}
    article = await knowledge.write(world.desk, words, "mei", {})
    await knowledge.publish(world.desk, article.id, "mei")
    with pytest.raises(Refused, match=r"It is published: .* no solution"):
        await knowledge.edit(world.desk, article.id, {"solution": " "}, "mei")
    await knowledge.retire(world.desk, article.id, "mei")
    with pytest.raises(Refused, match="is retired"):
        await knowledge.edit(world.desk, article.id, {"title": "x"}, "mei")
    with pytest.raises(Refused, match="is retired"):
        await knowledge.publish(world.desk, article.id, "mei")


async def test_doing_it_again_changes_nothing(world: World) -> None:
    words = {"title": "Disk full", "symptom": "No space left.", "solution": "Delete logs."}
    article = await knowledge.write(world.desk, words, "mei", {})
    first = await knowledge.publish(world.desk, article.id, "mei")
    world.clock.advance(timedelta(hours=1))
    assert await knowledge.publish(world.desk, article.id, "lars") == first
    assert await knowledge.edit(world.desk, article.id, {"title": "Disk full"}, "lars") == first
    assert len(await knowledge.search(world.desk, "disk")) == 1


@pytest.mark.parametrize("words", [{}, {"id": "7"}, {"title": "x", "state": "published"}])
async def test_nothing_else_of_an_article_can_be_edited(world: World, words: dict[str, str]) -> None:
    article = await knowledge.write(world.desk, {"title": "Disk full"}, "mei", {})
    with pytest.raises(BadForm, match="Say what to change: title, symptom, cause, solution"):
        await knowledge.edit(world.desk, article.id, words, "mei")
    with pytest.raises(BadForm, match="title"):
        await knowledge.write(world.desk, {"symptom": "x"}, "mei", {})


async def test_an_article_holds_no_secret(world: World) -> None:
    article = await knowledge.write(
        world.desk, {"title": "Login", "solution": "Use password=hunter22 there"}, "mei", {}
    )
    assert "hunter22" not in article.solution


async def test_what_was_planned_counts_as_the_solution_only_once_it_was_approved(world: World) -> None:
    plan = Plan(kind="patch", steps=("Drop the slot", "Restart"), owner="mei")
    open_plan = await knowledge.draft(world.desk, str(await opened(world, "A", Dossier(plan=plan))), "mei")
    assert open_plan.solution == ""
    approved = Plan(kind="patch", steps=plan.steps, owner="mei", approved_at=world.clock.now())
    drafted = await knowledge.draft(world.desk, str(await opened(world, "B", Dossier(plan=approved))), "mei")
    assert drafted.solution == "Drop the slot; Restart"


# --- the case library ------------------------------------------------------------------------------


async def test_the_library_is_searched_in_either_language_with_the_words_marked(world: World) -> None:
    past = await closed(world, "订单服务日志把磁盘写满", LEARNT)
    await closed(world, "Printer jams")
    (hit,) = await knowledge.search(world.desk, "disk logrotate")
    assert (hit.source, hit.id, hit.name) == (Source.TICKET, past, await number_of(world, past))
    assert [hit.title.text[start:end] for start, end in hit.title.hits] == ["磁盘"]
    assert "logrotate" in [hit.excerpt.text[start:end] for start, end in hit.excerpt.hits]
    assert 0.99 < hit.score <= 1


async def test_what_holds_more_of_the_words_comes_first(world: World) -> None:
    some = await closed(world, "Disk slow")
    all_of_them = await closed(world, "Disk full by logs")
    assert [hit.id for hit in await knowledge.search(world.desk, "full disk")] == [all_of_them, some]
    assert [hit.id for hit in await knowledge.search(world.desk, "full disk", 1)] == [all_of_them]


@pytest.mark.parametrize("text", ["", "  ", "的了", "???"])
async def test_a_search_without_a_word_is_refused(world: World, text: str) -> None:
    with pytest.raises(BadForm, match="holds no word that could be looked for"):
        await knowledge.search(world.desk, text)
