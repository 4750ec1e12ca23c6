"""The fields of a report as a ticket shows them: what is known, by what it was recognised, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from responder.domain.ticket import Event, EventKind

_LONGEST_SHOWN = 80
READ = "read"
"""Under this name an event holds the fields that were recognised in a text, each with its sentence."""
GIVEN = "The report gave it."


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownField:
    """A field with its value; `how` says in a sentence where that comes from."""

    name: str
    value: str
    how: str


def known_fields(fields: Mapping[str, str], history: Iterable[Event]) -> tuple[KnownField, ...]:
    """The fields of a report, each with its origin as the history tells it."""
    how: dict[str, str] = {}
    for event in history:
        read, filled = event.data.get(READ), event.data.get("fields")
        if isinstance(read, Mapping):
            how |= {str(name): str(sentence) for name, sentence in read.items()}
        if event.kind is EventKind.HANDLED and isinstance(filled, Sequence):
            how |= {str(name): f"{event.actor} filled it in." for name in filled}
    return tuple(KnownField(name=name, value=value, how=how.get(name, GIVEN)) for name, value in fields.items())


def reading_in_words(how: Mapping[str, str], fields: Mapping[str, str], lacking: Sequence[str]) -> str:
    """What was recognised in a text, and what the policy wants and it does not say."""
    found = [f"{spoken_name(name)}: {shortened(fields[name])} ({sentence})" for name, sentence in how.items()]
    read = [f"Recognised in the text: {'; '.join(found)}."] if found else []
    missing = [f"Missing in the report: {', '.join(map(spoken_name, lacking))}."] if lacking else []
    return " ".join([*read, *missing])


def answer_in_words(
    how: Mapping[str, str], fields: Mapping[str, str], otherwise: Mapping[str, str], lacking: Sequence[str]
) -> str:
    """What an answer has filled in, what of it differs from the report, and what is missing still."""
    found = [f"{spoken_name(name)}: {shortened(fields[name])} ({sentence})" for name, sentence in how.items()]
    differs = [
        f"{spoken_name(name)} {shortened(value)} instead of {shortened(fields[name])}"
        for name, value in otherwise.items()
    ]
    said = [
        f"Filled in from the answer: {'; '.join(found)}." if found else "",
        f"The answer also says {'; '.join(differs)}; that is left to people (verb: register)." if differs else "",
        f"Still missing: {', '.join(map(spoken_name, lacking))}." if lacking else "",
    ]
    return " ".join(filter(None, said))


def spoken_name(name: str) -> str:
    """What a field is called within a sentence."""
    return name.replace("_", " ")


def shortened(value: str) -> str:
    """A value on one line."""
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"
