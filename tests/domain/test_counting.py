"""A number and its noun agree."""

from __future__ import annotations

import pytest

from responder.domain.counting import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls"), (21, "21 calls")])
def test_one_is_singular_and_nothing_else_is(number: int, said: str) -> None:
    assert counted(number, "call") == said


def test_what_takes_no_s_has_a_form_of_its_own() -> None:
    assert [counted(number, "is", "are") for number in (0, 1, 2)] == ["0 are", "1 is", "2 are"]
