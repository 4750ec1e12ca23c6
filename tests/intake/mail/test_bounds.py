"""Nothing in a mail can stop or blow up its reading: the bounds are counted, and real mails are read as they are."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder.domain.mail import Mail
from responder.intake.mail.headers import headers_in
from responder.intake.mail.limits import MailLimits, counted
from responder.intake.mail.parts import part_tree
from responder.intake.mail.reading import read_mail
from tests.fakes import material_folder
from tests.intake.mail.mails import attached, bare, mail, multipart, part, whole

LIMITS = MailLimits()
SMALL = MailLimits(
    size=20_000, header_block=4000, header=500, headers=20, depth=4, parts=12, files=3, file_size=500,
    files_size=800, text=300, html=600, elements=40, addresses=5, ids=4,
)  # fmt: skip
MAIL = material_folder() / "mail"


def in_bounds(found: Mail, limits: MailLimits) -> None:
    """What holds of every mail, whatever its bytes were."""
    texts = [found.subject, found.id, found.sender.name, found.sender.address, *found.oddities]
    texts += [text for file in found.files for text in (file.name, file.media_type)]
    texts += [text for bounce in found.bounces for text in (bounce.recipient, bounce.about, bounce.reason)]
    texts += [value for values in found.headers.values() for value in values]
    for text in texts:
        assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in text), text
        assert len(text) <= 2000
    assert "\x00" not in found.text
    assert len(found.text) <= limits.text + 2 * limits.parts
    assert len(found.files) <= limits.files
    assert all(len(file.content) <= limits.file_size for file in found.files)
    assert sum(len(file.content) for file in found.files) <= limits.files_size
    assert not any("/" in file.name or "\\" in file.name or file.name in ("", ".", "..") for file in found.files)
    assert len(found.recipients) <= limits.addresses
    assert len(found.references) <= limits.ids
    assert len(found.oddities) <= 31
    assert len(found.bounces) <= 100
    found.text.encode()


# --- counted --------------------------------------------------------------------------------------------------


def test_fifty_megabytes_are_cut_and_that_is_said() -> None:
    found = read_mail(mail(b"It is down.\r\n" + b"x" * 50_000_000))
    in_bounds(found, LIMITS)
    assert found.text.startswith("It is down.\nxxx")
    assert found.oddities == (
        "The mail is larger than 30 MiB; only its beginning was read.",
        "The text is longer than 100,000 letters; the rest was left out.",
    )


def test_of_ten_thousand_headers_the_first_are_read_and_that_is_said() -> None:
    many = b"".join(b"X-%d: y\r\n z\r\n" % number for number in range(10_000))
    odd: list[str] = []
    headers, _ = headers_in(many + b"\r\nHi", 0, len(many) + 4, LIMITS, odd)
    assert len(headers.entries) == LIMITS.headers
    assert odd == ["The mail has 10000 headers; the first 500 were read."]
    found = read_mail(b"From: a@b.c\r\n" + many + b"Subject: late\r\n\r\nHi")
    assert (found.text, found.subject, found.sender.address) == ("Hi", "", "a@b.c")


def test_headers_that_are_too_long_alone_or_together_are_cut_and_that_is_said() -> None:
    long = b"Subject: x\r\nX-Long: " + b"y" * 40_000 + b"\r\n\r\n"
    odd: list[str] = []
    headers, _ = headers_in(long, 0, len(long), LIMITS, odd)
    assert len(headers.first("x-long")) == LIMITS.header
    assert odd == ["The header x-long is 40,000 bytes long; the first 32,768 were read."]
    block = b"Subject: x\r\n" + b"X: y\r\n" * 100_000 + b"\r\nHi"
    many, _ = headers_in(block, 0, len(block), MailLimits(headers=1_000_000), odd)
    assert 1 < len(many.entries) < LIMITS.header_block // 6 + 1
    found = read_mail(block)
    assert (found.subject, found.text) == ("x", "Hi")
    assert "The headers of a part are too long; the last of them were not read." in found.oddities


def test_what_lies_beyond_the_size_is_not_read() -> None:
    raw = whole(multipart("mixed", part("text/plain", "first"), attached("a", b"x" * 5000), part("text/plain", "last")))
    found = read_mail(raw, limits=MailLimits(size=2000))
    assert found.text == "first"
    assert found.files[0].size < 2000


def test_of_very_many_oddities_the_first_are_said_and_the_others_counted() -> None:
    found = counted(f"Oddity {number}." for number in [*range(40), *range(40)])
    assert (len(found), found[0], found[-1]) == (31, "Oddity 0.", "10 more things about this mail are odd.")
    assert counted(["a\nb", "a b"]) == ("a b",)


def test_a_thousand_nested_multiparts_are_read_to_a_depth() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000))
    odd: list[str] = []
    tree = part_tree(mail(nested + b"\nHi", plain=False), LIMITS, odd)
    assert sum(1 for _ in tree.walk()) == LIMITS.depth + 1
    assert "Parts that lie deeper than 20 levels were not read." in odd
    in_bounds(read_mail(mail(nested, plain=False)), LIMITS)


def test_a_hundred_thousand_parts_are_counted() -> None:
    odd: list[str] = []
    tree = part_tree(whole(multipart("mixed", *[part("text/plain", "x")] * 100_000)), LIMITS, odd)
    assert sum(1 for _ in tree.walk()) == LIMITS.parts
    assert "The mail has more than 300 parts; the others were not read." in odd


def test_the_html_of_all_parts_together_is_bounded() -> None:
    pages = [part("text/html", f"<p>Page {number}.{'<i>x</i>' * 12_500}") for number in range(100)]
    raw = whole(multipart("mixed", *pages))
    found = read_mail(raw, limits=MailLimits(text=10_000_000))
    assert "Page 9." in found.text
    assert "Page 12." not in found.text
    assert found.oddities == ("The HTML is longer than 1,000,000 letters; the rest was not read.",)


def test_files_beyond_the_count_are_left_out_and_that_is_said() -> None:
    found = read_mail(whole(multipart("mixed", *[attached("a", b"x")] * 60)))
    assert len(found.files) == 50
    assert found.oddities == ("The mail has 60 files; the first 50 were kept.",)


def test_identifiers_and_recipients_are_bounded_and_the_root_of_a_thread_stays() -> None:
    references = "\r\n ".join(f"<{number}@x>" for number in range(1000))
    to = ",\r\n ".join(f"a{number}@b.c" for number in range(1000))
    found = read_mail(mail(headers=f"References: {references}\r\nCc: {to}"))
    assert (len(found.references), found.references[0], found.references[-1]) == (100, "0@x", "999@x")
    assert len(found.recipients) == LIMITS.addresses


@pytest.mark.parametrize(
    "raw",
    [
        b"\n" + b"\r" * 3_000_000,
        b"A: b\n" + b"\r" * 500_000 + b"x\n\n",
        bare(b"From: " + b'"\\' * 16_000),
        bare(b"To: " + b"(" * 30_000),
        bare(b"To: " + b"=?a?b?" * 5000),
        bare(b"Subject: " + b"=?utf-8?q?a?=" * 2500),
        bare(b"References: " + b"<" * 30_000),
        bare(b"Content-Type: text/plain" + b";a*0*=b" * 4000),
        whole(b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b" + b" " * 1000 + b"x\n") * 5000),
        whole(b"Content-Type: text/plain; format=flowed\n\n" + b"> a \n" * 500_000),
        bare(b"From: postmaster@x.y\nSubject: returned mail", b"a@a." * 25_000),
        bare(b"From: postmaster@x.y\nSubject: returned mail", b"message-id: \n" * 8000),
        mail(b"-----BEGIN PGP SIGNED MESSAGE-----\n" * 3000),
    ],
    ids=range(13),
)
@pytest.mark.timeout(20)
def test_no_bytes_make_the_reading_slow(raw: bytes) -> None:
    """Each of these took minutes with a pattern that tries again from every letter; the timeout is the test."""
    in_bounds(read_mail(raw), LIMITS)


# --- mails from the field -------------------------------------------------------------------------------------


def material() -> dict[str, dict[str, Any]]:
    if not (MAIL / "index.json").is_file():
        return {}
    files = json.loads((MAIL / "index.json").read_text())["files"]
    return {name: entry for name, entry in files.items() if name.endswith(".eml")}


def data_of_python() -> list[Path]:
    found = importlib.util.find_spec("test")
    folders = [Path(folder) / "test_email" / "data" for folder in (found and found.submodule_search_locations) or []]
    return sorted(path for folder in folders for path in folder.glob("msg_*.txt"))


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.skipif(not MAIL.is_dir(), reason="the material folder is absent")
@pytest.mark.parametrize("name", material())
def test_mails_of_other_projects_are_read_as_their_index_says(name: str) -> None:
    entry = material()[name]
    found = read_mail((MAIL / name).read_bytes())
    in_bounds(found, LIMITS)
    assert bool(found.bounces) == entry["expected"]["is_bounce"]
    assert found.subject == entry.get("expected_subject", found.subject)
    assert found.text == entry.get("expected_text", found.text)
    assert squeezed(entry.get("expected_reply_text", "")) in squeezed(found.text)
    # Signatures are no files of anybody.
    named = {one for one in entry["facts"]["attachments"] if "." in one and not one.endswith(".p7s")}
    assert named <= {file.name for file in found.files}
    if "dsn_action" in entry:
        assert (found.bounces[0].action, found.bounces[0].status) == (entry["dsn_action"], entry["dsn_status"])
    assert (found.sent_at is not None) == entry["facts"]["date"]
    assert found.id.startswith("sha256:") != entry["facts"]["message_id"]


@pytest.mark.skipif(not data_of_python(), reason="the test data of Python is absent")
@pytest.mark.parametrize("path", data_of_python(), ids=lambda path: path.name)
def test_the_mails_that_python_is_tested_with_are_read(path: Path) -> None:
    raw = path.read_bytes()
    for limits in (LIMITS, SMALL):
        in_bounds(read_mail(raw, limits=limits), limits)


# --- arbitrary bytes ------------------------------------------------------------------------------------------

SEEDS = [
    whole(multipart("mixed", multipart("alternative", part("text/plain; charset=gb2312", "服务器".encode("gbk")),
                    part("text/html", "<table><tr><td>a<td>b</table><blockquote>c</blockquote>"), boundary="in"),
                    attached("=?gb2312?B?uOa+rw==?=.png", b"x" * 100))),
    bare("From: MAILER-DAEMON@x.y\r\nSubject: Undelivered").rstrip(b"Hi").rstrip() + b"\r\n" + multipart(
        "report", part("message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.c\r\n"
                       "Action: failed\r\nStatus: 5.1.1\r\n"), part("message/rfc822", "Message-ID: <a@b>\r\n\r\nx")),
    bare("From: \"A, B\" <a@b.c> (x), c@d.e\r\nSubject: =?utf-8?q?a=E2=82=AC?= =?gbk?b?uOa+rw==?=\r\nDate: Fri, 20 Nov "
         "2026 14:05:00 +0800\r\nReferences: <a@b>\r\nContent-Type: text/plain; format=flowed; name*0*=utf-8''%41"),
]  # fmt: skip
TOKENS = [
    b"\n", b"\r", b"\r\n", b"\x00", b"--=_b", b"--", b"=?gb2312?B?", b"?=", b"\xff\xfe", b'"', b"<", b">", b"(", b";",
    b"boundary=", b"charset=utf-16", b"charset=utf-7", b"charset=hz", b"charset=idna", b"Content-Type: text/html\n\n",
    b"Content-Type: multipart/mixed; boundary==_b\n", b"Content-Transfer-Encoding: base64\n", b"<blockquote>",
    b"Content-Transfer-Encoding: x-uuencode\n", b"Date: 31 Dec 9999 23:59:59 -2359\n", b"&#1;", b"<a@b c>", b"&#xE001;",
    b"Content-Transfer-Encoding: a\x00\x1b\n", b"filename*9*=", b"\xe2\x80\xae",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(raw)))
        gone = draw(st.integers(0, 20))
        raw[at : at + gone] = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6)))
    return bytes(raw)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=400)
@given(mutated(), st.sampled_from([LIMITS, SMALL]))
def test_a_mail_with_anything_changed_is_still_read(raw: bytes, limits: MailLimits) -> None:
    in_bounds(read_mail(raw, limits=limits), limits)


@settings(deadline=None)
@given(st.binary(max_size=400), st.one_of(st.none(), st.text(max_size=30)))
def test_any_bytes_are_a_mail(raw: bytes, envelope_from: str | None) -> None:
    in_bounds(read_mail(raw, envelope_from=envelope_from, limits=SMALL), SMALL)
