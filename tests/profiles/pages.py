"""The pages about shipped profiles: what they quote must stand in the profile, and what they show must work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from responder.adapters.yaml_file import load
from responder.config.configuration import Configuration, read
from responder.config.policy import shipped_profile
from tests.world import write_files

_PAGES = Path(__file__).parent.parent.parent / "docs" / "profiles"
_BLOCK = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_NOT_BY_POLICY = "not by policy: "


class Page:
    """The page of a profile. Its tables have rows of: the sentence, the place in the profile, the line there."""

    def __init__(self, name: str) -> None:
        path = shipped_profile(name)
        assert path is not None
        self.name = name
        self.text = (_PAGES / f"{name}.md").read_text()
        self.lines = {line.split("  #")[0].strip() for line in path.read_text().splitlines()}
        self.data = load(path).data

    @property
    def rows(self) -> list[list[str]]:
        cells = [line.strip("| ").split(" | ") for line in self.text.splitlines() if line.startswith("| ")]
        return [row for row in cells if len(row) == 3 and row[1] != "where"]

    def wrong_quotes(self) -> list[str]:
        """What the tables quote that the profile does not say, and rows without a line or words instead."""
        found = []
        for sentence, where, quoted in self.rows:
            lines = _CODE.findall(quoted)
            if where.startswith(_NOT_BY_POLICY[:-2]):
                found += [f"{sentence}: no words"] if not quoted else []
                continue
            found += [line for line in lines if line not in self.lines]
            found += [place for place in _CODE.findall(where) if not _is_there(self.data, place)]
            found += [f"{sentence}: no quote"] if not lines else []
        return found

    def blocks(self) -> Mapping[str, str]:
        """The YAML of the page by the file's name in its first line."""
        return dict(_BLOCK.findall(self.text))

    def configuration(self, folder: Path) -> Configuration:
        """The page's files as responder reads them. Raises ConfigError with what is wrong."""
        names = {"people.yml": "people", "policy.yml": "policy", "inventory.yml": "inventory"}
        files = {names[name]: text for name, text in self.blocks().items()}
        for url_file in re.findall(r"url_file: (\S+?)[},\n]", files["people"]):
            (folder / url_file).parent.mkdir(exist_ok=True)
            (folder / url_file).write_text("json://127.0.0.1:9/phone\n")
        return read(write_files(folder, **files))


def _is_there(data: object, place: str) -> bool:
    for key in place.split("."):
        if isinstance(data, list):
            data = [one[key] for one in data if isinstance(one, dict) and key in one]
        elif isinstance(data, dict) and key in data:
            data = data[key]
        else:
            return False
    return data != []
