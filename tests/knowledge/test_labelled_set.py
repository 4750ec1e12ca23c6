"""The labelled set: what it holds, and how well the knowledge base judges it at the floor of the policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.adapters.yaml_file import load
from responder.domain.policy import Policy
from responder.errors import ConfigError
from responder.flows.score import Judged, LabelledSet, Pair, judged, score

PAIRS = Path(__file__).parent / "pairs.yml"
FLOOR = Policy(name="any", grades={}, default_grade="P3").similar_from


@pytest.fixture(scope="module")
def found() -> Judged:
    return judged(PAIRS)


def of(pairs: tuple[Pair, ...], half: str, language: str = "") -> list[Pair]:
    return [one for one in pairs if one.half == half and language in ("", one.language)]


def test_it_holds_at_least_eighty_pairs_half_of_them_chinese_and_hard_ones_in_both_halves() -> None:
    cases = load(PAIRS).parsed(LabelledSet).cases
    reports = [report for case in cases for report in case.reports]
    assert len(reports) >= 80
    assert sum(any("\u4e00" <= one <= "\u9fff" for one in report.text) for report in reports) * 2 >= len(reports)
    for half in ("tune", "held_out"):
        labels = [report.same for case in cases if case.half == half for report in case.reports]
        assert min(labels.count(True), labels.count(False)) >= 40
    assert all(report.why for report in reports if not report.same)
    assert len({case.id for case in cases}) == len(cases)
    assert len({report.text for report in reports}) == len(reports)


@pytest.mark.parametrize(
    ("half", "language", "precision", "recall"),
    [
        ("tune", "zh", 0.95, 0.85),
        ("tune", "en", 0.95, 0.85),
        ("tune", "mixed", 0.95, 0.95),
        ("held_out", "zh", 0.80, 0.85),
        ("held_out", "en", 0.90, 0.90),
        ("held_out", "mixed", 0.95, 0.95),
    ],
)
def test_at_the_floor_it_judges_as_well_as_it_did_when_it_was_tuned(
    found: Judged, half: str, language: str, precision: float, recall: float
) -> None:
    result = score(of(found.pairs, half, language), FLOOR)
    assert result.precision >= precision
    assert result.recall >= recall


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_hardly_any_other_case_is_called_the_same(found: Judged, half: str) -> None:
    assert score(of(found.others, half), FLOOR).wrong <= 2


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_no_floor_far_from_the_policys_is_better(found: Judged, half: str) -> None:
    pairs = of(found.pairs, half)
    best = max(score(pairs, floor / 100).f1 for floor in range(20, 90, 5))
    assert score(pairs, FLOOR).f1 >= best - 0.03


def test_precision_recall_and_f1_are_what_the_books_say() -> None:
    def pair(same: bool, value: float) -> Pair:
        return Pair(case="c", report="r", half="tune", language="en", same=same, score=value)

    result = score([pair(True, 0.9), pair(True, 0.5), pair(True, 0.4), pair(False, 0.6), pair(False, 0.1)], 0.5)
    assert (result.right, result.wrong, result.missed) == (2, 1, 1)
    assert (result.precision, result.recall, result.f1) == (2 / 3, 2 / 3, 2 / 3)
    nothing = score([], 0.5)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)


def test_a_mistake_in_the_file_is_shown_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "pairs.yml"
    file.write_text("cases:\n  - {id: a, half: tuned, language: en, title: x, reports: []}\n")
    with pytest.raises(ConfigError, match=r"pairs.yml:2:.*half"):
        judged(file)
