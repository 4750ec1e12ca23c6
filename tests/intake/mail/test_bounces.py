"""Mails that came back, as servers of all kinds say it."""

from __future__ import annotations

import pytest

from responder.domain.mail import Bounce
from responder.intake.mail.reading import read_mail
from tests.intake.mail.mails import bare, multipart, part, word

REPORT = ("Reporting-MTA: dns; mx.example.com\r\n\r\nOriginal-Recipient: rfc822;Bob@Far.example\r\n"
          "Final-Recipient: rfc822; bob@inner.far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
          "Diagnostic-Code: smtp; 550 5.1.1 no such\r\n user\r\n\r\nFinal-Recipient: rfc822; eve@far.example\r\n"
          "Action: delayed\r\nStatus: 4.4.1\r\n")  # fmt: skip
RETURNED = part("message/rfc822", "From: help@ops.example\r\nMessage-ID: <sent-1@ops.example>\r\nSubject: Hi\r\n\r\nx")
HEADS = "From: MAILER-DAEMON@mx.example.com\r\nTo: help@ops.example\r\nSubject: Undelivered Mail"


def bounces(raw: bytes, envelope_from: str | None = "") -> tuple[Bounce, ...]:
    return read_mail(raw, envelope_from=envelope_from).bounces


def told(text: str, *, sender: str = "MAILER-DAEMON@mx.example.com", subject: str = "failure notice") -> Bounce:
    found = bounces(bare(f"From: {sender}\r\nTo: help@ops.example\r\nSubject: {subject}\r\nContent-Type: "
                         "text/plain; charset=utf-8", text), None)  # fmt: skip
    assert len(found) == 1
    return found[0]


def test_a_report_says_for_each_recipient_what_became_of_which_mail() -> None:
    status = part("message/delivery-status", REPORT)
    inner = multipart("report", part("text/plain", "sorry"), status, RETURNED, more="; report-type=delivery-status")
    failed, delayed = bounces(HEADS.encode() + b"\r\n" + inner)
    assert failed == Bounce(
        recipient="Bob@far.example",
        status="5.1.1",
        action="failed",
        reason="smtp; 550 5.1.1 no such user",
        about="sent-1@ops.example",
    )
    assert failed.is_permanent
    assert (delayed.recipient, delayed.action, delayed.is_permanent) == ("eve@far.example", "delayed", False)


def test_a_report_that_returns_only_the_headers_or_only_answers_names_the_mail_too() -> None:
    status = part("message/delivery-status", REPORT)
    headers = part("text/rfc822-headers", "Message-ID: <sent-2@ops.example>\r\nSubject: x\r\n")
    assert bounces(HEADS.encode() + b"\r\n" + multipart("report", status, headers))[0].about == "sent-2@ops.example"
    answer = HEADS.encode() + b"\r\nIn-Reply-To: <sent-3@ops.example>\r\n" + multipart("report", status)
    assert bounces(answer)[0].about == "sent-3@ops.example"


def test_a_report_of_abuse_or_of_reading_is_no_bounce() -> None:
    for kind in ("feedback-report", "disposition-notification"):
        inner = multipart("report", part("text/plain", "undeliverable"), RETURNED, more=f"; report-type={kind}")
        assert bounces(HEADS.encode() + b"\r\n" + inner) == ()


def test_qmail_names_each_address_with_its_reason() -> None:
    text = (
        "Hi. This is the qmail-send program at mx.example.com.\r\nI'm afraid I wasn't able to deliver your message.\r\n"
        "\r\n<bob@far.example>:\r\n192.0.2.5 does not like recipient.\r\nRemote host said: 550 No such user\r\n\r\n"
        "<eve@far.example>:\r\nSorry, mailbox full (#5.2.2)\r\n\r\n--- Below this line is a copy of the message.\r\n"
        "Return-Path: <help@ops.example>\r\nMessage-ID: <sent-4@ops.example>\r\nTo: zoe@far.example\r\n"
    )
    found = bounces(bare(HEADS, text))
    assert [one.recipient for one in found] == ["bob@far.example", "eve@far.example"]
    assert {one.about for one in found} == {"sent-4@ops.example"}
    assert "does not like recipient" in found[0].reason


def test_exchange_is_understood() -> None:
    found = told(
        "Your message did not reach some or all of the intended recipients.\n\n  Subject: Hi\n\n"
        "The following recipient(s) cannot be reached:\n\n  bob@far.example on 11/20/2026 2:05 PM\n"
        "    The e-mail account does not exist. <mail.far.example #5.1.1>\n",
        sender="System Administrator <postmaster@far.example>",
        subject="Undeliverable: Hi",
    )
    assert (found.recipient, found.status, found.action) == ("bob@far.example", "5.1.1", "failed")


def test_exchange_of_today_names_the_mail_in_pasted_headers() -> None:
    found = told(
        "Delivery has failed to these recipients or groups:\n\nbob@far.example<mailto:bob@far.example>\n"
        "The email address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\n"
        "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\n\nOriginal message headers:\n\n"
        "Received: from a by b\nMessage-ID: <sent-5@ops.example>\n",
        sender="MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@far.example",
        subject="Undeliverable: Hi",
    )
    assert (found.recipient, found.status, found.about) == ("bob@far.example", "5.1.10", "sent-5@ops.example")


def test_gmail_names_the_recipient_in_a_header() -> None:
    raw = bare(
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\r\nTo: help@ops.example\r\n"
        "X-Failed-Recipients: bob@far.example\r\nSubject: Delivery Status Notification (Failure)",
        "Address not found\r\n\r\nYour message wasn't delivered to bob@far.example\r\n550 5.1.1 no account\r\n",
    )
    assert [(one.recipient, one.status) for one in bounces(raw)] == [("bob@far.example", "5.1.1")]


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ("PostMaster@qq.com", "您发送的邮件被退回。\n收件人地址（bob@far.example）不存在，无法送达。\n550 mail error"),
        ("Postmaster@163.com", "抱歉，您的邮件被退回来了……\n收件人：bob@far.example\n退信原因：用户不存在 550 5.1.1"),
        ("postmaster@126.com", "您的邮件投递失败\nbob@far.example\nSMTP error, RCPT TO: 550 User not found"),
    ],
)  # fmt: skip
def test_chinese_providers_are_understood(sender: str, text: str) -> None:
    found = told(text, sender=sender, subject=word("来自系统的退信", "gb18030"))
    assert (found.recipient, found.status[0], found.is_permanent) == ("bob@far.example", "5", True)


def test_a_mail_that_is_only_late_is_no_failure() -> None:
    found = told("THIS IS A WARNING ONLY.\n<bob@far.example>: connection timed out", subject="Delayed Mail")
    assert (found.action, found.status, found.is_permanent) == ("delayed", "4.0.0", False)


def test_a_person_who_writes_about_a_failed_delivery_is_no_bounce() -> None:
    raw = bare(
        "From: ann@example.com\r\nTo: help@ops.example\r\nSubject: Fwd: Undelivered Mail", "delivery failed 5.1.1"
    )
    assert bounces(raw, "ann@example.com") == ()
    assert bounces(raw, None) == ()


def test_who_passes_on_a_report_with_its_parts_is_no_mail_server() -> None:
    status, words = part("message/delivery-status", REPORT), part("text/plain", "I cannot write to them: undeliverable")
    head = b"From: ann@example.com\r\nTo: help@ops.example\r\nSubject: Fwd: Undelivered Mail\r\n"
    forward = head + multipart("mixed", words, status, RETURNED)
    assert bounces(forward, "ann@example.com") == bounces(forward, None) == ()
    assert len(bounces(forward, "")) == 2


def test_neither_a_postmaster_nor_a_header_alone_makes_a_bounce() -> None:
    wish = "Since 10:00 your mx refuses our mails. Please look."
    assert bounces(bare("From: Anna <postmaster@customer.example>\r\nSubject: Your server", wish), None) == ()
    assert bounces(bare("From: ann@example.com\r\nX-Failed-Recipients: bob@far.example", wish), None) == ()


def test_a_note_of_absence_with_the_null_sender_is_no_bounce() -> None:
    raw = bare("From: ann@example.com\r\nSubject: Automatic reply: Down", "I am away. Call bob@example.com, 550 1234.")
    assert bounces(raw, "") == ()


def test_a_bounce_that_names_nobody_is_still_one() -> None:
    found = told("Something was returned.", subject="Mail delivery failed: returning message to sender")
    assert (found.recipient, found.about) == ("", "")


def test_our_own_address_is_never_the_one_that_did_not_get_it() -> None:
    assert told("Mail from help@ops.example to bob@far.example failed").recipient == "bob@far.example"


def test_a_report_of_thousands_is_bounded() -> None:
    many = "Reporting-MTA: dns; x\r\n\r\n" + "Final-Recipient: rfc822;a@b.example\r\n\r\n" * 5000
    assert len(bounces(HEADS.encode() + b"\r\n" + multipart("report", part("message/delivery-status", many)))) == 100
