"""Mails and texts that nobody in good faith sends: each is made for a size, to make one reader slow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Text = Callable[[int], str]
Raw = Callable[[int], bytes]


def _of(piece: str) -> Text:
    return lambda size: (piece * (size // len(piece.encode()) + 1))[:size]


def _mail(head: str, piece: bytes) -> Raw:
    return lambda size: b"From: a@example.org\r\n" + head.encode() + piece * (size // len(piece))


TEXTS: Mapping[str, Text] = {
    "> without end": _of(">"),
    "> blank >": _of("> "),
    "quoted lines": _of("> words\n"),
    "short quotes": _of(">\n"),
    "short lines": _of("a\n"),
    "one long line": _of("words and "),
    "blank lines": _of("\n"),
    "carriage returns": _of("\r"),
    "odd blanks": _of("\u3000"),
    "attributions without an end": _of("On 1 Jan 2024 at 10:00 Bob <b@example.org>\n"),
    "attributions": _of("On 1 Jan 2024 at 10:00 Bob <b@example.org> wrote:\n\n"),
    "bare attributions": _of("Bob wrote:\n"),
    "headers of blocks": _of("From: Bob\nSent: today\n"),
    "ruled lines": _of("________________________________\n"),
    "ruled words": _of("-----Original\n"),
    "dashed lines": _of("--\n"),
    "signatures": _of("-- \nBob\n"),
    "phones": _of("Sent from my iPhone\n"),
    "Chinese attributions": _of("在 2024-01-01 10:00:00，张三 <zhang@example.org>\n"),
}
"""For what tells quotes and signatures from words."""

FIELDS: Mapping[str, Text] = {
    **TEXTS,
    "labels": _of("Serial no: "),
    "Chinese labels": _of("型号：X200，"),
    "brackets": _of("【错误代码】"),
    "digits": _of("1"),
    "thousands": _of("1,000,"),
    "codes": _of("error code E1-"),
    "numbers of people": _of("more than 1000 "),
    "versions": _of("version 1.1."),
    "dots": _of("1."),
    "phones to call": _of("call me at (0)"),
    "serials": _of("serial a-a-"),
    "times": _of("yesterday at 10:00 "),
    "lines of labels": _of("Serial no:\n"),
    "began": _of("it failed at 10:00 on 2026-11-20 "),
    "Chinese times": _of("昨天下午3点发生"),
    "blanks before colons": _of("model      "),
    "short sentences": _of("1! "),
    "what comes before a number": _of("since 10:00 now still all our 1"),
    "where people are": _of("300 users in a-a a on "),
    "where people are, in Chinese": _of("影响区部区部300"),
    "denials": _of("不能影响300名用户"),
    "closing words": _of("with best regards "),
    "clauses": _of("300 users are affected, "),
}
"""For what finds fields."""

HTML: Mapping[str, Text] = {
    "nested tables": _of("<table><tr><td>"),
    "nested quotes": _of("<blockquote>"),
    "nested fonts": _of("<font><b>"),
    "cells": _of("<td>x"),
    "cells in cells": _of("<td><p>x"),
    "rows": _of("<tr><td>x<td>y</tr>"),
    "open angles": _of("<"),
    "tags without an end": _of("<a "),
    "attributes": lambda size: f"<p {'a=b ' * (size // 4)}>x",
    "entities": _of("&amp;"),
    "entities without an end": _of("&#"),
    "comments": _of("<!--"),
    "hidden": _of('<i style="display:none">x</i>y'),
    "paragraphs": _of("<p>words"),
    "breaks": _of("<br>"),
    "spaces": _of("&nbsp; "),
    "lists": _of("<ul><li>"),
    "one word": _of("x"),
}

RAW: Mapping[str, Raw] = {
    "10 000 headers": _mail("", b"X-Y: z\r\n"),
    "folded header": _mail("Subject: x", b"\r\n y"),
    "one long header": _mail("Subject: ", b"x"),
    "encoded words": _mail("Subject: ", b"=?utf-8?q?a?= "),
    "broken words": _mail("Subject: ", b"=?utf-8?q?a?b?"),
    "quoted names": _mail("To: ", b'"\\'),
    "comments": _mail("To: ", b"("),
    "addresses": _mail("To: ", b"a <b@example.org>, "),
    "references": _mail("References: ", b"<"),
    "parameters": _mail("Content-Type: text/plain", b";a*0*=b"),
    "carriage returns": _mail("\r\n", b"\r"),
    "boundaries": _mail("Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b\r\n"),
    "almost boundaries": _mail("Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b" + b" " * 1000 + b"x\r\n"),
    "nested parts": _mail("", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
    "parts": _mail("Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n--b\r\n\r\nx"),
    "broken base64": _mail("Content-Transfer-Encoding: base64\r\n\r\n", b"QUJD=!"),
    "quoted-printable": _mail("Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"=3D=\r\n"),
    "uuencode": _mail("Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\n", b"#0V%T\n"),
    "flowed": _mail("Content-Type: text/plain; format=flowed\r\n\r\n", b"> a \r\n"),
    "flowed quotes": _mail("Content-Type: text/plain; format=flowed\r\n\r\n", b">"),
    "neither charset": _mail("\r\n", b"\xb0\xa1\xff a"),
    "returned mail": _mail("Subject: returned mail\r\nReturn-Path: <>\r\n\r\n", b"message-id: \r\na@b.example "),
    "signed": _mail("\r\n", b"-----BEGIN PGP SIGNED MESSAGE-----\r\n"),
    "words": _mail("\r\n", b"It prints nothing, whatever I do.\r\n"),
}
"""Whole mails."""

MONITORING: Mapping[str, Raw] = {
    "labels of all": _mail("Subject: x\r\n\r\n", b"Host: a\r\nService: b\r\nState: \r\nMonitored host: \r\n"),
    "a nagios without end": _mail(
        "Subject: ** PROBLEM Service Alert: a/b is CRITICAL **\r\n\r\n***** Nagios *****\r\n", b"Additional Info:\r\n"
    ),
    "long lines": _mail("Subject: Problem: x\r\n\r\n", b"a: b : c = d - e " * 40 + b"\r\n"),
    "grafana blocks": _mail(
        "Subject: [FIRING:9] x\r\nX-Mailer: Grafana\r\n\r\n", b"**Firing**\r\n\r\nValue: A=1\r\nLabels:\r\n - a = b\r\n"
    ),
    "colons": _mail("Subject: : : : \r\n\r\n", b": " * 200 + b"\r\n"),
}
