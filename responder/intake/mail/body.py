"""What people read in a mail: the best of its texts. What is no text is a file, and what is sealed is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from responder.domain.report_form import cleaned
from responder.intake.mail.charsets import decoded
from responder.intake.mail.limits import MailLimits
from responder.intake.mail.parts import Part

_PLAIN = ("text/plain", "application/plain", "text/markdown", "text/enriched", "text/x-markdown")
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SMIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_STUB = 200
_RICHER = 4
_PGP_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n)*+\n")
_PGP_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_PGP_SEALED = "-----BEGIN PGP MESSAGE-----"


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The text of some parts, whether it was written as HTML, and the parts that are files."""

    text: str = ""
    is_html: bool = False
    files: list[Part] = field(default_factory=list)


class BodyReader:
    """Reads the bodies of one mail; complaints go to `odd`."""

    def __init__(self, limits: MailLimits, odd: list[str]) -> None:
        self.limits, self.odd = limits, odd
        self.letters_left = limits.text
        self.html_left = limits.html
        """Of the whole mail: many parts that are each small enough must not take minutes together."""

    def body(self, part: Part) -> Body:
        """The text and the files below one part."""
        if not part.is_multipart:
            return self._leaf(part)
        kinds: dict[str, Callable[[Part], Body]] = {
            "multipart/alternative": self._alternative,
            "multipart/signed": self._signed,
            "multipart/encrypted": self._encrypted,
        }
        return kinds.get(part.media_type, self._mixed)(part)

    def _mixed(self, part: Part) -> Body:
        return _together([self.body(inner) for inner in part.parts])

    def _alternative(self, part: Part) -> Body:
        before = self.letters_left
        found, least = [], before
        for inner in part.parts:
            if inner.media_type == "text/calendar":
                continue
            # Only one of them is kept, so each may use up all that is left.
            self.letters_left = before
            found.append(self.body(inner))
            least = min(least, self.letters_left)
        self.letters_left = least
        best = _best(found)
        return Body(text=best.text, is_html=best.is_html, files=[file for one in found for file in one.files])

    def _signed(self, part: Part) -> Body:
        return _together([self.body(inner) for inner in part.parts if inner.media_type not in _SIGNATURES])

    def _encrypted(self, part: Part) -> Body:
        self.odd.append("The mail is encrypted (OpenPGP); its text cannot be read here.")
        return Body(files=[inner for inner in part.parts if not inner.is_multipart])

    def _leaf(self, part: Part) -> Body:
        is_broken_multipart = part.media_type.startswith("multipart/")
        is_text = part.media_type in (*_PLAIN, "text/html") or is_broken_multipart
        if is_text and part.disposition != "attachment" and not (part.name and part.disposition != "inline"):
            return self._text(part)
        return self._no_text(part)

    def _no_text(self, part: Part) -> Body:
        kind = part.media_type
        if kind == "message/external-body":
            self.odd.append("A part says that its content lies elsewhere; nobody fetched it.")
            return Body()
        if kind in _SMIME:
            is_signed = part.settings.get("smime-type", "").lower() == "signed-data"
            how = "signed (S/MIME) so that its text is sealed" if is_signed else "encrypted (S/MIME)"
            self.odd.append(f"The mail is {how}; it cannot be read here.")
        if kind == "application/ms-tnef":
            self.odd.append("The mail has a winmail.dat of Outlook; what is in it cannot be read here.")
        return Body(files=[part] * (kind not in _SIGNATURES))

    def _text(self, part: Part) -> Body:
        data = part.content(self.odd)
        # Four bytes are the longest letter of any charset that mails use; HTML has its own limit.
        text, complaint = decoded(data[: 4 * max(self.limits.html, self.limits.text)], part.settings.get("charset", ""))
        self.odd += [complaint] * bool(complaint)
        is_html = part.media_type == "text/html"
        if is_html:
            text = self._html(text)
        return Body(text=self._bounded(text, part), is_html=is_html)

    def _html(self, html: str) -> str:
        # Here, because every start would load lxml, and many services never get a mail.
        from responder.intake.mail.html_text import text_of_html

        if self.html_left <= 0:
            self.odd.append(f"The HTML is longer than {self.limits.html:,} letters; the rest was not read.")
            return ""
        self.html_left -= len(html)
        return text_of_html(html, self.limits, self.odd)

    def _bounded(self, text: str, part: Part) -> str:
        room = self.letters_left
        if len(text) > room:
            self.odd.append(f"The text is longer than {self.limits.text:,} letters; the rest was left out.")
        flat = text[:room].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
        if part.settings.get("format", "").lower() == "flowed":
            flat = _unflowed(flat, is_glued=part.settings.get("delsp", "").lower() == "yes")
        shown = cleaned(self._without_armour(flat))
        self.letters_left = max(room - len(shown), 0)
        return shown

    def _without_armour(self, text: str) -> str:
        if _PGP_SEALED in text:
            self.odd.append("The mail is encrypted (OpenPGP); its text cannot be read here.")
        begun = _PGP_SIGNED.search(text)
        if not begun:
            return text
        inner, mark, after = text[begun.end() :].partition(_PGP_SIGNATURE)
        rest = after.partition("-----END PGP SIGNATURE-----")[2] if mark else ""
        return text[: begun.start()] + re.sub(r"^- ", "", inner, flags=re.MULTILINE) + rest


def _best(found: list[Body]) -> Body:
    """The plain text, unless it is empty or only a hint that there is HTML."""
    plain = max((one for one in found if not one.is_html), key=lambda one: len(one.text), default=Body())
    rich = max((one for one in found if one.is_html), key=lambda one: len(one.text), default=Body())
    is_stub = len(plain.text) < _STUB and len(rich.text) > _RICHER * max(len(plain.text), 20)
    return rich if rich.text and (not plain.text or is_stub) else plain


def _together(found: Iterable[Body]) -> Body:
    known = list(found)
    texts = [one for one in known if one.text]
    return Body(
        text="\n\n".join(one.text for one in texts),
        is_html=bool(texts) and texts[0].is_html,
        files=[file for one in known for file in one.files],
    )


def _unflowed(text: str, *, is_glued: bool) -> str:
    """Lines that a sender folded are one again (RFC 3676), each quote level for itself."""
    lines: list[list[str]] = []
    is_open = False
    for raw in text.split("\n"):
        depth = len(raw) - len(raw.lstrip(">"))
        content = raw[depth:].removeprefix(" ")
        if is_open and depth == _depth_of(lines[-1][0]) and content != "-- ":
            lines[-1].append(content)
        else:
            lines.append([">" * depth + " " * bool(depth), content])
        is_open = content.endswith(" ") and content != "-- "
        if is_open and is_glued:
            lines[-1][-1] = content[:-1]
    return "\n".join("".join(pieces) for pieces in lines)


def _depth_of(prefix: str) -> int:
    return prefix.count(">")
