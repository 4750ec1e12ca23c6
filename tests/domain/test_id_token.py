"""What an ID token must say: each rule on its own, and both sides of its border."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from responder.domain.id_token import LEEWAY, Expected, left_half_hash, objection_to_token
from tests.fakes import NOW, SECOND

EXPECTED = Expected(
    issuer="https://id.example", client_id="responder", nonce="n-1", access_token="a-1", algorithm="RS256"
)
GOOD: dict[str, Any] = {
    "iss": "https://id.example",
    "aud": "responder",
    "sub": "248289761001",
    "nonce": "n-1",
    "exp": NOW.timestamp() + 300,
    "iat": NOW.timestamp(),
    "at_hash": left_half_hash("a-1", "RS256"),
}


def objection(**changed: Any) -> str:
    """What is said against the good token with these claims changed; None leaves one out."""
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return objection_to_token(claims, EXPECTED, NOW)


def test_nothing_speaks_against_a_good_token() -> None:
    assert objection() == ""


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"iss": "https://id.example/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"iss": ["https://id.example"]}, "another issuer"),
        ({"aud": "grafana"}, "for another client"),
        ({"aud": None}, "for another client"),
        ({"aud": []}, "for another client"),
        ({"aud": ["grafana", "wiki"], "azp": "responder"}, "for another client"),
        ({"aud": ["responder", "grafana"]}, "for several clients and names none"),
        ({"aud": ["responder", "grafana"], "azp": "grafana"}, "given to another client"),
        ({"azp": "grafana"}, "given to another client"),
        ({"exp": None}, "does not say when it ends"),
        ({"exp": "never"}, "does not say when it ends"),
        ({"exp": True}, "does not say when it ends"),
        ({"iat": None}, "does not say when it was made"),
        ({"nbf": NOW.timestamp() + 61}, "not valid yet"),
        ({"nbf": "soon"}, "not valid yet"),
        ({"nonce": "n-2"}, "of another sign-in"),
        ({"nonce": None}, "of another sign-in"),
        ({"nonce": 1}, "of another sign-in"),
        ({"sub": None}, "does not say who it is of"),
        ({"sub": ""}, "does not say who it is of"),
        ({"sub": 42}, "does not say who it is of"),
        ({"sub": "x" * 256}, "does not say who it is of"),
        ({"sub": "mei\n"}, "does not say who it is of"),
        ({"at_hash": left_half_hash("a-2", "RS256")}, "does not belong to the ID token"),
        ({"at_hash": 7}, "does not belong to the ID token"),
    ],
)
def test_a_token_that_breaks_one_rule_is_refused_by_it(changed: dict[str, Any], text: str) -> None:
    assert text in objection(**changed)


def test_a_token_for_several_clients_is_good_if_it_was_given_to_us() -> None:
    assert objection(aud=["grafana", "responder"], azp="responder") == ""


def test_a_token_without_at_hash_is_good_since_it_came_straight_from_the_provider() -> None:
    assert objection(at_hash=None) == ""


@pytest.mark.parametrize("late", [timedelta(), LEEWAY - SECOND])
def test_a_token_may_have_ended_a_minute_ago_by_our_clock(late: timedelta) -> None:
    assert objection(exp=(NOW - late).timestamp()) == ""


def test_a_token_that_ended_a_minute_ago_has_expired() -> None:
    assert objection(exp=(NOW - LEEWAY).timestamp()) == "The ID token has expired."


def test_a_token_may_be_made_up_to_a_minute_from_now_by_our_clock() -> None:
    assert objection(iat=(NOW + LEEWAY).timestamp()) == ""
    assert objection(iat=(NOW + LEEWAY + SECOND).timestamp()) == "The ID token was made in the future."


def test_instants_beyond_all_calendars_are_compared_all_the_same() -> None:
    assert objection(exp=1e300) == ""
    assert objection(iat=1e300) == "The ID token was made in the future."


def test_the_hash_is_that_of_the_example_in_the_standard() -> None:
    """OpenID Connect Core 1.0, appendix A.3: the access token of its example and its at_hash."""
    assert left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_the_hash_is_as_long_as_the_algorithm_says() -> None:
    assert [len(left_half_hash("a", name)) for name in ("ES256", "PS384", "RS512", "EdDSA")] == [22, 32, 43, 43]
