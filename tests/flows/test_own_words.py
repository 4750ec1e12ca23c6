"""Letters in the house's own words: checked whole before they count, and never in the way of a letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from responder.domain.letter import OwnWords
from responder.store.database import Database
from tests.config.test_policy_language import BARE
from tests.config.written import mistakes, policy_of
from tests.flows.reports import Reports


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database)


def say(world: Reports, letter: str, **words: str) -> None:
    world.treat(letters={letter: {"en": OwnWords(**words)}})


async def test_a_letter_is_in_the_words_of_the_policy(world: Reports) -> None:
    say(world, "received", text="We have it as {{ number }}.", subject="Got it: {{ number }}")
    await world.opens()
    (letter,) = await world.letters()
    number = (await world.ticket())["number"]
    assert (await world.last_letter(), letter.subject) == (f"We have it as {number}.", f"Got it: {number}")
    assert "/report/" in letter.body


async def test_own_words_may_stand_around_the_shipped_ones(world: Reports) -> None:
    await world.opens()
    shipped = await world.last_letter()
    say(world, "received", text="{{ shipped }}\n\nYour service desk, phone 4711")
    await world.opens()
    numbers = [(await world.ticket(key))["number"] for key in ("2", "1")]
    assert (await world.last_letter(2)).replace(*numbers) == f"{shipped}\n\nYour service desk, phone 4711"


async def test_a_subject_without_the_number_gets_it_since_answers_are_found_by_it(world: Reports) -> None:
    say(world, "received", subject="Thank you")
    await world.opens()
    (letter,) = await world.letters()
    number = (await world.ticket())["number"]
    assert letter.subject == f"Thank you ({number})"


async def test_words_in_one_language_change_nothing_in_the_other(world: Reports) -> None:
    say(world, "received", text="We have it.")
    await world.opens(reporter={"language": "zh"})
    assert "我们已收到您的报告" in await world.last_letter()


async def test_a_template_that_fails_for_one_letter_gives_way_to_the_shipped_words(world: Reports) -> None:
    say(world, "received", text="{{ words.nothing.there }}")
    await world.opens()
    assert "We have received your report" in await world.last_letter()


async def test_a_line_break_in_a_subject_makes_no_header(world: Reports) -> None:
    say(world, "received", subject="{{ number }}{{ '\\nBcc: all@example.org' }}")
    await world.opens()
    (letter,) = await world.letters()
    assert "\n" not in letter.subject


# --- checking ---------------------------------------------------------------------------------------------------


def checked(text: str) -> list[str]:
    words = json.dumps(text)
    return mistakes(f"{BARE}reporter:\n  letters:\n    closed:\n      zh:\n        text: {words}\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ number }", "line 1 of it cannot be read"),
        ("Thank you.\n{% if grade %}", "line 2 of it cannot be read"),
        ("{{ contact }}", "there is no contact; there are number, grade"),
        ("{{ number + 1 }}", "it cannot be written"),
        ("{{ number.__class__.__mro__ }}", "it cannot be written"),
        ("{% include 'hand_over.txt.j2' %}", "it cannot be written"),
        ("{{ best_score / 2 }}", "it cannot be written"),
    ],
)
def test_a_template_that_cannot_be_written_is_named_with_its_place(text: str, why: str) -> None:
    (said,) = checked(text)
    place, _, complaint = said.partition(": ")
    assert place == f"{BARE.count(chr(10)) + 5}:9"
    assert complaint.startswith(why)


def test_what_may_be_missing_is_asked_for_before_it_is_used() -> None:
    assert not checked("{% if best_score %}1-{{ best_score }}{% endif %}{% for one in said %}{{ one }}{% endfor %}")


def test_the_words_come_from_the_policy_file() -> None:
    policy = policy_of(f"{BARE}reporter: {{letters: {{closed: {{zh: {{text: 再见}}}}}}}}\n")
    assert policy.reporter.letters == {"closed": {"zh": OwnWords(text="再见")}}
