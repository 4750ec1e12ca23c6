"""HTML as a reader sees it; nothing in it can stop, blow up or fool the reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.intake.mail.html_text import text_of_html
from responder.intake.mail.limits import MailLimits

LIMITS = MailLimits()


def text_of(html: str, limits: MailLimits = LIMITS) -> str:
    return text_of_html(html, limits, [])


def test_paragraphs_and_breaks_are_lines() -> None:
    assert text_of("<p>Hi,</p><p>it is<br>down</p>") == "Hi,\n\nit is\ndown"


def test_what_no_reader_sees_is_dropped_and_what_follows_it_stays() -> None:
    html = (
        "<html><head><title>T</title><style>p {}</style></head><body>a<script>alert(1)</script>b<!-- c -->"
        "<div style='Display : none'>hidden</div>d<SCRIPT src=x></SCRIPT>e<iframe>f</iframe></body></html>"
    )
    assert text_of(html).replace("\n", "") == "abde"


def test_a_row_of_a_table_is_one_line_even_as_outlook_writes_it() -> None:
    html = (
        "<table><tr><td><p class=MsoNormal>Product<o:p></o:p></p></td><td><p class=MsoNormal>X 100</p></td></tr>"
        "<tr><th>Host</th><td>web-1</td></tr></table>after"
    )
    assert text_of(html).split("\n") == ["Product\tX 100", "Host\tweb-1", "after"]


def test_quotes_are_marked_as_in_plain_text() -> None:
    html = "<div>It works.</div><blockquote>Does it?<blockquote>No.</blockquote></blockquote>"
    lines = [line for line in text_of(html).split("\n") if line.strip("> ")]
    assert lines == ["It works.", "> Does it?", "> > No."]


def test_entities_are_undone_once() -> None:
    assert text_of("<p>a &amp;lt;b&amp;gt; &lt;c&gt; &amp; d&nbsp;e</p>") == "a &lt;b&gt; <c> & d e"


def test_text_cannot_forge_a_quote() -> None:
    assert text_of("<p>\ue001a &#xE001; b\ue000</p>").replace(" ", "") == "ab"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<blockquote>" * 5_000 + "x",
        "<b>x</b>" * 120_000,
        "<table>" + "<tr>" + "<td>x" * 50_000 + "<tr><td>" + "y" * 100_000,
        "<table><tr><td>" * 5_000 + "x",
        "<" * 900_000 + " x",
        "<p>x" + "<!--" * 200_000,
        "<a " + "x=1 " * 200_000 + ">x</a>",
        "<p>x<script></script>" * 30_000,
        "<ul><li>" * 3_000 + "x",
    ],
    ids=lambda html: html[:12],
)
def test_no_html_is_too_deep_or_too_wide(html: str) -> None:
    found = text_of(html)
    assert "x" in found
    assert len(found) <= len(html) + LIMITS.elements * 4


def test_html_beyond_the_limit_is_left_out_and_that_is_said() -> None:
    odd: list[str] = []
    assert text_of_html("<p>" + "a" * 100, MailLimits(html=50), odd) == "a" * 47
    assert odd == ["The HTML is longer than 50 letters; the rest was not read."]


def test_too_many_elements_keep_their_text_and_lose_their_form() -> None:
    odd: list[str] = []
    found = text_of_html("".join(f"<p>{number}</p>" for number in range(100)), MailLimits(elements=20), odd)
    assert found.split() == [str(number) for number in range(100)]
    assert "lost its form" in odd[0]


def test_what_is_nested_deeper_than_people_write_keeps_its_text_and_loses_its_form() -> None:
    odd: list[str] = []
    assert text_of_html("<div>" * 100 + "a<p>b</p>", LIMITS, odd).split() == ["a", "b"]
    assert odd == ["The HTML is too deep or has too many elements; a part of it lost its form."]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""), ("\x00", ""), ("<!-- x -->", ""), ("<?xml version='1.0' encoding='gb2312'?><p>中文", "中文"),
        ("\ud800x", "?x"), ("<p>&#1;a&#8;</p>", "a"), ("<a@b.c,&#7;>x</a>", "x"), ("just text", "just text"),
        ("<td>alone<td>cells", "alone\tcells"),
    ],
)  # fmt: skip
def test_broken_html_has_a_text(html: str, text: str) -> None:
    assert text_of(html).strip() == text


TAGS = st.sampled_from(
    ["<table>", "<tr>", "<td>", "</td>", "</table>", "<p>", "</p>", "<blockquote>", "</blockquote>", "<br>", "<li>",
     "<ul>", "</ul>", "<pre>", "</pre>", "<script>", "</script>", "<!--", "-->", "<a@b>", "&#1;", "&amp;", "<o:p/>",
     "<div style='display:none'>", "</div>", "<![CDATA[", "<svg>", "<ol start=9>", "<", ">", "\x00", "\ufffe"]
)  # fmt: skip


@given(st.lists(st.one_of(TAGS, st.text(max_size=8)), max_size=40))
def test_whatever_is_written_reading_ends_and_raises_nothing(pieces: list[str]) -> None:
    html = "".join(pieces)
    assert len(text_of(html)) <= 12 * len(html) + 100


def test_what_follows_hidden_elements_stays_in_its_place() -> None:
    hidden = '<i style="display:none">no</i>'
    html = f"a{hidden}b{hidden}c<b>d</b>e{hidden}f{hidden}g<p>{hidden}h</p>"
    assert text_of_html(html, MailLimits(), []).split() == ["abcdefg", "h"]


@pytest.mark.parametrize(
    "hidden",
    [
        'style="display:none !important"',
        'style="DISPLAY:\nNone"',
        'style="display/**/:none"',
        'style="color:red;visibility: hidden"',
        'style="mso-hide:all"',
        'style="opacity:0.0"',
        'style="max-height:0px;overflow:hidden"',
        'style="font-size:0"',
        "hidden",
    ],
)
def test_what_a_sender_hides_from_readers_is_not_read(hidden: str) -> None:
    assert text_of(f"<p>a</p><div {hidden}>words for programs</div><p>b</p>").split() == ["a", "b"]


@pytest.mark.parametrize(
    "seen",
    [
        '<div style="display:block">c</div>',
        '<div style="font-size:0px"><p style="font-size:14px">c</p></div>',
        '<div style="max-height:0.5em;overflow:hidden">c</div>',
        '<div style="opacity:0.9">c</div>',
        '<div style="max-height:0">c</div>',
        '<div style="display:none;display:block">c</div>',
        '<div style="/* display:none */">c</div>',
        '<div style="font-size:.8em">c</div>',
        '<div style=";:;;">c</div>',
    ],
)
def test_what_a_reader_sees_is_read_whatever_its_style(seen: str) -> None:
    assert "c" in text_of(seen)
