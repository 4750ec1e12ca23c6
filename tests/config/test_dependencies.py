"""`depends_on` in the inventory: names that are not there and ways that lead back are named at their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.test_configuration import Folder

HEAD = "defaults: {key_file: id_ed25519}\ntargets:\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("policy.yml", "extends: p1-p4\ndefault_team: ops\n")
    return made


def test_what_a_target_depends_on_is_taken_as_written(folder: Folder) -> None:
    folder.write(
        "inventory.yml", HEAD + "  - {name: a, depends_on: [b, c]}\n  - {name: b, depends_on: c}\n  - {name: c}\n"
    )
    assert [target.depends_on for target in folder.read().targets] == [("b", "c"), ("c",), ()]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "  - {name: a, depends_on: [b, c]}\n  - {name: b}\n",
            ["inventory.yml:3:31: there is no target c in the inventory"],
        ),
        ("  - {name: a, depends_on: [a]}\n", ["inventory.yml:3:15: it depends on itself: a → a"]),
        (
            "  - {name: a, depends_on: b}\n  - {name: b, depends_on: a}\n  - {name: c, depends_on: a}\n",
            [
                "inventory.yml:3:15: it depends on itself: a → b → a",
                "inventory.yml:4:15: it depends on itself: b → a → b",
            ],
        ),
    ],
)
def test_what_cannot_be_is_named_at_its_place(folder: Folder, written: str, said: list[str]) -> None:
    folder.write("inventory.yml", HEAD + written)
    assert folder.mistakes() == said
