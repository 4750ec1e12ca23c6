"""What works from outside with every driver: fencing without the old node, and asking the service."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, model_validator

from responder.domain.acts import Command, Done, Request
from responder.firstaid.drivers.base import Name, Url
from responder.firstaid.step import Argv, Duration

_MOST_PROBES = 30


class Outside(BaseModel):
    """Fencing that does not need the old node: `run` on `on` cuts it off, `proof` exits with 0 only when it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Argv
    on: Name
    proof: Argv
    proof_on: Name | None = None
    undo: Argv | None = None
    timeout: Duration = timedelta(seconds=60)
    become: bool = False


class Verify(BaseModel):
    """How the service is asked from outside: a URL from where responder runs, or a command on a third host.

    `times` good answers in a row, one every `every`; bad ones are put up with for `within`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Url | None = None
    status: int = Field(default=200, ge=100, le=599)
    contains: str = ""
    run: Argv | None = None
    on: Name | None = None
    become: bool = False
    times: int = Field(default=3, ge=1, le=10)
    every: Duration = timedelta(seconds=1)
    within: Duration = timedelta(seconds=20)
    timeout: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _asks_in_one_way(self) -> Verify:
        if bool(self.url) == bool(self.run):
            raise ValueError("give either url: or run: with on:")
        if bool(self.run) != bool(self.on):
            raise ValueError("run: needs on:, a third host that the command runs on")
        if self.within > _MOST_PROBES * self.every:
            raise ValueError(f"within: may be at most {_MOST_PROBES} times every:, since each answer is written down")
        return self

    def probe(self, label: str) -> Command | Request:
        """One question, as an act, so that its answer is remembered and shown."""
        if self.run is not None:
            return Command(
                argv=self.run, on=self.on or "", timeout=self.timeout, become=self.become, harmless=True, label=label
            )
        return Request(
            url=self.url or "",
            method="GET",
            timeout=self.timeout,
            expect=(self.status,),
            repeatable=True,
            judged=True,
            label=label,
        )

    def is_good(self, done: Done) -> bool:
        return done.is_good and self.contains in done.output

    def found(self, done: Done) -> str:
        """What a bad answer was."""
        said = " | ".join(done.output.strip().split("\n")[:2])[:200] or f"exit code {done.exit_code}"
        return f"{said} (without {self.contains!r})" if done.is_good else said
