"""YAML files with the place of every value, so that a mistake is shown where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from responder.domain.durations import spoken
from responder.errors import ConfigError, Problem

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
_LARGEST = 32 * 1024 * 1024
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file's content as plain values, and where each of them stands."""

    path: Path
    data: Any
    text: str = ""
    _tree: Any = field(default=None, repr=False)

    def problem(self, place: Sequence[str | int], text: str) -> Problem:
        """A mistake at `place`, such as `("grades", 0, "when")`."""
        line, column = self._position(place)
        return Problem(path=self.path, line=line, column=column, text=text)

    def parsed(self, model: type[Model], at: Place = ()) -> Model:
        """The content as `model`. Raises ConfigError with every mistake at its place."""
        try:
            return model.model_validate(self.at(at))
        except ValidationError as error:
            raise ConfigError([self._explain(one, at) for one in error.errors()]) from error

    def at(self, place: Place) -> Any:
        value = self.data
        for key in place:
            value = value[key]
        return value

    def _explain(self, error: Any, at: Place) -> Problem:
        place = (*at, *error["loc"])
        return self.problem(place, explained(error, ".".join(str(part) for part in place)))

    def _position(self, place: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of the innermost part of `place` that is in the file."""
        node, found = self._tree, (0, 0)
        for key in place:
            position = _key_position(node, key)
            if position is None:
                continue
            found, node = position, _child(node, key)
        return found[0] + 1, found[1] + 1


def explained(error: Any, where: str) -> str:
    """What pydantic says, in words for somebody who writes YAML."""
    kind, value, where = error["type"], error.get("input"), without_addresses(where)
    if kind == "missing":
        return f"{where} is missing"
    if kind == "extra_forbidden":
        return f"{where} is not known here"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    message = _PLAINLY.get(message.partition(",")[0], _DURATION.sub(_spoken, message))
    if kind == "value_error":
        return f"{where}: {message}" if where else message
    if _OF_SECRETS.search(where):
        return f"{where}: expected {message}"
    return f"{where}: expected {message}, found {_shown(value)}"


_OF_SECRETS = re.compile(r"url|password|secret|token|sha256|channels(\.\d+)?$", re.IGNORECASE)
"""Fields whose value is nobody's to read, also where it is written wrongly."""


def _shown(value: object) -> str:
    """A value, but for what may hold fields with secrets."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"{without_addresses(repr(value)):.80}"


_PLAINLY = {
    "a valid tuple": "a list, like [a, b]",
    "a valid list": "a list, like [a, b]",
    "a valid boolean": "true or false",
    "a valid string": "a text",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid dictionary": "a mapping, like {name: value}",
}
"""Python's words, and YAML's."""
_DURATION = re.compile(r"datetime\.timedelta\((\w+=\d+(?:, \w+=\d+)*)\)")


def _spoken(found: re.Match[str]) -> str:
    """A duration as people write it, for one as Python shows it."""
    parts = (part.split("=") for part in found[1].split(", "))
    return spoken(timedelta(**{unit: int(count) for unit, count in parts}))


_ADDRESS = re.compile(r"(?<=://)[^\s'\",\]})]+")


def without_addresses(text: str) -> str:
    """The text without what follows on a scheme: the way to a person is a secret, also where it was written by
    mistake."""
    return _ADDRESS.sub("***", text)


def _key_position(node: Any, key: str | int) -> tuple[int, int] | None:
    if isinstance(node, Node):
        entry = _entry(node, key)
        return (entry[0].start_mark.line, entry[0].start_mark.column) if entry else None
    if isinstance(node, CommentedMap) and key in node:
        line, column = node.lc.key(key)
        return int(line), int(column)
    if isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
        line, column = node.lc.item(key)
        return int(line), int(column)
    return None


def _child(node: Any, key: str | int) -> Any:
    if isinstance(node, Node):
        entry = _entry(node, key)
        return entry[1] if entry else None
    return node[key]


def _entry(node: Node, key: str | int) -> tuple[Node, Node] | None:
    """The key and the value, or twice the item, under `key`."""
    if isinstance(node, MappingNode):
        return next((pair for pair in node.value if pair[0].value == key), None)
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None


def load(path: Path) -> Document:
    """Reads one YAML 1.2 document. Raises ConfigError when the file is missing or not YAML."""
    return parse(_read(path), path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(path=path, line=1, column=1, text=f"cannot be read: {reason}")]) from error


def load_texts(path: Path) -> list[Document]:
    """Reads all documents of a file that others wrote: every value is the text that stands there, not what YAML
    makes of it. Raises ConfigError when the file is missing, too large, or not YAML."""
    text = _read(path)
    if len(text) > _LARGEST:
        raise ConfigError([Problem(path=path, line=1, column=1, text=f"is larger than {_LARGEST} characters")])
    with _places_of_mistakes(path):
        trees = list(YAML(typ="safe", pure=True).compose_all(StringIO(text)))
        return [Document(path=path, data=_texts(tree, {}), _tree=tree) for tree in trees if tree is not None]


def parse(text: str, path: Path) -> Document:
    """As `load`, for a text that is already here."""
    loader = YAML(typ="rt")
    loader.allow_duplicate_keys = False
    with _places_of_mistakes(path):
        tree = loader.load(StringIO(text))
    return Document(path=path, data=_plain(tree), text=text, _tree=tree)


@contextmanager
def _places_of_mistakes(path: Path) -> Iterator[None]:
    """What the library raises becomes a ConfigError with the place, where there is one."""
    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # What the library says of a key that is there twice ends with both its values.
        said = " ".join(str(error.problem or error.context or error).split()).partition(" with value ")[0]
        raise ConfigError([Problem(path=path, line=line, column=column, text=without_addresses(said))]) from error
    except (YAMLError, ValueError, KeyError, RecursionError) as error:
        # Broken dates, numbers and booleans come as plain errors, without a place.
        said = " ".join(str(error).split())
        raise ConfigError([Problem(path=path, line=1, column=1, text=without_addresses(said))]) from error


def _texts(node: Node, made: dict[int, Any]) -> Any:
    """The tree with texts at its ends. What is repeated by an alias stays one value, however often it is."""
    if id(node) in made:
        return made[id(node)]
    if isinstance(node, ScalarNode):
        made[id(node)] = "" if node.tag == "tag:yaml.org,2002:null" and node.value in _NULLS else str(node.value)
    elif isinstance(node, SequenceNode):
        items = made[id(node)] = []
        items += [_texts(item, made) for item in node.value]
    else:
        entries: dict[str, Any] = {}
        made[id(node)] = entries
        for key, value in _pairs(node):
            entries.setdefault(key, _texts(value, made))
    return made[id(node)]


def _pairs(node: Any) -> Iterator[tuple[str, Node]]:
    """A mapping's own entries, then those that `<<` merges into it."""
    merged: list[Any] = []
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.value == "<<":
            merged += [value] if isinstance(value, MappingNode) else value.value
        elif isinstance(key, ScalarNode):
            yield str(key.value), value
    for one in merged:
        if isinstance(one, MappingNode) and one is not node:
            yield from ((str(key.value), value) for key, value in one.value if isinstance(key, ScalarNode))


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
