"""What our letters are known by when an answer comes: nobody else can make it, whatever the case of letters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from responder.adapters.mail_names import MailNames
from responder.adapters.notifier import Secret

NAMES, OTHERS = MailNames(Secret("a secret of the service")), MailNames(Secret("another secret"))
IDS = st.integers(min_value=1, max_value=10**15)


@given(IDS)
def test_a_tag_leads_back_to_its_ticket_whatever_happens_to_its_case(ticket: int) -> None:
    assert NAMES.ticket_of(NAMES.tag(ticket)) == ticket
    assert NAMES.ticket_of(NAMES.tag(ticket).upper()) == ticket
    assert len(NAMES.tag(ticket)) <= 40


@given(IDS)
def test_a_message_id_leads_back_to_its_letter(letter: int) -> None:
    made = NAMES.message_id(letter, "desk.example.org")
    assert made.endswith("@desk.example.org")
    assert NAMES.message_of(made) == letter


@given(IDS, IDS)
def test_what_was_not_made_here_or_was_made_for_something_else_leads_nowhere(one: int, other: int) -> None:
    assert OTHERS.ticket_of(NAMES.tag(one)) is None
    assert NAMES.ticket_of(NAMES.message_id(one, "x").partition("@")[0]) is None
    signature = NAMES.tag(one).partition("-")[2]
    assert one == other or NAMES.ticket_of(f"{other}-{signature}") is None


@given(st.text(max_size=80))
def test_a_strange_name_is_no_name(text: str) -> None:
    assert NAMES.ticket_of(text) is None
    assert NAMES.message_of(text) is None


@given(IDS, st.text(max_size=20), st.text(max_size=20))
def test_in_a_text_our_names_are_masked_wherever_they_stand(number: int, before: str, after: str) -> None:
    for name in (NAMES.tag(number), NAMES.message_id(number, "desk.example.org"), NAMES.tag(number).upper()):
        masked = NAMES.masked(f"{before} help+{name}@desk {after}")
        assert name.partition("@")[0] not in masked


def test_what_only_looks_like_a_name_of_ours_stays() -> None:
    text = f"disk-1 2024-abcdefghijklmnop {OTHERS.tag(7)}"
    assert NAMES.masked(text) == text
