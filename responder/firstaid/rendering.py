"""Fills checked parameters into a runbook's settings: sandboxed, strict, and value by value.

A template fills one text; it never makes one argument into two, and quoting for the host's shell happens
elsewhere, once (`adapters.ssh`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def render(value: object, context: Mapping[str, object]) -> object:
    """`value` with every text in it rendered. Raises ValueError with a sentence."""
    if isinstance(value, str):
        return _render_text(value, context)
    if isinstance(value, Mapping):
        return {key: render(entry, context) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [render(entry, context) for entry in value]
    return value


def names_used(value: object) -> set[str]:
    """The names that the templates in `value` ask for. Raises ValueError for a broken template."""
    found: set[str] = set()
    for text in _texts(value):
        try:
            found |= meta.find_undeclared_variables(_ENVIRONMENT.parse(text))
        except TemplateError as error:
            raise ValueError(f"the template {text!r} is broken: {error}") from error
    return found


def _render_text(text: str, context: Mapping[str, object]) -> str:
    if "{" not in text:
        return text
    try:
        return _ENVIRONMENT.from_string(text).render(context)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise ValueError(f"the template {text!r} cannot be filled in: {error}") from error


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
