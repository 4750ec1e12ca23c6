"""What is said to a name that nobody has."""

from __future__ import annotations

from responder.domain.handling import stranger, worth_comparing


def test_of_many_names_those_that_are_most_alike_are_said() -> None:
    said = stranger("ann", [f"p{number}" for number in range(40)] + ["anne"])
    assert said.startswith("nobody is called 'ann' in the people file or among the accounts; there are anne, ")
    assert said.endswith(" and 29 more")


def test_of_thousands_only_those_that_begin_alike_are_compared_letter_by_letter() -> None:
    many = [f"p{number}" for number in range(3000)] + ["Anne", "an", "lars"]
    compared = worth_comparing("anen", many)
    assert (compared[:2], len(compared)) == (["Anne", "an"], 100)
    assert "there are Anne, an, " in stranger("anen", many)
    assert stranger("anen", many).endswith(f" and {len(many) - 12} more")
