"""Names of files, and what a second send is known by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.enclosed import Enclosure, Sending, digest_of, plain_name, plain_names


@pytest.mark.parametrize(
    ("given_name", "plain"),
    [
        ("shot.png", "shot.png"),
        ("截图 1.png", "截图 1.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\li\\log.txt", "log.txt"),
        ("a\r\nSet-Cookie: x", "a Set-Cookie_ x"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("x" * 300 + ".tar", "x" * 96 + ".tar"),
        ("." + "x" * 300, "x" * 100),
        ("\udcff.txt", "txt"),
    ],
)
def test_a_name_harms_nobody(given_name: str, plain: str) -> None:
    assert plain_name(given_name) == plain


@given(st.lists(st.text(max_size=150), max_size=6))
def test_every_name_is_short_plain_and_its_own(names: list[str]) -> None:
    found = plain_names(names)
    assert len(set(found)) == len(found) == len(names)
    for name in found:
        assert 0 < len(name) <= 110
        assert not set("/\\\r\n\0") & set(name)
        assert name.encode()


def test_the_same_key_of_another_sender_is_another_one() -> None:
    assert Sending(key="a", sender="b").identity != Sending(key="a", sender="c").identity
    assert Sending(key="c", sender="ab").identity != Sending(key="bc", sender="a").identity
    assert Sending(sender="b").identity == ""


def test_a_digest_tells_what_was_said_where_and_with_which_files() -> None:
    one, other = Enclosure(name="a", content=b"1"), Enclosure(name="a", content=b"2")
    digests = [digest_of(["a", "b"], []), digest_of(["ab", ""], []), digest_of(["a", "b"], [one])]
    assert len({*digests, digest_of(["a", "b"], [other])}) == 4
    assert digest_of(["a", "b"], [one]) == digests[2]
