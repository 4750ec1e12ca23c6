"""What bytes say, whatever they are declared to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.intake.mail.charsets import decoded, known

CHINESE = "生产环境的服务器无法访问，请尽快处理。"
TRADITIONAL = "伺服器無法連線，請儘快處理這個問題。"


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030", "x-gbk", "cp936", "GB_2312-80", "MS936"])
def test_every_name_of_chinese_reads_the_letters_of_all_of_them(declared: str) -> None:
    text = "朱镕基的喆和𠀀与€"
    assert decoded(text.encode("gb18030"), declared) == (text, "")


@pytest.mark.parametrize("declared", ["gb2312", "big5", "us-ascii", "iso-8859-1", "", "windows-1252", "utf-8"])
def test_utf_8_is_read_as_such_whatever_is_declared(declared: str) -> None:
    assert decoded(CHINESE.encode(), declared)[0] == CHINESE


@pytest.mark.parametrize("declared", ["utf-8", "us-ascii", "iso-8859-1", "", "8bit", "x-unknown", "nonsense"])
def test_gbk_under_a_wrong_name_is_seen(declared: str) -> None:
    text, _ = decoded(CHINESE.encode("gbk"), declared)
    assert text == CHINESE


@pytest.mark.parametrize("declared", ["utf-8", "", "us-ascii"])
def test_big5_under_a_wrong_name_is_seen(declared: str) -> None:
    assert decoded(TRADITIONAL.encode("big5"), declared)[0] == TRADITIONAL


def test_what_was_not_as_declared_is_said() -> None:
    assert decoded(CHINESE.encode("gbk"), "utf-8")[1] == (
        "A text says that it is in utf-8, but it is not; it was read as gb18030."
    )
    assert decoded("Grüße".encode("latin-1"), "klingon") == (
        "Grüße",
        "“klingon” is no charset that is known here; the text was read as cp1252.",
    )


def test_two_characters_of_gbk_in_a_declared_charset_are_not_taken_for_utf_8() -> None:
    """联通 in GBK, and pairs like it, look like UTF-8 of two bytes."""
    for text in ("联通", "模模", "连通", "鍊丂"):
        assert decoded(text.encode("gbk"), "gb2312")[0] == text


@pytest.mark.parametrize("text", ["Grüße aus Zürich", "déjà vu, à bientôt", "¡Hola! ¿Qué tal?", "¡"])
def test_latin_stays_latin(text: str) -> None:
    assert decoded(text.encode("latin-1"), "iso-8859-1") == (text, "")
    assert decoded(text.encode("latin-1"), "")[0] == text


def test_quotes_of_windows_are_read_where_latin_is_declared() -> None:
    assert decoded(b"\x93quoted\x94 \x85", "iso-8859-1") == ("“quoted” …", "")


def test_a_declared_charset_of_one_byte_is_believed() -> None:
    assert decoded("Привет".encode("koi8-r"), "koi8-r") == ("Привет", "")


def test_a_few_broken_bytes_leave_the_rest_readable() -> None:
    text, _ = decoded(CHINESE.encode()[:-1] + b"x", "utf-8")
    assert text.startswith(CHINESE[:-1])
    text, _ = decoded(CHINESE.encode("gbk") + b"\xff", "gb2312")
    assert text.startswith(CHINESE)


@pytest.mark.parametrize("name", ["zlib", "base64", "rot13", "idna", "punycode", "unicode_escape", "undefined", "hex"])
def test_codecs_that_are_no_charsets_are_refused(name: str) -> None:
    assert known(name) is None
    assert decoded(b"abc\\x41\xe9", name)[0] == "abc\\x41é"


@given(st.binary(max_size=300), st.one_of(st.text(max_size=30), st.sampled_from(["gb2312", "utf-16", "utf-7", "hz"])))
def test_every_byte_string_has_a_text(data: bytes, declared: str) -> None:
    text, complaint = decoded(data, declared)
    assert isinstance(text, str)
    assert "\n" not in complaint


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=40))
def test_chinese_under_its_own_name_comes_back(text: str) -> None:
    for charset in ("utf-8", *["gbk"] * (len(text) < 3)):
        assert decoded(text.encode(charset), charset)[0] == text
