"""Every word of the pages has its Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.access import MEANING
from responder.flows.texts.languages import entries
from responder.web import console, rendering

TEMPLATES = sorted(path for path in rendering.TEMPLATES.rglob("*.html"))


def words_of(template: str) -> list[str]:
    """The texts that a template asks a translation for."""
    found = rendering.environment("en").extract_translations(template)  # type: ignore[attr-defined]
    texts = [text for _, _, text in found]
    return [one for text in texts for one in (text if isinstance(text, tuple) else (text,)) if one]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_word_of_a_template_has_its_chinese(path: Path) -> None:
    known = {text for kind, text in entries("zh") if not kind}
    assert [text for text in words_of(path.read_text()) if text not in known] == []


def test_the_names_of_places_and_the_titles_of_errors_have_theirs() -> None:
    known = {text for kind, text in entries("zh") if not kind}
    shown = [*(one.label for one in console.PLACES), *console.TITLES.values()]
    assert [text for text in shown if text not in known] == []


def test_what_each_role_may_is_said_in_chinese() -> None:
    known = {text for kind, text in entries("zh") if not kind}
    assert [text for text in MEANING.values() if text not in known] == []


def test_every_letter_leads_to_one_place() -> None:
    assert len({one.letter for one in console.PLACES}) == len(console.PLACES)
