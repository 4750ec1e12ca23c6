"""The names of switches, and the kill switch's file: what is not understood stops everything."""

from __future__ import annotations

import pytest

from responder.domain.switches import (
    EVERYTHING,
    Scope,
    in_maintenance,
    maintenance_of,
    of_runbook,
    of_target,
    scope_of,
    scopes_in,
)

NAMES = {"runbook": {"restart-app": "restart-app"}, "target": {"web-1": "web-1", "www": "web-1"}}


@pytest.mark.parametrize("scope", [EVERYTHING, of_runbook("restart-app"), of_target("web-1:9100")])
def test_a_switch_is_found_again_by_its_name(scope: Scope) -> None:
    assert scope_of(scope.switch) == scope


@pytest.mark.parametrize("name", ["killed", "kill x:y", "kill runbook", "maintenance target:web-1", ""])
def test_other_switches_are_no_kill_switches(name: str) -> None:
    assert scope_of(name) is None


def test_maintenance_is_a_switch_of_its_own() -> None:
    assert in_maintenance(maintenance_of("web-1")) == "web-1"
    assert in_maintenance(of_target("web-1").switch) == ""


@pytest.mark.parametrize("text", ["", "\n\n", "# we move the rack\n", "   # a\n#b"])
def test_a_file_that_names_nothing_stops_everything(text: str) -> None:
    assert scopes_in(text, NAMES) == (EVERYTHING,)


def test_a_file_that_names_runbooks_and_targets_stops_only_these() -> None:
    text = "# tonight\nrunbook restart-app\n\n  target   www  # by its alias\r\n"
    assert scopes_in(text, NAMES) == (of_runbook("restart-app"), of_target("web-1"))


@pytest.mark.parametrize(
    "text",
    [
        "everything",
        "target",
        "target web-9",
        "runbook web-1",
        "target web-1 web-2",
        "Target web-1",
        "target: web-1",
        "web-1",
        "target web-1\nrunbook typo",
        "on",
        "\0",
    ],
)
def test_what_is_not_understood_is_said_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=f"its line {text.count(chr(10)) + 1} is neither"):
        scopes_in(text, NAMES)
