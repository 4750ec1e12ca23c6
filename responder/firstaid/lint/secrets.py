"""The rule about secrets: a runbook is read by everybody, and a command line by everybody on the host."""

from __future__ import annotations

import re
from itertools import pairwise

from responder.adapters.yaml_file import Place
from responder.domain.masking import is_secret_of, masked
from responder.firstaid.lint.fields import argument_lists, texts
from responder.firstaid.lint.finding import Found
from responder.firstaid.lint.sheet import Sheet

_PROSE = ("once", "question", "text", "summary", "name")
# What names a file, or is filled in, is no secret.
_HARMLESS = re.compile(
    r"(?i)[\w.-]*(?:file|path|dir)[\"']?\s*[=:]\s*[\"']?[^\s\"',;&]+|[=:]\s*[\"']?(?:\{\{|\{%|\$|/(?!/))[^\s\"',;&]*"
)


def secret_in_clear(sheet: Sheet) -> Found:
    for place, text in texts(sheet.document.data, ()):
        if _shows_a_secret(place, text):
            yield place, "this looks like a secret; keep it in a file on the host, or name a credential_file:"
    for step in sheet.steps:
        for place, argv in argument_lists(step):
            for index, (option, value) in enumerate(pairwise(argv)):
                if is_secret_of(option, value) and not value.startswith(("{{", "$")):
                    yield (
                        (*place, index + 1),
                        f"the value of {option} is a secret in clear; let the command read a file",
                    )


def _shows_a_secret(place: Place, text: str) -> bool:
    key = str(place[-1]) if place else ""
    if key in _PROSE:
        checked = text.replace(": ", " ")
    elif place[-2:-1] == ("headers",):
        checked = f"{key}={text}"
    else:
        checked = text
    checked = _HARMLESS.sub("", checked)
    return masked(checked) != checked
