"""The JSON Schema of policy files, for editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from responder.config.autonomy import AutonomyField
from responder.config.calendars import DayHours, Override
from responder.config.grades import as_list
from responder.config.policy import PolicyFile
from responder.domain.autonomy import Autonomy
from responder.domain.cron import Cron
from responder.domain.durations import spoken
from responder.domain.health_check import Every
from responder.domain.matching import Matcher
from responder.domain.workhours import CLOSED, Span

_WORD_OR_MAPPING = get_args(AutonomyField)[1].func
_LIST_OR_CLOSED = get_args(DayHours)[1].func
_PARTIAL = {"GradeFile": ["targets"], "CalendarFile": ["zone", "hours"]}
"""What a file may leave out because the profile that it extends says it."""

_HOURS: JsonSchemaValue = {"anyOf": [{"const": CLOSED}, {"type": "array", "items": {"type": "string"}}]}
_REASON: JsonSchemaValue = {
    "type": "object",
    "properties": {CLOSED: {"type": "string"}},
    "required": [CLOSED],
    "additionalProperties": False,
}
_WRITTEN: dict[type, JsonSchemaValue] = {
    Matcher: {"type": "string"},
    Span: {"type": "string"},
    Every: {"type": "string"},
    Cron: {"type": "string"},
    Override: {"anyOf": [*_HOURS["anyOf"], _REASON]},
}
"""How people write what the model keeps as a value of its own."""


def json_schema() -> dict[str, Any]:
    """The schema; what a policy needs that stands alone is not asked of one that extends a profile."""
    made = PolicyFile.model_json_schema(schema_generator=_AsWritten)
    for name, keys in _PARTIAL.items():
        part = made["$defs"][name]
        left = [key for key in part.pop("required") if key not in keys]
        part |= {"required": left} if left else {}
    made["properties"] = {"extends": {"type": "string", "title": "Extends"}, **made["properties"]}
    made["anyOf"] = [{"required": ["extends"]}, {"required": made.pop("required")}]
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}


class _AsWritten(GenerateJsonSchema):
    """Takes everything that the parser takes."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _WRITTEN.get(schema["cls"]) or super().dataclass_schema(schema)

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:  # noqa: ARG002 the hook's form
        return {"type": "string", "pattern": r"^\s*(\d+(ms|s|m|h|d|w))+\s*$"}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:  # noqa: ARG002 the hook's form
        return {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        made, function = super().function_before_schema(schema), schema["function"]["function"]
        if function is as_list:
            return {"anyOf": [made["items"], made]}
        if function is _WORD_OR_MAPPING:
            return {"anyOf": [{"enum": [one.value for one in Autonomy]}, made]}
        return _HOURS if function is _LIST_OR_CLOSED else made

    def encode_default(self, dft: Any) -> Any:
        return spoken(dft).replace(" ", "") if isinstance(dft, timedelta) else super().encode_default(dft)
