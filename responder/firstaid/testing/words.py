"""What the models of test files share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from responder.firstaid.testing.patterns import checked_regex


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def plain_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _text_or_regex(value: str) -> str:
    if value.startswith("=~"):
        checked_regex(value.removeprefix("=~"))
    return " ".join(value.split())


Text = Annotated[str, BeforeValidator(plain_text, json_schema_input_type=str | int | float)]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Sought = Annotated[str, Field(min_length=1), AfterValidator(_text_or_regex)]
