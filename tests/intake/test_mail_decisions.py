"""What is decided of mails as they come in: bytes are read, and the decisions see what they need."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail_loop import AnswersSent, Kind, may_answer, nature
from responder.domain.mail_thread import OwnAddress, traces
from responder.domain.mail_trust import TrustedPath, authentication, known_sender
from responder.intake.mail.reading import KEPT_HEADERS, read_mail
from responder.intake.mail.reply import reply_of
from tests.fakes import material_folder

OWN = OwnAddress(address="help@example.org", id_domain="responder.example.org")
OURS = TrustedPath(servers=("mx.example.org",))
PEOPLE = {"anna@example.org": "anna"}
PASSED = "Authentication-Results: mx.example.org; dmarc=pass header.from=example.org\r\n"


def raw(headers: str, text: str = "Hello") -> bytes:
    return f"{headers}\r\n{text}\r\n".encode()


def test_a_whole_mail_is_traced_trusted_and_without_its_quote() -> None:
    mail = read_mail(
        raw(
            PASSED + "From: Anna <anna@example.org>\r\nTo: Help <help+t1-abc@example.org>\r\n"
            "In-Reply-To: <1@responder.example.org>\r\nSubject: Re: [INC-1] disk\r\n",
            "approve\r\n\r\nOn 2026-11-20 10:00, Help wrote:\r\n> May it?",
        )
    )
    found = traces(mail, OWN)
    assert (found.tags, found.ids) == (("t1-abc",), ("1@responder.example.org",))
    assert "INC-1" in found.numbers
    assert known_sender(mail, PEOPLE, OURS).person == "anna"
    assert (nature(mail, OWN).kind, mail.said) == (Kind.PERSON, "approve")


@pytest.mark.parametrize(
    "headers",
    [
        "From: anna@example.org\r\n" + "Received: from x\r\n",
        "Authentication-Results: mx.example.org; spf=none\r\n" + PASSED + "From: anna@example.org\r\n",
        PASSED + "From: anna@example.org\r\nFrom: eve@example.com\r\n",
        PASSED + "From: anna@example.org, eve@example.com\r\n",
        PASSED + "From: =?utf-8?q?anna=40example=2Eorg?= <eve@example.com>\r\n",
        PASSED + "Sender: anna@example.org\r\n",
        "Authentication-Results: mx.example.org;\r\n spf=fail smtp.mailfrom==?utf-8?q?;_dmarc=3Dpass_;?=@x.com\r\n"
        "From: anna@example.org\r\n",
    ],
)
def test_headers_from_outside_make_nobody_known(headers: str) -> None:
    assert known_sender(read_mail(raw(headers)), PEOPLE, OURS).person == ""


def test_encoded_words_in_a_finding_stay_encoded() -> None:
    mail = read_mail(
        raw("Authentication-Results: mx.example.org; =?utf-8?q?dmarc=3Dpass?=\r\nFrom: anna@example.org\r\n")
    )
    assert not authentication(mail, OURS).is_authentic


def test_every_header_that_decisions_ask_for_is_kept() -> None:
    names = (
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "list-id",
        "content-type",
        "x-loop",
        "feedback-id",
        "from",
    )
    assert set(names) <= set(KEPT_HEADERS)
    receipt = read_mail(
        raw("From: a@example.net\r\nContent-Type: multipart/report; report-type=disposition-notification\r\n")
    )
    assert nature(receipt, OWN).kind is Kind.AUTO_REPLY


def _collected() -> dict[str, Any]:
    index = material_folder() / "mail" / "index.json"
    files = json.loads(index.read_text())["files"] if index.is_file() else {}
    return {name: about["expected"] for name, about in files.items() if name.endswith(".eml")}


def test_collected_mails_are_told_apart_as_they_are_described() -> None:
    collected = _collected()
    if not collected:
        pytest.skip("the collected mails are not here")
    for name, expected in collected.items():
        mail = read_mail((material_folder() / "mail" / name).read_bytes())
        kind = nature(mail, OWN).kind
        assert (kind is Kind.BOUNCE) is expected["is_bounce"], name
        if expected["is_auto_reply"] is False:
            assert kind is not Kind.AUTO_REPLY, name
        if expected["is_bounce"] or expected["is_auto_reply"] is True:
            assert may_answer(mail, nature(mail, OWN), AnswersSent()), name


def test_replies_in_html_give_what_the_tests_of_other_projects_expect() -> None:
    folder = material_folder() / "mail"
    if not (folder / "index.json").is_file():
        pytest.skip("the collected mails are not here")
    for name, about in json.loads((folder / "index.json").read_text())["files"].items():
        if name.endswith(".html"):
            head = b"From: a@example.net\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
            said = read_mail(head + (folder / name).read_bytes()).said
            assert said.split() == about["expected_reply_text"].split(), name


@given(head=st.binary(max_size=300), body=st.binary(max_size=300))
def test_no_bytes_stop_the_decisions(head: bytes, body: bytes) -> None:
    mail = read_mail(b"From: " + head + b"\r\nAuthentication-Results: mx.example.org; " + head + b"\r\n\r\n" + body)
    assert nature(mail, OWN).why
    assert authentication(mail, OURS).why
    assert traces(mail, OWN)
    assert reply_of(mail.text)
