"""`cron_jobs:` of policy.yml: jobs that say when they have ended, and how long their silence may last."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from responder.config.health_checks import zone_in
from responder.config.model import Duration, Model
from responder.domain.cron import Cron, parse_cron
from responder.domain.cron_job import CronJobRule

_OURS = ("alertname", "cron_job")


def _cron(value: object) -> Cron:
    return parse_cron(str(value))


class CronJobFile(Model):
    """One job, by its period or by a cron expression. `zone` is the policy's if it is not said, `longest` the grace."""

    every: Duration | None = None
    cron: Annotated[Cron | None, BeforeValidator(lambda value: None if value is None else _cron(value))] = None
    zone: Annotated[ZoneInfo | None, BeforeValidator(zone_in)] = None
    grace: Duration = timedelta(minutes=5)
    longest: Duration | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    key: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _has_one_rhythm(self) -> CronJobFile:
        if (self.every is None) == (self.cron is None):
            raise ValueError("give one of every: and cron:")
        if self.every is not None and self.every < timedelta(seconds=10):
            raise ValueError("every: is at least 10s")
        if self.zone is not None and self.cron is None:
            raise ValueError("zone: is for cron: only")
        for name in _OURS:
            if name in self.labels:
                raise ValueError(f"the label {name} is given by responder")
        return self

    def as_rule(self, name: str, zone: ZoneInfo) -> CronJobRule:
        """The rule as the domain knows it; `zone` is the policy's."""
        return CronJobRule(name=name, **{**dict(self), "zone": self.zone or zone})
