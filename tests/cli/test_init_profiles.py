"""`responder init --profile`: the starting files of every shipped profile are right as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from responder.config.configuration import read
from tests.cli.calling import run

PROFILES = ["p1-p4", "feedback-form", "quick-response", "regulation", "sop-3level"]


@pytest.mark.parametrize("profile", PROFILES)
def test_what_init_writes_for_a_profile_is_right(tmp_path: Path, profile: str) -> None:
    assert run("init", str(tmp_path / "ops"), "--profile", profile).exit_code == 0
    result = run("check", "--config", str(tmp_path / "ops" / "responder.yml"), "--json")
    assert (result.exit_code, json.loads(result.stdout)["findings"]) == (0, []), result.output


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rules_are_those_of_the_profile(tmp_path: Path, profile: str) -> None:
    run("init", str(tmp_path / "ops"), "--profile", profile)
    (tmp_path / "bare").mkdir()
    ours = read(tmp_path / "ops" / "responder.yml").policy
    (tmp_path / "ops" / "policy.yml").write_text(f"extends: {profile}\n")
    plain = read(tmp_path / "ops" / "responder.yml").policy
    assert ours == plain


def test_the_people_have_the_teams_and_roles_of_quick_response(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--profile", "quick-response")
    loaded = read(tmp_path / "responder.yml")
    roles = {role for person in loaded.people.values() for role in person.roles}
    assert roles == {"product-manager", "tech-lead", "rd", "test"}
    assert [tier.number for tier in loaded.tiers["service"]] == [1, 2, 3]


def test_examples_name_the_gravest_grade_of_the_profile(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--profile", "sop-3level")
    written = (tmp_path / "policy.yml").read_text()
    assert ("#    grades: [level-1]" in written, "P1" in written) == (True, False)


def test_without_a_profile_it_is_the_default(tmp_path: Path) -> None:
    run("init", str(tmp_path / "one"))
    run("init", str(tmp_path / "two"), "--profile", "p1-p4")
    for name in ("policy.yml", "people.yml"):
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()
    assert "\nextends: p1-p4\n" in (tmp_path / "one" / "policy.yml").read_text()


def test_help_lists_the_profiles() -> None:
    said = " ".join(run("init", "--help", env={"COLUMNS": "200"}).output.replace("│", " ").split())
    assert "p1-p4, feedback-form, quick-response, regulation, sop-3level" in said


def test_a_profile_that_is_not_there_writes_nothing(tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "ops"), "--profile", "p5")
    assert result.exit_code == 1
    assert "there is no shipped profile p5; there are p1-p4, feedback-form" in result.output
    assert not (tmp_path / "ops").exists()
