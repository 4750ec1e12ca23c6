"""The house's own words in a letter: whatever goes wrong with them, the reporter gets the shipped ones."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import structlog
from jinja2 import TemplateError

from responder.config.letters import LONGEST, rendered
from responder.domain.letter import NAMES

if TYPE_CHECKING:
    from responder.flows.texts import LetterText

log = structlog.get_logger()


def in_own_words(template: str, parts: LetterText, shipped: str) -> str:
    """What the template makes of the letter; the shipped words without a template, or if it fails."""
    if not template.strip():
        return shipped
    known = {one.name: getattr(parts, one.name) for one in fields(parts)} | {"shipped": shipped}
    try:
        made = rendered(template, {name: known[name] for name in NAMES})
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        log.warning("a letter has the shipped words, since the policy's cannot be written", error=str(error))
        return shipped
    return made.strip()[: LONGEST * 2] or shipped
