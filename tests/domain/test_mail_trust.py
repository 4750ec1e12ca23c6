"""Whose words count: what our own mail server has found, and nothing that came with the mail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail import Address, Mail
from responder.domain.mail_trust import TrustedPath, authentication, known_sender

OURS = TrustedPath(servers=("mx.example.org",))
PEOPLE = {"Anna@Example.org": "anna"}
PASSED = "mx.example.org; dmarc=pass header.from=example.org"


def mail(*results: str, sender: str = "anna@example.org", given: tuple[str, ...] | None = None) -> Mail:
    named = (f"Anna <{sender}>",) if given is None else given
    headers = {"from": named, "authentication-results": results}
    return Mail(id="1@x", digest="d", sender=Address(address=sender), headers=headers)


def person(found: Mail, trusted: TrustedPath = OURS) -> str:
    return known_sender(found, PEOPLE, trusted).person


@pytest.mark.parametrize(
    "result",
    [
        PASSED,
        "MX.example.org 1; spf=none; dmarc=pass (p=reject dis=none) header.from=example.org",
        "mx.example.org; spf=pass smtp.mailfrom=anna@example.org",
        "mx.example.org; spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=none",
        "mx.example.org; dkim=fail header.d=example.org; dkim=pass header.i=@example.org header.s=a header.b=abc",
        'mx.example.org; dkim=pass reason="good; very" header.d=example.org',
    ],
)
def test_a_known_person_over_an_authenticated_path_is_known(result: str) -> None:
    assert person(mail(result)) == "anna"
    assert person(mail(result), TrustedPath()) == ""


@pytest.mark.parametrize(
    "result",
    [
        "evil.example.com; dmarc=pass header.from=example.org",
        "mx.example.org.evil.example.com; dmarc=pass",
        "mx.example.org; none",
        "mx.example.org; dmarc=none",
        "mx.example.org; dmarc=pass header.from=evil.example.com",
        "mx.example.org; spf=pass smtp.mailfrom=evil.example.com",
        "mx.example.org; spf=pass smtp.helo=example.org",
        "mx.example.org; spf=pass smtp.mailfrom=anna@mail.example.org",
        "mx.example.org; spf=pass smtp.mailfrom=notexample.org",
        "mx.example.org; spf=pass smtp.mailfrom=org",
        "mx.example.org; spf=softfail smtp.mailfrom=example.org",
        "mx.example.org; dkim=pass header.d=evil.example.com header.d=example.org",
        "mx.example.org; spf=pass (smtp.mailfrom=example.org) smtp.mailfrom=evil.example.com",
        'mx.example.org; spf=fail smtp.mailfrom="x; dmarc=pass header.from=example.org"',
        "mx.example.org; spf=fail (x; dmarc=pass header.from=example.org) smtp.mailfrom=evil.example.com",
        r'mx.example.org; spf=fail smtp.mailfrom="a\"; dmarc=pass header.from=example.org; \""@evil.example.com',
        "(mx.example.org) evil.example.com; dmarc=pass",
        "mx.example.org; dmarc=pass header.from=example.org; dmarc=none header.from=example.org",
        # The local part of the envelope's sender is `"a); dkim=pass header.d=example.org; x=y ("`.
        'mx.example.org; spf=pass (domain of "a); dkim=pass header.d=example.org; x=y ("@evil.example.com passes) '
        "smtp.mailfrom=evil.example.com",
        "",
        ";;;",
    ],
)
def test_what_is_not_proven_is_not_believed(result: str) -> None:
    assert person(mail(result)) == ""


def test_a_parent_domain_may_sign_for_what_is_below_it() -> None:
    below = mail("mx.example.org; dkim=pass header.d=example.org", sender="bot@ops.example.org")
    assert authentication(below, OURS).is_authentic


def test_a_domain_that_only_ends_alike_may_not_sign() -> None:
    alike = mail("mx.example.org; dkim=pass header.d=example.org", sender="eve@notexample.org")
    assert not authentication(alike, OURS).is_authentic


def test_headers_that_came_with_the_mail_do_not_count_even_under_our_name() -> None:
    assert person(mail("mx.example.org; spf=none", PASSED)) == ""
    assert person(mail("other.example.com; spf=pass", PASSED)) == ""
    assert person(mail("mx.example.org; spf=none", PASSED), replace(OURS, stamps=2)) == "anna"
    assert person(mail("mx.example.org; spf=none", "x.example.com; arc=pass", PASSED), replace(OURS, stamps=3)) == ""


def test_a_failed_dmarc_refutes_whatever_else_passed() -> None:
    found = authentication(
        mail("mx.example.org; dmarc=fail header.from=example.org; dkim=pass header.d=example.org"), OURS
    )
    assert (found.is_authentic, found.is_refuted) == (False, True)
    assert not authentication(mail("other.example.com; dmarc=fail"), OURS).is_refuted


def test_a_comment_with_quotes_proves_nothing_but_still_refutes() -> None:
    odd = 'mx.example.org; spf=none ("a b"@example.org); dmarc=fail header.from=example.org'
    assert authentication(mail(odd), OURS).is_refuted


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("anna@example.org", "eve@example.com"),
        ("anna@example.org, eve@example.com",),
        ("Eve <eve@example.com>, Anna <anna@example.org>",),
        ("anna@example.org <eve@example.com>",),
        ("eve@example.com, Anna <anna@example.org>",),
        ("Eve <eve@example.com>",),
        ("Anna <anna@example.org><anna@example.org>",),
    ],
)
def test_several_senders_are_never_believed(given: tuple[str, ...]) -> None:
    assert person(mail(PASSED, given=given)) == ""


@pytest.mark.parametrize(
    "given",
    [
        "anna@example.org",
        '"Smith, Anna (ops) @ work" <Anna@example.org>',
        "安娜 <anna@example.org>",
        "Smith, Anna <anna@example.org>",
    ],
)
def test_names_of_every_kind_beside_one_address_do_no_harm(given: str) -> None:
    assert person(mail(PASSED, given=(given,))) == "anna"


def test_strangers_stay_strangers_however_well_they_are_proven() -> None:
    found = known_sender(mail("mx.example.org; dmarc=pass", sender="eve@example.org"), PEOPLE, OURS)
    assert (found.person, found.why) == ("", "Nobody known has the sender's address.")


PIECES = [
    "mx.example.org",
    ";",
    "dmarc=pass",
    "spf=pass",
    "(",
    ")",
    '"',
    "\\",
    " ",
    "header.from=example.org",
    "=",
    "@",
]
VALUES = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@given(first=VALUES, forged=st.lists(st.just(PASSED) | VALUES), given=st.lists(VALUES, max_size=3), sender=st.text())
def test_no_header_stops_the_question_and_none_below_counts(
    first: str, forged: list[str], given: list[str], sender: str
) -> None:
    alone, crowded = mail(first), mail(first, *forged)
    assert authentication(alone, OURS) == authentication(crowded, OURS)
    assert len(authentication(mail(first, sender=sender, given=tuple(given)), OURS).why) < 300
