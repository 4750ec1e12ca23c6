"""The known-issue base: how like two troubles are, and whether a trouble is recurring or new.

The likeness is an overlap of words, each weighed by how rare it is and by what sort of word it is (the idea of tf-idf,
K. Spärck Jones 1972). The weights below and the floor were tuned on one half of the labelled set in tests/knowledge;
docs/knowledge.md says what both halves gave.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log

from responder.domain.concepts import generic, symptoms
from responder.domain.words import found, names, tokens

_LONGEST = 6000
_MOST_WORDS = 6
_GENERIC, _PAIR, _SINGLE, _SYMPTOM, _IDENTIFIER = 0.2, 0.6, 0.4, 1.3, 1.3
_SCENE = 0.5
_INSIGHT = 0.7
_REPORT_SHARE = 0.65
_EXPLAINED = 0.6
_EVIDENCE = 0.8
_SAME_CODE, _OTHER_CODE = 0.3, 0.6
_SAME_ALERT, _OTHER_SERVICE = 0.3, 0.8
_OTHER_SYMPTOM = 0.75
_UNSEEN, _COMMON, _RARE_SHARE, _PRIOR = 0.8, 0.3, 200, 30
_CODE = re.compile(r"(?=.*[a-z]).*\d{4}.*")
_SCENES = ("service", "job", "app", "component", "product", "model")


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What of a trouble can be compared, as tokens.

    `insight` is what was found out about it, `scene` where it happens (service, product), `codes` its error codes,
    `names` hosts and numbers, which are only searched. `said` maps tokens to the words of the text they come from.
    """

    title: frozenset[str]
    symptom: frozenset[str] = frozenset()
    insight: frozenset[str] = frozenset()
    scene: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    alert: str = ""
    service: str = ""
    said: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def shown(self) -> frozenset[str]:
        """What the trouble looks like from outside."""
        return self.title | self.symptom

    @property
    def all(self) -> frozenset[str]:
        return self.title | self.symptom | self.insight


def described(
    title: str, *, symptom: str = "", insight: str = "", labels: Mapping[str, str] | None = None, code: str = ""
) -> Description:
    """The description of a trouble in these words. `labels` may name its alert and where it happens."""
    labels = labels or {}
    scenes = [labels[name] for name in _SCENES if labels.get(name)]
    alert = labels.get("alertname", "")
    head, seen, learnt = f"{title} {alert}"[:_LONGEST], f"{code} {symptom}"[:_LONGEST], insight[:_LONGEST]
    title_tokens, symptom_tokens = frozenset(tokens(head)), frozenset(tokens(seen))
    return Description(
        title=title_tokens,
        symptom=symptom_tokens - title_tokens,
        insight=frozenset(tokens(learnt)) - title_tokens - symptom_tokens,
        scene=frozenset(token for scene in scenes for token in tokens(scene)),
        codes=frozenset(filter(_CODE.fullmatch, title_tokens | symptom_tokens)) | frozenset(tokens(code)),
        names=frozenset(names(f"{head} {seen} {learnt}")),
        alert=alert.lower(),
        service=scenes[0].lower() if scenes else "",
        said=_said(f"{head} {seen}"),
    )


def _said(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for one in found(text):
        said.setdefault(one.token, text[one.start : one.end])
    return said


@dataclass(frozen=True, kw_only=True, slots=True)
class Rarity:
    """How many documents there are, and how many of them hold each word."""

    total: int
    documents: Mapping[str, int]

    def of(self, token: str) -> float:
        """1 for what is in less than one document of 200, falling to 0.3 for what is in a third of them.

        It goes by the share of the documents, not by their number, so that a floor holds while the base grows.
        A word that no document holds says a little less: it may be a slip of the pen.
        """
        count = self.documents.get(token, 0)
        if not count:
            return _UNSEEN
        return min(1.0, max(_COMMON, -log((count + 0.5) / (self.total + _PRIOR)) / log(_RARE_SHARE)))


def weight(token: str) -> float:
    """What a word counts by its sort: symptoms and identifiers more, what stands in every report hardly."""
    if token in symptoms():
        return _SYMPTOM
    if token in generic():
        return _GENERIC
    if not token.isascii():
        return _SINGLE if len(token) == 1 else _PAIR if len(token) == 2 else 1.0
    return _IDENTIFIER if "_" in token or not token.isalpha() else 1.0


def similarity(query: Description, candidate: Description, rarity: Rarity) -> float:
    """How like a report is to what is known, from 0 to 1. It does not depend on the database.

    How much of the report is in the candidate counts _REPORT_SHARE, how much of the candidate (or of its title) is in
    the report the rest, as a weighted geometric mean. A report in words of the cause covers the candidate, too. Little
    evidence counts less; codes, alerts and symptoms then speak for or against.
    """
    scene = query.scene | candidate.scene
    asked = _weights(query.shown, scene, rarity)
    known = candidate.shown
    common = sum(heft for token, heft in asked.items() if token in known)
    learnt = sum(heft for token, heft in asked.items() if token in candidate.insight)
    evidence = common + _INSIGHT * learnt
    if not common:
        return 0.0
    explained = evidence / sum(asked.values())
    covered = max(_covered(query.shown, one, scene) for one in (known, candidate.title))
    mean = explained**_REPORT_SHARE * max(covered, _EXPLAINED * explained) ** (1 - _REPORT_SHARE)
    return _judged(query, candidate, mean * (1 - exp(-evidence / _EVIDENCE)))


def _weights(words: Iterable[str], scene: frozenset[str], rarity: Rarity) -> dict[str, float]:
    return {token: rarity.of(token) * _in_scene(token, scene) for token in words}


def _in_scene(token: str, scene: frozenset[str]) -> float:
    return weight(token) * (_SCENE if token in scene else 1.0)


def _covered(asked: frozenset[str], known: frozenset[str], scene: frozenset[str]) -> float:
    """How much of what is known is asked for. Without rarity: it would have to be looked up for every candidate."""
    whole = sum(_in_scene(token, scene) for token in known)
    return sum(_in_scene(token, scene) for token in asked & known) / whole if whole else 0.0


def _judged(query: Description, candidate: Description, score: float) -> float:
    if query.codes & candidate.all or candidate.codes & query.all:
        score = _raised(score, _SAME_CODE)
    elif query.codes and candidate.codes:
        score *= _OTHER_CODE
    if query.alert and query.alert == candidate.alert:
        is_elsewhere = query.service and candidate.service and query.service != candidate.service
        score = score * _OTHER_SERVICE if is_elsewhere else _raised(score, _SAME_ALERT)
    here, there = query.shown & symptoms(), candidate.shown & symptoms()
    return score * _OTHER_SYMPTOM if here and there and not here & there else score


def _raised(score: float, by: float) -> float:
    return 1 - (1 - score) * (1 - by)


def matching_words(query: Description, candidate: Description, rarity: Rarity) -> tuple[str, ...]:
    """The words of the query that are in the candidate, the most telling first."""
    asked = _weights(query.shown & candidate.all, query.scene | candidate.scene, rarity)
    telling = [token for token in sorted(asked, key=lambda one: (-asked[one], one)) if token not in generic()]
    said = [query.said.get(token, token) for token in telling]
    once = {word.lower(): word for word in reversed(said)}
    return tuple(dict.fromkeys(once[word.lower()] for word in said))[:_MOST_WORDS]


# --- the verdict -----------------------------------------------------------------------------------


class Source(StrEnum):
    """What a document of the base is made of."""

    TICKET = "ticket"
    ARTICLE = "article"


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """Something known that is like the trouble. `times`: how many tickets in the very same words it stands for."""

    source: Source
    id: int
    name: str
    title: str
    score: float
    words: tuple[str, ...]
    solution: str = ""
    times: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognition:
    """Whether a trouble is recurring, as a sentence; `similar` are the matches from the floor up, the best first."""

    is_recurring: bool
    sentence: str
    similar: tuple[Match, ...] = ()


def verdict(matches: Collection[Match], floor: float) -> Recognition:
    """Recurring if a match reaches the floor. Of matches as good as each other, an article goes before a ticket."""
    ranked = sorted(matches, key=lambda one: (-round(one.score, 2), one.source is not Source.ARTICLE, -one.id))
    similar = tuple(one for one in ranked if one.score >= floor)
    if similar:
        return Recognition(is_recurring=True, sentence=_recurring(similar), similar=similar)
    nearest = f" The nearest is {_named(ranked[0])}, below the floor of {floor:.0%}." if ranked else ""
    return Recognition(is_recurring=False, sentence=f"New: nothing in the knowledge base is like it.{nearest}")


def _recurring(similar: Sequence[Match]) -> str:
    sentence = f"Recurring: looks like {' and '.join(_named(one) for one in similar[:2])}."
    helped = next((one for one in similar if one.solution), None)
    return f"{sentence} What helped in {helped.name}: {helped.solution}" if helped else sentence


def _named(match: Match) -> str:
    times = f", {match.times} times" if match.times > 1 else ""
    return f"{match.name} ({match.score:.0%}: {', '.join(match.words)}{times})"
