"""What Li Wei of the demo writes."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import make_msgid

_REPORT = """\
Hello,

the label printer P900 on floor 3 prints nothing, so 12 people cannot ship anything.

Thank you,
Li Wei
"""
_ASKED = re.compile(r"^\d+\. .+:$", re.MULTILINE)
_KNOWN = ("P900", "SN-4711")


def report() -> EmailMessage:
    return _letter("Label printer is dead", _REPORT)


def answer_to(letter: EmailMessage) -> EmailMessage:
    """What a mail program makes of the answer: what was asked is filled in, and the rest quoted below."""
    asked = _ASKED.findall(text_of(letter))
    filled = "\n".join(f"{question} {value}" for question, value in zip(asked, _KNOWN, strict=False))
    quoted = "\n".join(f"> {line}" for line in text_of(letter).splitlines())
    text = f"{filled}\n\nOn Sat, 21 Nov 2026 at 10:00, Service desk wrote:\n{quoted}\n"
    made = _letter(f"Re: {letter['Subject']}", text, to=str(letter["Reply-To"]))
    made["In-Reply-To"] = letter["Message-ID"]
    return made


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    return "\n".join(str(body.get_content()).splitlines()) if body else ""


def _letter(subject: str, text: str, *, to: str = "desk@demo.test") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Li Wei <li.wei@demo.test>", to, subject
    made["Message-ID"] = make_msgid(domain="demo.test")
    made.set_content(text)
    return made
