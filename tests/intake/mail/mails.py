"""Mails as people and servers send them, built of bytes so that nothing puts them right on the way."""

from __future__ import annotations

import base64


def mail(body: bytes | str = "Hi", *, headers: str | bytes = "", plain: bool = True) -> bytes:
    """A mail with the usual headers and some more; `plain` leaves out nothing, it only ends the headers."""
    more = headers.encode() if isinstance(headers, str) else headers
    content = body.encode() if isinstance(body, str) else body
    usual = b"From: Ann <ann@Example.com>\r\nTo: help@ops.example\r\nMessage-ID: <1@example.com>\r\nSubject: Down\r\n"
    return usual + (more.strip() + b"\r\n" if more.strip() else b"") + b"\r\n" * plain + content


def bare(headers: str | bytes, body: str | bytes = "Hi") -> bytes:
    """A mail with these headers alone."""
    head = headers.encode() if isinstance(headers, str) else headers
    return head.strip() + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def multipart(kind: str, *parts: bytes, boundary: str = "=_b", more: str = "") -> bytes:
    """A multipart with its own header, to stand in another or in a mail."""
    line = f"--{boundary}".encode()
    inner = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}\r\n\r\n'.encode()
    return head + inner + line + b"--\r\n"


def part(media_type: str, content: bytes | str, *, headers: str = "") -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return f"Content-Type: {media_type}\r\n{headers}\r\n".encode() + data


def attached(name: str, content: bytes, media_type: str = "application/octet-stream") -> bytes:
    how = f'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="{name}"\r\n'
    return part(media_type, base64.encodebytes(content), headers=how)


def whole(content: bytes) -> bytes:
    """A mail whose body says itself what it is."""
    return mail(content, plain=False)


def word(text: str, charset: str, encoding: str = "B") -> str:
    return f"=?{charset}?{encoding}?{base64.b64encode(text.encode(charset)).decode()}?="
