"""`switchover`: move a service from the node that fails to its standby, and never let both serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from responder.domain.acts import Act, Answer, Command, Facts, Look, Moment
from responder.firstaid.drivers.base import Name, Pair, Replies, View, result_of, why_not
from responder.firstaid.drivers.command import OwnCommands
from responder.firstaid.drivers.haproxy import Haproxy
from responder.firstaid.drivers.keepalived import Keepalived
from responder.firstaid.drivers.outside import Outside, Verify
from responder.firstaid.drivers.patroni import Patroni
from responder.firstaid.step import Argv, Duration, Step
from responder.firstaid.switching import Course

_PROOF, _CHECK = "proof from elsewhere", "check of the standby"
_Service = Annotated[Keepalived | Haproxy | Patroni | OwnCommands, Field(discriminator="driver")]


class Switchover(Step):
    """Leaves `from` (the run's own host unless it is named) for `to`: checks the standby, fences the old node, asks for
    the proof, promotes, verifies from outside; goes back when that fails, and stops where there is no proof."""

    kind: ClassVar[str] = "switchover"
    unbreakable: ClassVar[bool] = True

    driver: Literal["keepalived", "haproxy", "patroni", "command"]
    to: Name
    from_: Name | None = Field(default=None, alias="from")
    service: _Service
    verify: Verify
    fence: Outside | None = None
    standby_check: Argv | None = None
    standby_check_become: bool = False
    fence_within: Duration = timedelta(seconds=30)
    promote_within: Duration = timedelta(seconds=30)
    look_timeout: Duration = timedelta(seconds=5)
    every: Duration = timedelta(seconds=1)

    @model_validator(mode="before")
    @classmethod
    def _tells_the_service_its_driver(cls, value: object) -> object:
        service = value.get("service") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and isinstance(service, Mapping):
            return {**value, "service": {**service, "driver": value.get("driver")}}
        return value

    @model_validator(mode="after")
    def _keeps_the_nodes_apart(self) -> Switchover:
        if self.from_ == self.to:
            raise ValueError("from: and to: are the same host")
        if self.fence and self.from_ and self.from_ in (self.fence.on, self.fence.proof_on):
            raise ValueError(f"fence: must work without {self.from_}, so neither on: nor proof_on: may name it")
        if self.verify.on and self.verify.on in (self.from_, self.to):
            raise ValueError("verify: asks from outside, so its on: must be a third host")
        if self.service.blind_to_health() and not self.standby_check:
            raise ValueError("standby_check: is needed, since haproxy checks no server that is in maintenance")
        if self.service.arbitrates and self.fence:
            raise ValueError("fence: is of no use here: patroni fences by its own leader lock")
        return self

    @property
    def pair(self) -> Pair:
        old = self.from_ or "the old node"
        return Pair(old=old, new=self.to, old_on=self.from_ or "", look_timeout=self.look_timeout)

    def hosts(self) -> tuple[str, ...]:
        outside = (self.fence.on, self.fence.proof_on) if self.fence else ()
        named = (self.to, self.from_, *outside, self.verify.on, *self.service.hosts())
        return tuple(dict.fromkeys(host for host in named if host))

    def look(self) -> Look:
        asked = dict(self.service.questions(self.pair))
        if self.fence:
            on = self.fence.proof_on or self.fence.on
            asked[_PROOF] = Command(argv=self.fence.proof, on=on, timeout=self.look_timeout, become=self.fence.become)
        if self.standby_check:
            asked[_CHECK] = Command(
                argv=self.standby_check, on=self.to, timeout=self.look_timeout, become=self.standby_check_become
            )
        return asked

    def read(self, answer: Answer) -> Facts:
        replies: Replies = answer if isinstance(answer, Mapping) else {}
        view = self.service.view(replies, self.pair)
        return asdict(self._with_standby_check(self._with_proof_from_elsewhere(view, replies), replies))

    def plan(self, first: Facts, seen: Facts, moment: Moment) -> tuple[Act, ...]:
        return Course(
            driver=self.service,
            pair=self.pair,
            verify=self.verify,
            outside=self.fence,
            fence_within=self.fence_within,
            promote_within=self.promote_within,
            every=self.every,
            first=_view(first),
            view=_view(seen),
            moment=moment,
        ).next()

    def _with_proof_from_elsewhere(self, view: View, replies: Replies) -> View:
        if self.fence is None:
            return view
        result = result_of(replies, _PROOF)
        shown = f"the proof ({' '.join(self.fence.proof)} on {self.fence.proof_on or self.fence.on})"
        if result is not None and result.exit_code == 0:
            return replace(view, is_fenced=True, proof=f"{shown} exits with 0")
        if result is not None:
            return replace(view, detail={**view.detail, "elsewhere": f"{shown} exits with {result.exit_code}"})
        lacking = f"{shown} cannot be asked: {why_not(replies, _PROOF)}"
        return replace(view, detail={**view.detail, "elsewhere": lacking, "no proof": lacking})

    def _with_standby_check(self, view: View, replies: Replies) -> View:
        result = result_of(replies, _CHECK)
        if self.standby_check is None or view.objection or (result is not None and result.exit_code == 0):
            return view
        return replace(view, objection=f"its standby_check does not hold: {why_not(replies, _CHECK)}")


def _view(facts: Facts) -> View:
    known: dict[str, Any] = dict(facts)
    return View(**known)
