"""Masking: secrets that a command prints do not reach the ticket; ordinary output stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.masking import masked, masked_words, without_addresses


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DB_PASSWORD=hunter22 next", "DB_PASSWORD=*** next"),
        ('{"api_key": "abcdef123456", "port": 80}', '{"api_key": "***", "port": 80}'),
        ("postgres://app:s3cret@db-1/app", "postgres://***@db-1/app"),
        ("Authorization: Bearer abc.def-ghi_jkl", "Authorization: ***"),
        ("curl -H 'authorization: Basic dXNlcjpwYXNz'", "curl -H 'authorization: ***'"),
        ("key AKIAIOSFODNN7EXAMPLE here", "key *** here"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter", "***\nafter"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "***"),
    ],
)
def test_what_has_the_shape_or_the_name_of_a_secret_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "app.service: Main process exited, code=exited, status=1/FAILURE",
        "Filesystem  Size  Used Avail Use% Mounted on\n/dev/sda1    20G   19G  0.5G  98% /",
        "listening on http://127.0.0.1:8080/",
        "see https://wiki.example.org/a:b/c@d",
        "10.0.0.1 - - [20/Nov/2026:03:00:00 +0000] GET / 200",
    ],
)
def test_ordinary_output_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_a_known_secret_is_masked_wherever_it_stands_and_the_longest_first() -> None:
    assert masked("xx-topsecret-longer-yy topsecret", ("topsecret", "topsecret-longer")) == "xx-***-yy ***"


def test_what_no_database_keeps_in_a_text_is_replaced() -> None:
    assert masked("a\0b") == "a\ufffdb"


def test_a_very_short_secret_does_not_blot_out_ordinary_words() -> None:
    assert masked("all is well", ("is",)) == "all is well"


@given(st.text(max_size=300), st.text(alphabet="abcdefgh0123", min_size=6, max_size=20))
def test_a_known_secret_is_never_shown(around: str, secret: str) -> None:
    assert secret not in masked(f"{around}{secret}{around}", (secret,))


@pytest.mark.parametrize(
    "text", ["to Li.Wei@Example.org.", "<LI.WEI@EXAMPLE.ORG>", "bounce+li.wei=example.org@desk", "li.wei%40example.org"]
)
def test_a_known_address_is_masked_as_people_and_servers_write_it(text: str) -> None:
    assert "li.wei" not in masked(text, ("li.wei@example.org",)).lower()


def test_the_case_of_a_password_counts() -> None:
    assert masked("Welcome to the hotel", ("welcome",)) == "Welcome to the hotel"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 <a.b@example.org>: unknown", "550 <***>: unknown"),
        ("moved to 王五@例子.中国", "moved to ***"),
        ("at 5.1.1 @ noon", "at 5.1.1 @ noon"),
    ],
)
def test_whatever_looks_like_an_address_can_be_masked(text: str, shown: str) -> None:
    assert without_addresses(text) == shown


def test_the_value_of_an_option_for_a_secret_is_masked_in_the_words_of_a_command() -> None:
    words = ("mysql", "--password", "hunter2", "--token", "--api-key=hunter2", "-pass", "x", "--password-file", "/a")
    assert masked_words((*words, "b", "--secret", "/run/secret", "mine-of-six"), ["mine-of-six"]) == [
        "mysql", "--password", "***", "--token", "--api-key=***", "-pass", "***", "--password-file", "/a",
        "b", "--secret", "/run/secret", "***",
    ]  # fmt: skip
