"""Mails in all their shapes become one Mail; whatever is odd is said, and nothing raises."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from responder.domain.mail import Address, Mail
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.reading import language_of, read_mail
from tests.intake.mail.mails import attached, bare, mail, multipart, part, whole, word

GBK = "喆镕：生产环境的服务器无法访问"
NO_ID = "The mail has no Message-ID; it is known by its content."


def text_of(content: bytes) -> str:
    return read_mail(whole(content)).text


# --- the outside ----------------------------------------------------------------------------------------------


def test_the_outside_of_a_mail_is_read() -> None:
    raw = bare(
        "Received: from a by b\r\nReceived: from b by c\r\nFrom: \"Wang, Wei\" <Wei.Wang@Example.COM>\r\n"
        "To: help@ops.example, Ops <ops@Ops.example>; x@y.z\r\nCc: Group: a@b.c, d@e.f;\r\n"
        "Delivered-To: own@ops.example\r\n"
        "Reply-To: other@example.com\r\nSubject: Web\r\n is down\r\nDate: Fri, 20 Nov 2026 14:05:00 +0800\r\n"
        "Message-ID:\r\n <id-1@example.com>\r\nIn-Reply-To: Your mail <a@b> of Friday\r\n"
        "References: <r@1>\r\n <r@2><r@1>\r\n"
        "Auto-Submitted: no\r\nX-Other: 1\r\nReturn-Path: <wei@example.com>"
    )  # fmt: skip
    found = read_mail(raw)
    assert found.sender == Address(address="Wei.Wang@example.com", name="Wang, Wei")
    assert [one.address for one in found.recipients] == [
        "help@ops.example", "ops@ops.example", "x@y.z", "a@b.c", "d@e.f", "own@ops.example"
    ]  # fmt: skip
    assert [one.address for one in found.reply_to] == ["other@example.com"]
    assert (found.subject, found.id) == ("Web is down", "id-1@example.com")
    assert found.sent_at == datetime(2026, 11, 20, 6, 5, tzinfo=UTC)
    assert (found.in_reply_to, found.references) == (("a@b",), ("r@1", "r@2"))
    assert found.headers == {
        "auto-submitted": ("no",),
        "return-path": ("<wei@example.com>",),
        "delivered-to": ("own@ops.example",),
        "received": ("2",),
        "from": ('"Wang, Wei" <Wei.Wang@Example.COM>',),
    }
    assert (found.envelope_from, found.oddities) == ("wei@example.com", ())
    assert found.digest == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(("given", "found"), [("", ""), ("<>", ""), ("A@B.C", "A@b.c"), ("<a@b.c>", "a@b.c")])
def test_the_envelope_of_the_way_in_wins_over_what_the_mail_says_of_it(given: str, found: str) -> None:
    assert read_mail(mail(headers="Return-Path: <x@y.z>"), envelope_from=given).envelope_from == found


def test_a_null_sender_and_no_sender_are_not_the_same() -> None:
    assert read_mail(mail(headers="Return-Path: <>")).envelope_from == ""
    assert read_mail(mail()).envelope_from is None


def test_without_a_message_id_the_bytes_are_the_identity() -> None:
    raw = bare("From: a@b.c", "x")
    assert read_mail(raw).id == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert read_mail(raw).oddities == (NO_ID,)


def test_a_mail_without_from_is_from_its_sender_or_its_envelope() -> None:
    assert read_mail(bare("Sender: a@b.c\r\nMessage-ID: <1@b>")).sender.address == "a@b.c"
    found = read_mail(bare("Message-ID: <1@b>"), envelope_from="d@e.f")
    assert found.sender.address == "d@e.f"
    assert found.oddities == ("The mail does not say in From who sent it.",)


def test_of_two_headers_from_the_first_counts_and_that_is_said() -> None:
    found = read_mail(bare("From: a@b.c\r\nFrom: boss@example.com\r\nMessage-ID: <1@b>"))
    assert found.sender.address == "a@b.c"
    assert found.oddities == ("The mail has 2 headers from; the first one counts.",)


def test_an_encoded_name_is_a_name_and_never_an_address() -> None:
    forged = word("boss@corp.example <boss@corp.example>, x", "utf-8")
    found = read_mail(bare(f"From: {forged} <eve@evil.example>"))
    assert found.sender == Address(address="eve@evil.example", name="boss@corp.example <boss@corp.example>, x")


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("ann@example.com (Ann of Ops)", "ann@example.com", "Ann of Ops"),
        ("<ann@example.com>", "ann@example.com", ""),
        ('"Ann (on call)" <ann@example.com>', "ann@example.com", "Ann (on call)"),
        ("Ann <ann@example.com", "ann@example.com", "Ann"),
        ("Ann", "", "Ann"),
        ("", "", ""),
        ("undisclosed-recipients:;", "", ""),
        ('"=?gb18030?B?0KHN9Q==?=" <1234@qq.com>', "1234@qq.com", "小王"),
        ("=?gb2312?Q?=D0=A1=CD=F5?= <wang@163.com>", "wang@163.com", "小王"),
    ],
)
def test_senders_are_read_as_people_write_them(value: str, address: str, name: str) -> None:
    assert read_mail(bare(f"From: {value}\r\nSubject: x")).sender == Address(address=address, name=name)


@pytest.mark.parametrize(
    "date",
    ["yesterday", "Fri, 99 Nov 2026 99:99:99 +0000", "31 Dec 9999 23:59:59 -2359", "\xff"],
)
def test_a_date_that_is_none_is_none_and_said(date: str) -> None:
    found = read_mail(mail(headers=f"Date: {date}"))
    assert found.sent_at is None
    assert "The Date of the mail is none." in found.oddities


def test_only_what_decisions_read_is_kept_of_the_headers_all_values_from_the_top() -> None:
    found = read_mail(mail(headers="X-Loop: one\r\nX-Secret: x\r\nx-loop: two\r\nPrecedence: Bulk"))
    assert found.headers == {"x-loop": ("one", "two"), "precedence": ("Bulk",), "from": ("Ann <ann@Example.com>",)}
    assert found.header("precedence") == "bulk"


# --- words ----------------------------------------------------------------------------------------------------


def test_a_word_that_is_cut_within_a_character_is_whole_again() -> None:
    data = "服务器宕机了".encode("gbk")
    pieces = [data[:5], data[5:]]
    cut = "\r\n ".join(f"=?gb2312?B?{base64.b64encode(one).decode()}?=" for one in pieces)
    assert read_mail(bare(f"Subject: {cut}")).subject == "服务器宕机了"


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("=?utf-8?q?a_b=E2=82=AC?= tail", "a b€ tail"),
        ("=?UTF-8?B?5pWF6Zqc?==?UTF-8?B?5ZGK6K2m?=", "故障告警"),
        ("Re:=?gb2312?B?uOa+rw==?=", "Re:告警"),
        ("=?utf-8?b?5pWF6Zqc?", "=?utf-8?b?5pWF6Zqc?"),
        ("=?nonsense?q?abc?=", "abc"),
        ("=?utf-8?b?5pWF6Zqc5?=", "故障"),
        ("=?utf-8*zh?q?x?=", "x"),
        ("=?utf-8?q?broken words?=", "broken words"),
    ],
)
def test_encoded_words_are_read_even_if_they_are_broken(subject: str, found: str) -> None:
    assert read_mail(bare(f"Subject: {subject}")).subject == found


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_a_subject_in_raw_bytes_is_read(charset: str) -> None:
    assert read_mail(b"Subject: " + "生产环境告警".encode(charset) + b"\r\n\r\nx").subject == "生产环境告警"


def test_a_subject_is_one_line_without_control_letters_and_adds_no_header() -> None:
    forged = "=?utf-8?q?Hi=0D=0ABcc:_eve=40evil.example=00=1B[31m=E2=80=AE?=\r\n Auto-Submitted: auto-replied"
    found = read_mail(
        mail(headers=f"X: y\r\nReply-To: {forged}").replace(b"Subject: Down", f"Subject: {forged}".encode())
    )
    assert found.subject == "Hi Bcc: eve@evil.example [31m Auto-Submitted: auto-replied"
    assert "auto-submitted" not in found.headers
    assert found.recipients == (Address(address="help@ops.example"),)


# --- the text -------------------------------------------------------------------------------------------------


def test_the_plain_text_is_preferred_and_a_stub_is_not() -> None:
    html = part("text/html", "<p>" + "The whole story. " * 20 + "</p>")
    both = multipart(
        "alternative", part("text/plain", "The plain story, which says enough."), part("text/html", "<p>HTML")
    )
    assert text_of(both) == "The plain story, which says enough."
    assert text_of(multipart("alternative", part("text/plain", "See HTML."), html)).startswith("The whole story.")
    assert text_of(multipart("alternative", part("text/plain", " \r\n"), html)).startswith("The whole story.")


def test_an_invitation_beside_the_text_is_ignored_and_files_beside_the_html_are_kept() -> None:
    inner = multipart("mixed", part("text/html", "<p>Hi"), attached("a.log", b"x"), boundary="inner")
    found = read_mail(
        whole(multipart("alternative", part("text/plain", "Hi"), inner, part("text/calendar", "BEGIN:VCALENDAR")))
    )
    assert (found.text, [file.name for file in found.files]) == ("Hi", ["a.log"])


def test_texts_beside_each_other_are_joined_and_named_ones_are_files() -> None:
    named = part("text/plain", "log", headers="Content-Disposition: attachment; filename=x.log\r\n")
    found = read_mail(whole(multipart("mixed", part("text/plain", "one"), named, part("text/html", "<b>two</b>"))))
    assert (found.text, [file.content for file in found.files]) == ("one\n\ntwo", [b"log"])


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "us-ascii", "iso-8859-1", "utf-8", '"gb2312"', "", "bogus"])
def test_a_chinese_text_is_read_whatever_it_declares(declared: str) -> None:
    content = part(f"text/plain; charset={declared}", GBK.encode("gbk"), headers="Content-Transfer-Encoding: 8bit\r\n")
    found = read_mail(whole(content))
    assert (found.text, found.language) == (GBK, "zh")


@pytest.mark.parametrize(
    ("mailer", "kind"),
    [("QQMail 2.x", "gb18030"), ("Foxmail 7.2.25[cn]", "gb2312"), ("Coremail Webmail Server", "GBK")],
)
def test_mails_as_chinese_mailers_write_them_are_read(mailer: str, kind: str) -> None:
    def alternative(media_type: str, text: str) -> bytes:
        data = base64.encodebytes(text.encode("gb18030")).decode()
        return part(f'{media_type};\r\n\tcharset="{kind}"', data, headers="Content-Transfer-Encoding: base64\r\n")

    name = word("故障截图.png", "gb18030").replace("gb18030", kind)
    picture = part(f'image/png;\r\n\tname="{name}"', "iVBORw==", headers=(
        f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n'))  # fmt: skip
    both = multipart("alternative", alternative("text/plain", "您好，\r\n服务器宕机了。"),
                     alternative("text/html", "<div>您好，</div><div>服务器宕机了。</div>"), boundary="b1")  # fmt: skip
    subject = word("服务器宕机", "gb18030").replace("gb18030", kind)
    head = f'From: "{word("小王", "gb18030")}" <123456@qq.com>\r\nSubject: {subject}\r\nX-Mailer: {mailer}\r\n'
    found = read_mail(head.encode() + b"Message-ID: <tencent_1@qq.com>\r\n" + multipart("mixed", both, picture))
    assert (found.sender, found.subject) == (Address(address="123456@qq.com", name="小王"), "服务器宕机")
    assert (found.text, found.language) == ("您好，\n服务器宕机了。", "zh")
    assert [(file.name, file.content) for file in found.files] == [("故障截图.png", b"\x89PNG")]
    assert found.oddities == ()


def test_lines_that_a_sender_folded_are_one_again() -> None:
    content = part("text/plain; format=flowed", "The server is \r\ndown.\r\n> quoted \r\n> more\r\n-- \r\nAnn")
    assert text_of(content) == "The server is down.\n> quoted more\n-- \nAnn"


def test_broken_encodings_are_read_as_far_as_they_go_and_said() -> None:
    cut = read_mail(whole(part("text/plain", "SGVsbG8gd29ybGQ", headers="Content-Transfer-Encoding: base64\r\n")))
    assert cut.text == "Hello world"
    assert cut.oddities == ("The base64 of a part is broken; it may be cut.",)
    none = read_mail(whole(part("text/plain", "It is down!", headers="Content-Transfer-Encoding: base64\r\n")))
    assert none.text == "It is down!"
    odd = read_mail(whole(part("text/plain", "a=E9=ZZ=", headers="Content-Transfer-Encoding: Quoted-Printable\r\n")))
    assert odd.text.startswith("aé=ZZ")
    strange = read_mail(whole(part("text/plain", "x", headers="Content-Transfer-Encoding: x-zip\x00\r\n")))
    assert "is no transfer encoding" in strange.oddities[0]


def test_uuencoding_is_undone_as_far_as_it_goes() -> None:
    head = "Content-Transfer-Encoding: x-uuencode\r\n"
    good = part("text/plain", b"begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n", headers=head)
    assert (read_mail(whole(good)).text, read_mail(whole(good)).oddities) == ("Cat", ())
    cut = read_mail(whole(part("text/plain", b"begin 644 a.txt\r\n#0V%T\r\n", headers=head)))
    assert (cut.text, cut.oddities) == ("Cat", ("The uuencoding of a part is broken; it may be cut.",))


def test_control_letters_and_turned_lines_are_cleaned() -> None:
    assert read_mail(mail("a\x00b\x1b[31m\u202ec\r\nd\re")).text == "a b [31mc\nd\ne"


def test_what_is_new_is_told_from_what_is_quoted_and_a_mere_quote_is_all_that_is_said() -> None:
    found = read_mail(mail("It works.\n\nOn Fri, 20 Nov 2026, Ops wrote:\n> 服务器恢复了吗？服务器恢复了吗？"))
    assert (found.said, found.language) == ("It works.", "en")
    assert found.text.endswith("服务器恢复了吗？")
    assert read_mail(mail("> only this")).said == "> only this"


CUT = "It is down.\n-----Original Message-----\nFrom: Bob\n\nold words"
LEFT_OUT = "Of the text 3 lines were left out as quoted or as a signature; the mail has them."


@pytest.mark.parametrize(
    ("headers", "subject", "oddities"),
    [
        ("", "Down", (LEFT_OUT,)),
        ("", "Fwd: Down", (LEFT_OUT,)),
        ("", "Report: down", (LEFT_OUT,)),
        ("", "Re: Down", ()),
        ("", "[EXT] AW[2]: Down", ()),
        ("", "回复：宕机", ()),
        ("In-Reply-To: <2@x.y>", "Down", ()),
    ],
)
def test_a_mail_that_answers_nothing_says_that_something_was_cut(
    headers: str, subject: str, oddities: tuple[str, ...]
) -> None:
    raw = mail(CUT, headers=headers).replace(b"Subject: Down", f"Subject: {subject}".encode())
    found = read_mail(raw)
    assert (found.said, found.oddities) == ("It is down.", oddities)
    assert found.has_own_words
    assert not read_mail(mail(CUT[12:])).has_own_words


def test_the_log_in_a_first_mail_cuts_nothing_and_an_answer_is_cut_as_ever() -> None:
    text = "It is down. The log:\nOn 2026-05-03 at 10:15 the printer wrote:\nERROR E12"
    assert read_mail(mail(text)).said == text
    assert read_mail(mail(text, headers="References: <2@x.y>")).said == "It is down. The log:"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("服务器 web-01.example.com 无法访问 E1234", "zh"), ("The server is down. Regards, 王伟", "en"), ("", "en"),
        ("サーバーがダウンしています。確認してください。", "en"), ("宕机", "zh"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_that_carries_the_text(text: str, language: str) -> None:
    assert language_of(text) == language


# --- sealed and signed ----------------------------------------------------------------------------------------


def test_a_signed_mail_is_read_without_its_signature() -> None:
    signature = part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----", headers="Content-Description: x\r\n")
    found = read_mail(whole(multipart("signed", part("text/plain", "It is down."), signature)))
    assert (found.text, found.files) == ("It is down.", ())
    inline = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt is down.\n- -- \nAnn\n-----BEGIN PGP SIGNATURE-----\n"
        "abc\n-----END PGP SIGNATURE-----\n"
    )
    assert read_mail(mail(inline)).text == "It is down.\n-- \nAnn"


def test_an_encrypted_mail_says_so() -> None:
    pgp = multipart("encrypted", part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream", "x"))
    smime = part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "x")
    sealed = part("application/pkcs7-mime; smime-type=signed-data", "x")
    assert read_mail(whole(pgp)).oddities == ("The mail is encrypted (OpenPGP); its text cannot be read here.",)
    assert read_mail(mail("-----BEGIN PGP MESSAGE-----\nabc")).oddities == read_mail(whole(pgp)).oddities
    assert read_mail(whole(smime)).oddities == ("The mail is encrypted (S/MIME); it cannot be read here.",)
    assert "signed (S/MIME)" in read_mail(whole(sealed)).oddities[0]
    assert [file.name for file in read_mail(whole(sealed)).files] == ["part-1.p7m"]


# --- files ----------------------------------------------------------------------------------------------------


def test_a_forwarded_mail_is_a_file_and_its_text_is_not_the_text() -> None:
    inner = part("message/rfc822", "From: x@y.z\r\nSubject: =?utf-8?q?Old/News?=\r\n\r\nsecret")
    found = read_mail(whole(multipart("mixed", part("text/plain", "see below"), inner)))
    assert (found.text, found.subject) == ("see below", "Down")
    assert [(file.name, file.media_type) for file in found.files] == [("Old News.eml", "message/rfc822")]
    assert b"secret" in found.files[0].content


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\Users\\\\ann\\\\report.doc"', "report.doc"),
        ("filename=no quotes.txt", "no quotes.txt"),
        ('filename=".."', "part-1.bin"),
        ('filename="a\x00b\x1b.txt"', "a b .txt"),
        ("filename*=gb2312'zh'%B8%E6%BE%AF.txt", "告警.txt"),
        ("filename*0*=utf-8''%E5%91%8A;\r\n filename*1*=%E8%AD%A6;\r\n filename*2=\".txt\"", "告警.txt"),
        ('filename="=?gb2312?B?uOa+rw==?=.txt"', "告警.txt"),
        ('filename="evil.exe\u202etxt.doc"', "evil.exetxt.doc"),
        (f'filename="{"x" * 300}.pdf"', "x" * 116 + ".pdf"),
        ('filename="a;b.txt"', "a;b.txt"),
    ],
)
def test_names_of_files_are_read_and_harm_no_folder(header: str, name: str) -> None:
    content = part("application/octet-stream", "x", headers=f"Content-Disposition: attachment;\r\n {header}\r\n")
    (file,) = read_mail(whole(multipart("mixed", content))).files
    assert file.name == name


def test_a_file_has_the_size_and_the_digest_of_what_came() -> None:
    (file,) = read_mail(whole(multipart("mixed", attached("a.zip", b"PK\x03\x04" * 100, "application/zip")))).files
    assert (file.size, file.digest) == (400, hashlib.sha256(b"PK\x03\x04" * 100).hexdigest())
    assert file.content == b"PK\x03\x04" * 100


def test_files_that_are_too_large_alone_or_together_are_left_out_and_that_is_said() -> None:
    limits = MailLimits(file_size=1000, files_size=1500)
    parts = [attached(f"{size}.bin", b"x" * size) for size in (1001, 900, 700, 600)]
    found = read_mail(whole(multipart("mixed", *parts)), limits=limits)
    assert [len(file.content) for file in found.files] == [0, 900, 0, 600]
    assert [file.size for file in found.files] == [1001, 900, 700, 600]
    assert found.oddities == (
        "The file 1001.bin was left out: it is larger than 1,000 bytes.",
        "The file 700.bin was left out: all files together are larger than 1,500 bytes.",
    )


def test_content_that_lies_elsewhere_is_not_fetched() -> None:
    content = part("message/external-body; access-type=URL; URL=http://evil.example/x", "Content-Type: text/plain\r\n")
    found = read_mail(whole(multipart("mixed", part("text/plain", "x"), content)))
    assert found.files == ()
    assert found.oddities == ("A part says that its content lies elsewhere; nobody fetched it.",)


# --- bytes that are hardly a mail -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\x00", b"\xff" * 100, b"no headers at all", b":", b"From: ", b"\r\n\r\n\r\n"]
)
def test_anything_is_a_mail(raw: bytes) -> None:
    found = read_mail(raw)
    assert isinstance(found, Mail)
    assert found.id.startswith("sha256:")


def test_text_that_follows_the_headers_without_an_empty_line_is_not_lost() -> None:
    found = read_mail(b"Subject: x\r\nIt is down, really\r\nNote: now\r\n\r\nmore")
    assert (found.subject, found.text) == ("x", "It is down, really\nNote: now\n\nmore")
    assert "A line among the headers is none; the text begins there." in found.oddities


def test_lines_of_a_mailbox_and_empty_ones_before_the_headers_are_skipped() -> None:
    assert read_mail(b" \r\n\r\nFrom ann@b.c Fri Nov 20\r\nSubject: x\r\n\r\ny").subject == "x"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_every_end_of_a_line_is_one(end: bytes) -> None:
    raw = whole(multipart("mixed", part("text/plain", "one"), attached("a", b"two"))).replace(b"\r\n", b"\n")
    found = read_mail(raw.replace(b"\n", end))
    assert (found.subject, found.text, found.files[0].content) == ("Down", "one", b"two")


def test_a_multipart_without_an_end_or_without_parts_is_read() -> None:
    cut = whole(multipart("mixed", part("text/plain", "one"), part("text/plain", "two")))[:-9]
    assert read_mail(cut).text == "one\n\ntwo"
    assert read_mail(cut).oddities == ("The end of a multipart is missing; the mail may be cut.",)
    for head in ("Content-Type: multipart/mixed", "Content-Type: multipart/mixed; boundary=x"):
        assert read_mail(mail("It is down.", headers=head)).text == "It is down."
