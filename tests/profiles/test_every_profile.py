"""The pages of the shipped profiles quote them word for word, and what the pages show works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from responder.config.policy import shipped_profile
from tests.cli.calling import run
from tests.profiles.pages import Page

PROFILES = ["p1-p4", "feedback-form", "quick-response", "regulation", "sop-3level"]


def test_every_shipped_profile_has_its_page_and_stands_in_the_list_of_profiles() -> None:
    default = shipped_profile("p1-p4")
    assert default is not None
    assert sorted(path.stem for path in default.parent.glob("*.yml")) == sorted(PROFILES)
    listed = (Path(__file__).parents[2] / "docs" / "profiles" / "README.md").read_text()
    assert [f"[{name}]({name}.md)" in listed for name in PROFILES] == [True] * 5


@pytest.mark.parametrize("name", PROFILES)
def test_every_line_that_a_page_quotes_stands_in_its_profile(name: str) -> None:
    page = Page(name)
    assert len(page.rows) >= 10
    assert page.wrong_quotes() == []


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_loads_with_the_people_of_its_page_and_check_finds_no_mistake(name: str, tmp_path: Path) -> None:
    page = Page(name)
    loaded = page.configuration(tmp_path)
    result = run("check", "--config", str(loaded.path), "--json")
    assert (result.exit_code, json.loads(result.stdout)["problems"]) == (0, []), result.output


@pytest.mark.parametrize("name", PROFILES)
def test_the_people_of_a_page_are_enough_for_the_bare_profile(name: str, tmp_path: Path) -> None:
    page = Page(name)
    page.configuration(tmp_path)
    (tmp_path / "policy.yml").write_text(f"extends: {name}\n")
    result = run("check", "--config", str(tmp_path / "responder.yml"), "--json")
    assert (result.exit_code, json.loads(result.stdout)["problems"]) == (0, []), result.output
