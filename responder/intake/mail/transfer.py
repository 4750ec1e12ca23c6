"""Content-Transfer-Encoding undone as far as it goes (RFC 2045, section 6). Nothing is ever decompressed."""

from __future__ import annotations

import binascii
import re
import string

_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_BLANKS = b" \t\r\n=\x00"
_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{0,255}\r?\n", re.MULTILINE)
_MOST_LINES = 1_000_000
_PLAIN = ("", "7bit", "8bit", "binary", "none")


def undone(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The content of a part, and a sentence if its encoding is broken or unknown."""
    name = encoding.strip().strip("\"'").lower()
    if name in _PLAIN:
        return data, ""
    if name == "base64":
        return from_base64(data)
    if name == "quoted-printable":
        return binascii.a2b_qp(data), ""
    if name in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _from_uuencode(data)
    return data, f"“{name[:40]}” is no transfer encoding that is known here; the part was taken as it is."


def from_base64(data: bytes) -> tuple[bytes, str]:
    """What base64 holds; what is cut off or holds other letters is read as far as it goes."""
    strange = len(data.translate(None, _ALPHABET + _BLANKS))
    # Text has blanks between its words; base64 has none.
    if (strange + data.count(b" ")) * 20 > len(data):
        return data, "A part says that it is base64, but it is not; it was taken as it is."
    try:
        content = binascii.a2b_base64(data)
    except binascii.Error:
        kept = data.translate(None, bytes(set(range(256)) - set(_ALPHABET)))
        whole = kept[: len(kept) - (len(kept) % 4 == 1)]
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)), "The base64 of a part is broken; it may be cut."
    return content, "The base64 of a part holds letters that do not belong there." if strange else ""


def _from_uuencode(data: bytes) -> tuple[bytes, str]:
    begun = _BEGIN.search(data)
    found: list[bytes] = []
    lines = data[begun.end() if begun else 0 :].splitlines()
    for line in lines[:_MOST_LINES]:
        if line.strip() in (b"end", b"`"):
            return b"".join(found), ""
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:
            break
    return b"".join(found), "The uuencoding of a part is broken; it may be cut."
