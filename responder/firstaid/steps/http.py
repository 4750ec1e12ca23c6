"""`http`: ask a URL and expect an answer, within a time; or call one, with a look that says whether it helped."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from responder.domain.acts import Act, Answer, Facts, Fail, Fetch, Look, Moment, Page, Request, Suspend
from responder.domain.durations import spoken
from responder.firstaid.step import Duration, Step, Word

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_NOT_YOURS = ("content-length", "transfer-encoding", "connection", "host")
_SECRET = ("authorization", "proxy-authorization", "cookie")


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("the url must begin with http:// or https://")
    if "{{" in text:
        return text
    if not text.isprintable() or " " in text:
        raise ValueError("the url must be one word of printable text")
    if "@" in urlsplit(text).netloc:
        raise ValueError("the url holds a password; put it into a file and name that as credential_file:")
    return text


Url = Annotated[str, AfterValidator(_http_url)]


class Method(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class Http(Step):
    """Waits until a GET of `url` answers with `status` and, if given, a body that contains `contains` and has the
    values in `json` at their paths (`data.0.state`).

    With another `method` it calls `url` unless a GET of `check` answers so already, and waits until it does; or
    calls `once`. The call itself must be answered with a status of `expect`.
    """

    kind: ClassVar[str] = "http"

    url: Url
    method: Method = Method.GET
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: str = ""
    fields: dict[str, str | bool | int | float | None] = Field(default_factory=dict, alias="json")
    within: Duration = timedelta()
    every: Duration = timedelta(seconds=2)
    timeout: Duration = timedelta(seconds=5)
    credential_file: str = ""
    check: Url | None = None
    once: Word | None = None
    body: Annotated[str, Field(max_length=65536)] = ""
    headers: dict[str, str] = Field(default_factory=dict)
    expect: tuple[Annotated[int, Field(ge=100, le=599)], ...] = (200, 201, 202, 204)

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _NOT_YOURS:
                raise ValueError(f"{name!r} is no header that can be given")
            if name.lower() in _SECRET:
                raise ValueError(f"{name} is a secret; put its value into a file and name that as credential_file:")
            if any((character < " " and character != "\t") or character == "\x7f" for character in text):
                raise ValueError(f"the value of {name} must be one line")
        return value

    @field_validator("credential_file")
    @classmethod
    def _is_written_out(cls, value: str) -> str:
        if value and ("{{" in value or not value.startswith("/")):
            raise ValueError("credential_file: must be a whole path, written out: which secret is sent is no parameter")
        return value

    @model_validator(mode="after")
    def _looks_or_says_why_not(self) -> Http:
        of_a_call = {"check", "once", "body", "headers", "expect"} & self.model_fields_set
        if self.method is Method.GET and of_a_call:
            raise ValueError(f"{', '.join(sorted(of_a_call))}: belong to a method that changes something, not to GET")
        if self.method is not Method.GET and bool(self.check) == bool(self.once):
            raise ValueError("give either check: (a url that shows whether all is well) or once: because …")
        of_a_look = {"status", "contains", "fields", "within"} & self.model_fields_set
        if self.once and of_a_look:
            raise ValueError("status, contains, json and within say what check: must show; once: has no such look")
        return self

    @property
    def only_looks(self) -> bool:
        return self.method == "GET"

    def look(self) -> Look:
        url = self.url if self.method is Method.GET else self.check
        return Fetch(url=url, timeout=self.timeout, credential_file=self.credential_file) if url else None

    def read(self, answer: Answer) -> Facts:
        if not isinstance(answer, Page):
            return {}
        facts: dict[str, object] = {"status": answer.status, "contains": self.contains in answer.text}
        return facts | ({"wrong": _wrong(self.fields, answer.text)} if self.fields else {})

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:  # noqa: ARG002 steps share a form
        if seen.get("status") == self.status and seen.get("contains") and not seen.get("wrong"):
            return ()
        if self.method is Method.GET:
            return self._wait(seen, moment.started_at, moment.now)
        if moment.acted_at is None:
            return (self._call(),)
        return () if self.once else self._wait(seen, moment.acted_at, moment.now)

    def _call(self) -> Request:
        return Request(
            url=self.url,
            method=self.method.value,
            body=self.body,
            headers=self.headers,
            credential_file=self.credential_file,
            timeout=self.timeout,
            expect=self.expect,
            label="call",
        )

    def _wait(self, seen: Facts, since: datetime, now: datetime) -> tuple[Act, ...]:
        asked = self.check or self.url
        if now < since + self.within:
            return (Suspend(until=now + self.every, why=f"waiting for {asked} to answer {self.status}"),)
        return (Fail(why=f"expected {self._wish(asked)} within {spoken(self.within)}, but {self._found(seen)}"),)

    def _wish(self, asked: str) -> str:
        wanted = [repr(self.contains)] if self.contains else []
        wanted += [f"{path} {_json(value)}" for path, value in self.fields.items()]
        return f"{asked} to answer {self.status}" + (f" with {', '.join(wanted)}" if wanted else "")

    def _found(self, seen: Facts) -> str:
        if "error" in seen:
            return str(seen["error"])
        if seen.get("status") == self.status and not seen.get("contains"):
            return f"it answered {self.status} without that text"
        wrong = f": {seen['wrong']}" if seen.get("wrong") else ""
        return f"it answered {seen.get('status')}{wrong}"


def _wrong(wanted: Mapping[str, object], text: str) -> str:
    """What of an answer is not as wanted; nothing if all is."""
    try:
        data = json.loads(text)
    except ValueError:
        return "that is no JSON"
    found = {path: _at(data, path) for path in wanted}
    wrong = [f"{path} is {_shown(found[path])}" for path, value in wanted.items() if not _agree(value, found[path])]
    return ", ".join(wrong)


_ABSENT = object()


def _at(data: Any, path: str) -> object:
    for part in path.split("."):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return _ABSENT
    return data


def _agree(wanted: object, found: object) -> bool:
    """A text also agrees with the number or truth value that it writes: templates give texts only."""
    if found is _ABSENT:
        return False
    if isinstance(wanted, str) and not isinstance(found, str):
        return wanted == _json(found)
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _shown(found: object) -> str:
    return "absent" if found is _ABSENT else _json(found)[:200]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
