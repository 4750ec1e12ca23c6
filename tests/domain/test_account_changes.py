"""Which changes of accounts are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from responder.domain.access import Role
from responder.domain.account_changes import objection_to_change, objection_to_new_password, objection_to_teams
from responder.domain.accounts import Source, User
from tests.fakes import NOW

MEI = User(name="mei", role=Role.ADMIN, created_at=NOW)


@pytest.mark.parametrize("after", [replace(MEI, role=Role.APPROVER), replace(MEI, disabled_at=NOW)])
def test_the_last_admin_who_can_sign_in_stays(after: User) -> None:
    assert objection_to_change(MEI, after, 0) == "mei is the last admin who can sign in; make another one first."
    assert objection_to_change(MEI, after, 1) == ""


def test_what_takes_no_admin_away_is_no_matter_of_admins() -> None:
    viewer = replace(MEI, role=Role.VIEWER)
    assert objection_to_change(viewer, replace(viewer, disabled_at=NOW), 0) == ""
    assert objection_to_change(MEI, replace(MEI, language="zh"), 0) == ""
    gone = replace(MEI, disabled_at=NOW)
    assert objection_to_change(gone, replace(gone, role=Role.VIEWER), 0) == ""
    assert objection_to_change(gone, MEI, 0) == ""


@pytest.mark.parametrize(("source", "whose"), [(Source.OIDC, "the sign-in provider"), (Source.PROXY, "the proxy")])
def test_roles_that_come_from_elsewhere_are_changed_there(source: Source, whose: str) -> None:
    before = replace(MEI, source=source, role=Role.VIEWER)
    for after in (replace(before, role=Role.RESPONDER), replace(before, teams=("web",))):
        assert f"come from {whose} at each sign-in" in objection_to_change(before, after, 1)
    assert objection_to_change(before, replace(before, disabled_at=NOW), 1) == ""
    assert f"signs in by {whose}" in objection_to_new_password(before)
    assert objection_to_new_password(MEI) == ""


def test_only_teams_that_there_are_can_be_given() -> None:
    assert objection_to_teams(("web",), {"web": 1, "ops": 2}) == ""
    assert objection_to_teams(("db",), {"web": 1, "ops": 2}) == "'db' is no team; there are ops, web."
