"""`promql`: ask Prometheus and expect an answer, within a time."""

from __future__ import annotations

import operator
import re
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from responder.domain.acts import Act, Answer, Facts, Fail, Look, Moment, Query, Suspend
from responder.domain.durations import spoken
from responder.firstaid.step import Duration, Step, Word

_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(==|!=|>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*")


def _expectation(text: str) -> str:
    if text not in ("none", "some") and not _FORM.fullmatch(text):
        raise ValueError(f"{text!r} is no expectation; write none, some, or a comparison such as '== 1' or '< 0.5'")
    return text


class Promql(Step):
    """Waits until every series of `expr` fulfils `expect`; `none` and `some` ask only whether there is one."""

    kind: ClassVar[str] = "promql"

    expr: Word
    expect: Annotated[str, AfterValidator(_expectation)]
    within: Duration = timedelta()
    every: Duration = timedelta(seconds=5)

    @property
    def only_looks(self) -> bool:
        return True

    def look(self) -> Look:
        return Query(promql=self.expr)

    def read(self, answer: Answer) -> Facts:
        return {"values": [sample.value for sample in answer] if isinstance(answer, tuple) else []}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if "error" not in seen and self._holds(seen.get("values")):
            return ()
        if moment.now < moment.started_at + self.within:
            return (Suspend(until=moment.now + self.every, why=f"waiting for {self.expr} to be {self.expect}"),)
        found = seen.get("error") or f"the answer is {seen.get('values') or 'empty'}"
        return (Fail(why=f"expected {self.expr} to be {self.expect} within {spoken(self.within)}, but {found}"),)

    def _holds(self, values: object) -> bool:
        series = values if isinstance(values, list) else []
        if self.expect in ("none", "some"):
            return bool(series) == (self.expect == "some")
        found = _FORM.fullmatch(self.expect)
        if not found or not series:
            return False
        sign, number = found.groups()
        return all(bool(_COMPARE[sign](value, float(number))) for value in series)
