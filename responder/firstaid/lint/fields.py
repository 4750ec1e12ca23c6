"""The settings of a step by what they are: argument lists, durations, texts. No kind is known by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from responder.adapters.yaml_file import Place
from responder.firstaid.lint.sheet import Placed
from responder.firstaid.step import Argv, Duration

_ARGV, _DURATION = Argv.__metadata__[0], Duration.__metadata__[0]  # type: ignore[attr-defined]


def argument_lists(step: Placed) -> Iterator[tuple[Place, list[str]]]:
    """The commands that an author wrote, each with its place."""
    for place, value in _marked(_ARGV, type(step.step), step.settings, step.at):
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            yield place, value


def durations(step: Placed) -> Iterator[str]:
    """The names of its settings that are durations, by the names of the model."""
    return (name for name, field in type(step.step).model_fields.items() if _DURATION in field.metadata)


def texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text in a value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from texts(entry, (*place, key))
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from texts(entry, (*place, index))


def _marked(mark: object, annotation: Any, value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """The parts of a value whose type carries the mark."""
    # The members of a union may all know the same key.
    yield from dict(_walk(mark, annotation, value, place)).items()


def _walk(mark: object, annotation: Any, value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _either(mark, inner, metadata, value, place)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _in_model(mark, annotation, value, place)
    elif get_origin(annotation) is tuple and isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _walk(mark, get_args(annotation)[0], entry, (*place, index))
    else:
        for one in get_args(annotation):
            yield from _walk(mark, one, value, place)


def _either(mark: object, inner: Any, metadata: list[Any], value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if any(one is mark for one in metadata):
        yield place, value
    else:
        yield from _walk(mark, inner, value, place)


def _in_model(mark: object, model: type[BaseModel], value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if not isinstance(value, Mapping):
        return
    for name, field in model.model_fields.items():
        key = _key(name, field)
        if key in value:
            yield from _either(mark, field.annotation, list(field.metadata), value[key], (*place, key))


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def written_as(step: Placed, name: str) -> str:
    """How the file calls a setting of this model's name."""
    return _key(name, type(step.step).model_fields[name])
