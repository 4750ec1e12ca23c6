"""Score: how well the knowledge base tells recurring from new, measured on a labelled set of past cases and reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import BaseModel, ConfigDict

from responder.adapters.yaml_file import load
from responder.domain.knowledge import Description, Rarity, Source, described, similarity
from responder.store import schema
from responder.store.database import Database
from responder.store.library import LibraryStore
from responder.store.transaction import Transaction

FLOORS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LabelledReport(_Strict):
    """What somebody reports, and whether it is the same trouble as its case."""

    text: str
    same: bool
    labels: dict[str, str] = {}
    error_code: str = ""
    why: str = ""


class LabelledCase(_Strict):
    """A past case with reports that are the same trouble, and such that only look like it."""

    id: str
    half: Literal["tune", "held_out"]
    language: str
    title: str
    symptom: str = ""
    cause: str = ""
    solution: str = ""
    labels: dict[str, str] = {}
    reports: list[LabelledReport]


class LabelledSet(_Strict):
    """All of it."""

    cases: list[LabelledCase]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A report and a case as they were judged. `score` is 0 if the case was not even a candidate."""

    case: str
    report: str
    half: str
    language: str
    same: bool
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """The labelled pairs, and the scores of all pairs of a report and another case: nobody calls those the same."""

    pairs: tuple[Pair, ...]
    others: tuple[Pair, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How many pairs were called the same, rightly or wrongly, and how many were missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall (C. J. van Rijsbergen 1979)."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.right else 0.0


def score(pairs: Iterable[Pair], floor: float) -> Score:
    """What a verdict above this floor would have been worth."""
    judged = [(one.score >= floor, one.same) for one in pairs]
    return Score(
        right=judged.count((True, True)), wrong=judged.count((True, False)), missed=judged.count((False, True))
    )


def judged(path: Path) -> Judged:
    """Judges a labelled set by a knowledge base of its cases alone, in a database of its own. Raises ConfigError."""
    cases = load(path).parsed(LabelledSet).cases
    with TemporaryDirectory(prefix="responder-score-") as folder:
        database = Database(f"sqlite:///{folder}/score.db")
        try:
            schema.upgrade(database)
            found = database.write_now(lambda tx: list(_judge(tx, cases)))
        finally:
            database.close()
    own = tuple(pair for pair, is_own in found if is_own)
    return Judged(pairs=own, others=tuple(pair for pair, is_own in found if not is_own))


def _judge(tx: Transaction, cases: list[LabelledCase]) -> Iterator[tuple[Pair, bool]]:
    library = LibraryStore(tx.connection)
    for number, case in enumerate(cases):
        library.index(Source.TICKET, number, _known(case))
    for number, case in enumerate(cases):
        for report in case.reports:
            scores = _scores(library, described(report.text, labels=report.labels, code=report.error_code))
            for other in range(len(cases)):
                is_own = other == number
                pair = Pair(
                    case=cases[other].id, report=report.text, half=case.half, language=case.language,
                    same=report.same and is_own, score=scores.get(other, 0.0),
                )  # fmt: skip
                yield pair, is_own


def _known(case: LabelledCase) -> Description:
    return described(case.title, symptom=case.symptom, insight=f"{case.cause}\n{case.solution}", labels=case.labels)


def _scores(library: LibraryStore, query: Description) -> dict[int, float]:
    rarity: Rarity = library.rarity(query.shown)
    return {one.ref: similarity(query, one.description, rarity) for one in library.candidates(rarity)}
