"""Letters to a real mail server: their headers, their safety, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.adapters.mail_servers import SmtpServer
from responder.adapters.notifier import Secret
from responder.adapters.smtp import Letter, as_html, send, written
from responder.errors import ChannelBusy, SendFailed, SendRefused
from tests.servers.mail import MailSink
from tests.servers.ports import free_port
from tests.servers.smtpd import PASSWORD, USER, SmtpSink

LETTER = Letter(
    id="T-1.2@desk.example.org",
    sender="desk@example.org",
    sender_name="Support, desk 服务台",
    to="ann@example.org",
    subject="[T-1] 打印机 does not print",
    text="We look at it.\nSee https://desk.example.org/t/1?a=1&b=2 <now>",
    at=datetime(2024, 5, 7, 8, 1, tzinfo=UTC),
    in_reply_to="b@example.org",
    references=("a@example.org", "b@example.org"),
    auto_submitted="auto-replied",
    language="en",
)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path) as made:
        yield made


def server(port: int, **changes: object) -> SmtpServer:
    plain = SmtpServer(host="127.0.0.1", port=port, security="none", timeout=timedelta(seconds=5))
    return replace(plain, **changes)  # type: ignore[arg-type]


def read_back(letter: Letter) -> EmailMessage:
    return message_from_bytes(written(letter).as_bytes(policy=SMTP), policy=default)


async def test_a_letter_threads_and_says_that_a_machine_wrote_it(sink: SmtpSink) -> None:
    await send(LETTER, server(sink.port))
    (letter,) = sink.letters
    headers = {name: str(letter[name]) for name in ("Message-ID", "In-Reply-To", "References", "Auto-Submitted", "To")}
    assert headers == {
        "Message-ID": "<T-1.2@desk.example.org>",
        "In-Reply-To": "<b@example.org>",
        "References": "<a@example.org> <b@example.org>",
        "Auto-Submitted": "auto-replied",
        "To": "ann@example.org",
    }
    assert letter["From"].addresses[0].display_name == "Support, desk 服务台"
    assert letter["Subject"] == "[T-1] 打印机 does not print"
    assert letter["Date"].datetime == LETTER.at


async def test_a_letter_has_its_text_plain_and_as_a_page_with_links(sink: SmtpSink) -> None:
    await send(LETTER, server(sink.port))
    plain, page = (sink.letters[0].get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert plain.get_content().splitlines() == LETTER.text.splitlines()
    link = "https://desk.example.org/t/1?a=1&amp;b=2"
    assert f'<a href="{link}">{link}</a> &lt;now&gt;' in page.get_content()


async def test_the_sender_of_the_envelope_may_be_nobody(sink: SmtpSink) -> None:
    await send(replace(LETTER, envelope_from=""), server(sink.port))
    await send(LETTER, server(sink.port))
    assert [one.mail_from for one in sink.envelopes] == ["<>", "desk@example.org"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_letter_goes_encrypted_and_with_a_password(security: str, tmp_path: Path) -> None:
    with SmtpSink(tmp_path, security=security, asks_for_password=True) as sink:
        known = server(
            sink.port,
            security=security,
            ca_file=sink.certificate,
            user=USER.decode(),
            password=Secret(PASSWORD.decode()),
        )
        await send(LETTER, known)
        assert (len(sink.letters), sink.users) == (1, ["desk"])
        with pytest.raises(SendFailed, match="certificate verify failed") as wary:
            await send(LETTER, replace(known, ca_file=None))
        with pytest.raises(SendFailed, match="does not let us in") as stranger:
            await send(LETTER, replace(known, password=Secret("wrong-one")))
        assert not isinstance(wary.value, SendRefused)
        assert not isinstance(stranger.value, SendRefused)
        assert "wrong-one" not in str(stranger.value)
        assert len(sink.letters) == 1


async def test_a_server_without_starttls_gets_no_letter_in_the_clear(sink: SmtpSink) -> None:
    with pytest.raises(SendFailed):
        await send(LETTER, server(sink.port, security="starttls"))
    assert sink.letters == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 No such user", SendRefused),
        ("554 5.7.1 Looks like spam", SendRefused),
        ("451 4.7.1 Greylisted", ChannelBusy),
        ("452 4.2.2 Over quota", ChannelBusy),
        ("455 4.0.0 Not now", SendFailed),
    ],
)
async def test_an_answer_is_for_good_or_for_now(sink: SmtpSink, command: str, answer: str, kind: type) -> None:
    sink.says[command] = answer
    with pytest.raises(SendFailed, match=answer.split(maxsplit=2)[2]) as error:
        await send(LETTER, server(sink.port))
    assert type(error.value) is kind
    assert sink.letters == []


async def test_a_server_that_never_answers_or_is_not_there_fails_for_now() -> None:
    with MailSink() as hanging:
        hanging.hangs = True
        port = int(hanging.address.split(":")[2].split("/")[0])
        with pytest.raises(SendFailed, match=r"gave no answer in time|cannot be reached") as error:
            await send(LETTER, server(port, timeout=timedelta(milliseconds=100)))
    assert not error.value.permanent
    with pytest.raises(SendFailed, match="cannot be reached"):
        await send(LETTER, server(free_port()))


BREAKS = st.sampled_from(
    ["\r\nBcc: all@example.org", "\n\nbody", "\r", "\x00", "\u2028X: y", "\x85", "=?utf-8?q?a=0Ab?=", "\ud800"]
)


@given(subject=st.text(max_size=50), name=st.text(max_size=50), evil=BREAKS)
def test_no_text_adds_a_header(subject: str, name: str, evil: str) -> None:
    letter = read_back(replace(LETTER, subject=subject + evil, sender_name=name + evil, language=f"en{evil}"))
    assert set(letter.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert [one.addr_spec for one in letter["From"].addresses] == ["desk@example.org"]


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d", "a b@c", "", "a@", "@b", "a@b,c@d", "<a@b>", "ann@exa mple.org"]
)
def test_what_is_no_address_gets_no_letter(address: str) -> None:
    for letter in (replace(LETTER, to=address), replace(LETTER, sender=address)):
        with pytest.raises(SendRefused, match="is no mail address"):
            written(letter)


@pytest.mark.parametrize("foreign", ["a@b>\r\nBcc: c@d", "no identifier", "<a@b>", "=?utf-8?q?a=0Ab?=@c"])
def test_foreign_identifiers_that_are_none_are_left_out(foreign: str) -> None:
    letter = read_back(replace(LETTER, in_reply_to=foreign, references=(foreign, "a@example.org")))
    assert (letter["In-Reply-To"], letter["References"]) == (None, "<a@example.org>")
    with pytest.raises(SendRefused):
        written(replace(LETTER, id=foreign))


def test_a_long_thread_keeps_its_first_letter_and_its_latest() -> None:
    many = tuple(f"{number}@example.org" for number in range(500))
    kept = read_back(replace(LETTER, references=many, in_reply_to="499@example.org"))["References"].split()
    assert (len(kept), kept[0], kept[-1]) == (30, "<0@example.org>", "<499@example.org>")


@given(st.text(max_size=200))
def test_a_page_shows_the_text_and_runs_nothing(text: str) -> None:
    inside = as_html(text).partition("<p>")[2].partition("</p>")[0]
    rest = inside.replace("<br>", "")
    while "<a href=" in rest:
        before, _, after = rest.partition('<a href="')
        rest = before + after.partition('">')[2].replace("</a>", "", 1)
    assert "<" not in rest
