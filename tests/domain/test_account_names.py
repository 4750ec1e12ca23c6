"""What an account can be called, and what is shown of it."""

from __future__ import annotations

import pytest

from responder.domain.access import Role
from responder.domain.accounts import User, objection_to_name
from tests.fakes import NOW


@pytest.mark.parametrize(
    "name", ["mei", "Mei.Chen@example.org", "jürgen", "李伟", "李wei", "佐々木タロー", "김mina", "мария", "ops-2"]
)
def test_people_are_called_as_they_are_called(name: str) -> None:
    assert objection_to_name(name) == ""


@pytest.mark.parametrize("name", ["responder", "Reporter", "mail", "policy", "console", "machine", "PROXY"])
def test_nobody_is_called_like_the_machine(name: str) -> None:
    assert objection_to_name(name) == f"{name!r} is what responder itself is called in histories; take another name."


@pytest.mark.parametrize("name", ["m\u0435i", "\u03bfps", "\uff4d\uff45\uff49", "\U0001d426ei", "a\u0456李"])
def test_nobody_is_called_by_letters_that_look_like_those_of_another_name(name: str) -> None:
    assert "write it in the letters of one script" in objection_to_name(name)


@pytest.mark.parametrize("name", ["", " mei", "-mei", "mei\n", "mei\x00", "m" * 65])
def test_some_texts_are_no_names(name: str) -> None:
    assert "is no name" in objection_to_name(name)


def test_an_account_that_is_printed_does_not_show_what_is_kept_of_its_password() -> None:
    assert "argon2" not in repr(User(name="mei", role=Role.VIEWER, password_hash="$argon2id$x", created_at=NOW))
