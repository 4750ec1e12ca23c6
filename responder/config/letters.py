"""`reporter: letters:` in policy.yml: a house's own words in letters to reporters, checked whole before they count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Literal

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, StringConstraints, model_validator

from responder.adapters.yaml_file import Place
from responder.config.model import Model
from responder.domain.letter import NAMES, Letter, OwnLetters, OwnWords

LONGEST = 4000
"""Letters of a text as it is sent."""
_LONGEST_SUBJECT = 150
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_FULL: Mapping[str, object] = {
    **dict.fromkeys(NAMES, "words"),
    "said": ["We have been working on it."],
    "asks": ["Serial number"],
    "best_score": 5,
    "answers_by_mail": True,
}
_EMPTY: Mapping[str, object] = {
    **dict.fromkeys(NAMES, ""),
    "said": [],
    "asks": [],
    "best_score": None,
    "answers_by_mail": False,
}


class OwnWordsFile(Model):
    """Templates; `{{ shipped }}` is the text that would be there without it."""

    text: Annotated[str, Field(max_length=LONGEST)] = ""
    subject: Annotated[str, StringConstraints(max_length=_LONGEST_SUBJECT, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""

    @model_validator(mode="after")
    def _says_something(self) -> OwnWordsFile:
        if not self.text.strip() and not self.subject.strip():
            raise ValueError("it says nothing: give a text:, a subject:, or both")
        return self


LettersFile = Mapping[Letter, Mapping[Literal["en", "zh"], OwnWordsFile]]


def as_letters(written: LettersFile) -> OwnLetters:
    """The words as the domain knows them."""
    return {
        letter.value: {language: OwnWords(text=one.text, subject=one.subject) for language, one in said.items()}
        for letter, said in written.items()
    }


def complaints(written: LettersFile) -> Iterator[tuple[Place, str]]:
    """What is wrong with the templates: each is tried with all that a letter may hold, and with nothing of it."""
    for letter, said in written.items():
        for language, words in said.items():
            for name, template in (("text", words.text), ("subject", words.subject)):
                if why := _wrong(template):
                    yield ("reporter", "letters", letter.value, language, name), why


def _wrong(template: str) -> str:
    try:
        unknown = meta.find_undeclared_variables(_ENVIRONMENT.parse(template)) - set(NAMES)
        if unknown:
            return f"there is no {min(unknown)}; there are {', '.join(NAMES)}"
        for values in (_FULL, _EMPTY):
            rendered(template, values)
    except TemplateSyntaxError as error:
        return f"line {error.lineno} of it cannot be read: {error.message}"
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        return f"it cannot be written: {error}"
    return ""


def rendered(template: str, values: Mapping[str, object]) -> str:
    """What a template of the policy says. Raises TemplateError, or what its expressions raise."""
    return _template(template).render(values)


@lru_cache(maxsize=64)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)
