"""What claims make of a person: a name, the highest role, teams, or a sentence that says why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from responder.config.sign_in import GroupRules
from responder.domain.access import Role
from responder.domain.arrivals import Arrival, ClaimRules, arrival, groups_in
from responder.errors import SignInRefused

GROUPS = GroupRules(
    roles={Role.ADMIN: ("ops-leads",), Role.VIEWER: ("staff",), Role.RESPONDER: ("ops", "sre")},
    teams={"database": ("dba",), "web": ("ops", "web")},
)
RULES = ClaimRules(groups=GROUPS)
MEI: dict[str, Any] = {
    "iss": "https://id.example",
    "sub": "42",
    "preferred_username": "mei",
    "name": "Mei Lin",
    "groups": ["ops"],
}


def met(rules: ClaimRules = RULES, **changed: Any) -> Arrival:
    return arrival({name: value for name, value in {**MEI, **changed}.items() if value is not None}, rules)


def refusal(rules: ClaimRules = RULES, **changed: Any) -> str:
    with pytest.raises(SignInRefused) as refused:
        met(rules, **changed)
    return str(refused.value)


def test_a_person_has_a_name_a_role_and_teams_by_the_groups() -> None:
    assert met() == Arrival(
        issuer="https://id.example",
        subject="42",
        name="mei",
        role=Role.RESPONDER,
        teams=("web",),
    )


def test_whose_groups_give_no_team_acts_for_none_where_groups_give_teams() -> None:
    assert [met(groups=[one]).teamless for one in ("ops", "staff")] == [False, True]
    everywhere = replace(RULES, groups=GROUPS.model_copy(update={"all_teams": ("staff",)}))
    found = met(everywhere, groups=["staff", "dba"])
    assert (found.teams, found.teamless) == ((), False)
    without = replace(RULES, groups=GROUPS.model_copy(update={"teams": {}}))
    assert (met(without, groups=["staff"]).teams, met(without, groups=["staff"]).teamless) == ((), False)
    only_all = replace(RULES, groups=GROUPS.model_copy(update={"teams": {}, "all_teams": ("ops",)}))
    assert [met(only_all, groups=[one]).teamless for one in ("ops", "staff")] == [False, True]


def test_of_several_groups_the_highest_role_counts() -> None:
    assert met(groups=["staff", "ops-leads", "ops"]).role == "admin"
    assert met(groups=["staff", "ops"]).role == "responder"


def test_one_group_may_stand_without_a_list() -> None:
    assert met(groups="staff").role == "viewer"


def test_what_is_no_text_is_no_group() -> None:
    assert groups_in({"groups": ["ops", 7, None, ["admin"], ""]}, "groups") == ("ops",)


def test_somebody_whose_groups_give_no_role_is_told_whom_to_ask() -> None:
    assert refusal(groups=["guests"]).startswith("None of your groups gives you a role here. Ask an administrator")


def test_somebody_without_groups_is_told_which_claim_is_missing() -> None:
    assert "names no groups of you in the claim groups" in refusal(groups=None)


def test_groups_that_are_kept_elsewhere_are_named_as_such() -> None:
    assert "your groups are too many for a token" in refusal(groups=None, _claim_names={"groups": "src1"})


def test_others_may_have_a_role_too() -> None:
    everybody = replace(RULES, groups=GROUPS.model_copy(update={"otherwise": Role.VIEWER}))
    assert met(everybody, groups=None).role == "viewer"
    assert met(everybody, groups=["ops-leads"]).role == "admin"


def test_claims_within_claims_are_found_by_a_dot() -> None:
    nested = replace(RULES, groups_claim="realm_access.roles")
    assert met(nested, realm_access={"roles": ["ops-leads"]}).role == "admin"
    assert "no role here" in refusal(nested, realm_access=["ops-leads"])


def test_a_claim_whose_own_name_has_dots_is_found() -> None:
    named = replace(RULES, groups_claim="https://example.com/groups")
    assert met(named, **{"https://example.com/groups": ["ops"]}).role == "responder"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"preferred_username": None, "email": "mei@example.com"}, "mei@example.com"),
        ({"preferred_username": None, "email": "mei@example.com", "email_verified": True}, "mei@example.com"),
        ({"preferred_username": "mei\u202eadmin", "email": "mei@example.com"}, "mei@example.com"),
        ({"preferred_username": "m" * 65, "email": "mei@example.com"}, "mei@example.com"),
        ({"preferred_username": ["mei"], "email": "mei@example.com"}, "mei@example.com"),
    ],
)
def test_the_name_is_the_first_claim_that_can_be_one(changed: dict[str, Any], name: str) -> None:
    assert met(**changed).name == name


@pytest.mark.parametrize(
    "changed",
    [
        {"preferred_username": None},
        {"preferred_username": None, "nickname": "boss", "name": "boss"},
        {"preferred_username": None, "email": "boss@example.com", "email_verified": False},
        {"preferred_username": None, "email": "boss@example.com", "email_verified": "false"},
        {"preferred_username": "mei lin"},
    ],
)
def test_nobody_comes_in_by_a_name_that_anybody_can_take_or_that_is_none(changed: dict[str, Any]) -> None:
    assert "gives you no name that can be used here" in refusal(**changed)


def test_the_configured_claim_names_first() -> None:
    assert met(replace(RULES, name_claim="upn"), upn="mei@corp").name == "mei@corp"


@pytest.mark.parametrize("said", ["example.com", ["other.example", "example.com"]])
def test_a_demanded_claim_lets_those_in_who_have_it(said: object) -> None:
    assert met(replace(RULES, demanded={"hd": ("example.com",)}), hd=said).name == "mei"


@pytest.mark.parametrize("said", ["gmail.com", None, ["EXAMPLE.COM"], {"example.com": 1}])
def test_a_demanded_claim_keeps_all_others_out(said: object) -> None:
    assert "hd is example.com" in refusal(replace(RULES, demanded={"hd": ("example.com",)}), hd=said)


def test_true_can_be_demanded() -> None:
    proven = replace(RULES, demanded={"email_verified": ("true",)})
    assert met(proven, email_verified=True).name == "mei"
    assert "email_verified is true" in refusal(proven, email_verified=False)
