"""What `responder tickets show` says of who is called."""

from __future__ import annotations

from typing import Any

import pytest

from responder.cli.tickets import next_call

CALL = {"at": "2026-11-21T03:05:00+00:00", "means": "tier 2", "who": ["lars"], "told": []}


def chain(**changes: Any) -> dict[str, Any]:
    return {"plan": "night", "calls": [CALL], "next": None, "over": "", **changes}


@pytest.mark.parametrize(
    ("given", "told", "in_vain"),
    [
        (
            chain(),
            "nobody more is called: everybody was.",
            "nobody more is called: everybody was in vain. No message reaches anybody.",
        ),
        (
            chain(over="The alert has cleared."),
            "nobody more is called: The alert has cleared.",
            "nobody more is called: The alert has cleared. No message reaches anybody.",
        ),
        (
            chain(next=CALL),
            "next call: lars (tier 2) at 2026-11-21 03:05:00, by “night”",
            "next call: lars (tier 2) at 2026-11-21 03:05:00, by “night”. No message reaches anybody.",
        ),
        (chain(calls=[]), "it calls nobody: it waits in the list.", "it calls nobody: it waits in the list."),
    ],
    ids=["everybody was", "it is over", "there is a next", "it calls nobody"],
)
def test_who_is_called_next_and_that_it_is_in_vain(given: dict[str, Any], told: str, in_vain: str) -> None:
    assert next_call(given) == told
    assert next_call(given, reaches_nobody=True) == in_vain
