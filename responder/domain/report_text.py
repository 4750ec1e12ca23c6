"""What the text of a report says of the form's fields, beside what somebody has typed into them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from responder.domain.mail_fields import Recognised, recognised
from responder.domain.mail_labels import unlabelled
from responder.domain.policy import Policy
from responder.domain.report_form import Form, odd_values

DESCRIPTION, SYMPTOM = "description", "symptom"
_FREE = (DESCRIPTION, SYMPTOM)
_LONGEST_FIELD = 4000
_LEAST = 10
_LONGEST_LINE = 200
_GREETING = re.compile(
    r"\s*(?:(?:hi|hello|hey|good (?:morning|afternoon|evening|day))(?:(?: [\w'-]{1,20}){0,3}\s?[,!:]| [\w'-]{1,20})?"
    r"|dear(?: [\w.'-]{1,20}){1,5}\s?[,!:]?|(?:您好|你好|大家好)[,，.。!！:：]?"
    r"|尊敬的[^,，.。!！:：]{1,12}[,，:：]?(?:您好|你好)?[,，.。!！:：]?)\s*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\s*(?:(?:thanks?|thank you|(?:best |kind )?regards|cheers)(?:[ ,]{1,2}[\w'-]{1,20}){0,5}\s?[,.!]?"
    r"|(?:非常)?(?:谢谢|多谢|感谢|此致|敬礼|祝好)[,，.。!！]?)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What the form calls its fields, in every language: `labels` maps what it shows to the field's name. `words` maps,
    for each field that is chosen from a list, what the form offers to what the policy's rules know."""

    labels: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A text that somebody wrote, and when: by that `yesterday` is told."""

    text: str
    at: datetime
    is_quoted: bool = False
    """Whether somebody only passes it on, without a word of their own."""
    is_titled: bool = True
    """Whether its title is its writer's own; that of an answer or a forward is another one's."""


def fields_in(written: Written, policy: Policy, vocabulary: Vocabulary, now: datetime) -> Recognised:
    """The fields that a text says for certain, as the policy's form wants them."""
    # A clock that goes wrong may date a mail into the future.
    sent_at = min(written.at, now).astimezone(policy.zone)
    others = {**dict.fromkeys(policy.report_fields), **dict.fromkeys(policy.asked_fields or ())}
    others |= dict.fromkeys(name for rule in policy.grade_rules for name in rule.facts)
    seen = recognised(
        _ended(written.text, vocabulary),
        sent_at=sent_at,
        others=tuple(others),
        labels=vocabulary.labels,
        is_quoted=written.is_quoted,
    )
    found = {name: _chosen(vocabulary, name, value) for name, value in seen.found.items() if name != DESCRIPTION}
    found = {name: value for name, value in found.items() if not odd_values({name: value}, policy.zone, now)}
    return Recognised(found=found, how={name: seen.how[name] for name in found})


def _ended(text: str, vocabulary: Vocabulary) -> str:
    """The text with an empty line below each line that ends with a word of a list: such a value is whole."""
    offered = {word for words in vocabulary.words.values() for word in words}
    return "\n".join(f"{line}\n" if _last_word(line) in offered else line for line in text.split("\n"))


def _last_word(line: str) -> str:
    _, colon, value = line[:_LONGEST_LINE].replace("：", ":").rpartition(":")
    return _plain(value) if colon else ""


def _plain(value: str) -> str:
    return " ".join(value.split()).rstrip(".。！!").casefold()


def _chosen(vocabulary: Vocabulary, name: str, value: str) -> str:
    return vocabulary.words.get(name, {}).get(_plain(value), value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A report with what its text says, too; `how` says by what each field that nobody typed in was recognised."""

    form: Form
    how: Mapping[str, str] = field(default_factory=dict)


def reading_of(form: Form, policy: Policy, vocabulary: Vocabulary, now: datetime) -> Reading:
    """The report with the fields that its title, description and symptom say. What is given in the form stays."""
    texts = [form.title, *(form.fields.get(name, "") for name in _FREE)]
    return _with(form, fields_in(Written(text=_apart(texts), at=now), policy, vocabulary, now))


def letter_read(form: Form, written: Written, policy: Policy, vocabulary: Vocabulary, now: datetime) -> Reading:
    """As `reading_of`, of a letter. Where none of its words is called the symptom, and the policy wants one, its
    text beside the fields is."""
    said = replace(written, text=_apart([form.title * written.is_titled, written.text]))
    reading = _with(form, fields_in(said, policy, vocabulary, now))
    if SYMPTOM not in policy.report_fields or reading.form.fields.get(SYMPTOM):
        return reading
    told = _told(unlabelled(_ended(written.text, vocabulary), vocabulary.labels))
    if len(re.findall(r"\w", told)) < _least(told):
        return reading
    symptom = Recognised(found={SYMPTOM: told[:_LONGEST_FIELD]}, how={SYMPTOM: "The text itself says it."})
    return _with(reading.form, symptom, reading.how)


def _with(form: Form, seen: Recognised, how: Mapping[str, str] | None = None) -> Reading:
    new = {name: value for name, value in seen.found.items() if not form.all_fields.get(name)}
    read = replace(form, fields={**form.fields, **new})
    return Reading(form=read, how={**(how or {}), **{name: seen.how[name] for name in new}})


def _apart(texts: Sequence[str]) -> str:
    """One text, in which no label of one takes the lines of the next for its value."""
    return "\n\n".join(text for text in texts if text)


def _told(text: str) -> str:
    kept = [line for line in text.split("\n") if not _GREETING.fullmatch(line) and not _THANKS.fullmatch(line)]
    return "\n".join(kept).strip()


def _least(text: str) -> int:
    """Fewer letters than these tell nobody what is wrong; a Chinese word has one or two."""
    return _LEAST // 2 if re.search(r"[\u4e00-\u9fff]", text) else _LEAST
