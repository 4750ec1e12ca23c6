"""`http`: ask a URL and expect an answer, within a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from responder.domain.durations import spoken
from responder.domain.runbook import Act, Answer, Facts, Fail, Fetch, Look, Moment, Page, Suspend
from responder.firstaid.step import Duration, Step


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("the url must begin with http:// or https://")
    return text


class Http(Step):
    """Waits until a GET of `url` answers with `status` and, if given, a body that contains `contains`."""

    kind: ClassVar[str] = "http"

    url: Annotated[str, AfterValidator(_http_url)]
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str = ""
    within: Duration = timedelta()
    every: Duration = timedelta(seconds=2)
    timeout: Duration = timedelta(seconds=5)

    def look(self) -> Look:
        return Fetch(url=self.url, timeout=self.timeout)

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, Page):
            return {}
        return {"status": answer.status, "contains": self.contains in answer.text}

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("status") == self.status and seen.get("contains"):
            return ()
        if moment.now < moment.started_at + self.within:
            return (Suspend(until=moment.now + self.every, why=f"waiting for {self.url} to answer {self.status}"),)
        return (Fail(why=f"expected {self._wish()} within {spoken(self.within)}, but {self._found(seen)}"),)

    def _wish(self) -> str:
        return f"{self.url} to answer {self.status}" + (f" with {self.contains!r}" if self.contains else "")

    def _found(self, seen: Facts) -> str:
        if "error" in seen:
            return str(seen["error"])
        without = " without that text" if seen.get("status") == self.status else ""
        return f"it answered {seen.get('status')}{without}"
