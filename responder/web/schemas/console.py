"""What the API is asked and answers about runs, runbooks, targets and the policy, as the console shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from typing_extensions import TypedDict

from responder.domain.runbook import RunOutcome
from responder.web.operations import Asked
from responder.web.schemas.asked import Listed
from responder.web.schemas.tickets import ActLine, ApprovalLine


class RunQuery(Listed):
    """Every part that is given must hold; of several outcomes (one by one, or with commas) any may."""

    runbook: str | None = None
    target: str | None = Field(None, description="A host that the run may touch.")
    ticket: str | None = Field(None, description="A number or id.")
    outcome: tuple[str, ...] = Field((), description=f"at_work, {', '.join(RunOutcome)}.")
    by: str | None = Field(None, description="machine, people, or who ordered or approved it.")
    started_from: str | None = Field(None, description="An instant, or how long ago: 7d.")
    started_to: str | None = Field(None, description="An instant before which it began; a date means all that day.")


class ListedRun(TypedDict):
    """A run and its ticket. No `outcome`: it is at work, or waits. `verified`: whether the alert proved it."""

    id: int
    ticket_id: int
    ticket: str
    title: str
    runbook: str
    target: str
    started_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome | None
    sentence: str
    ordered_by: str
    verified: bool | None


class RunPage(TypedDict):
    runs: list[ListedRun]
    next: str | None


class HostLine(TypedDict):
    """A host that a run may touch; `held`: no other run may touch it now."""

    host: str
    held: bool


class WholeStep(TypedDict):
    """A step as planned, and what became of it: no `started_at`, if it has not begun. `seen` is its first look."""

    step: int
    name: str
    kind: str
    host: str
    phase: str
    settings: list[str]
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    sentence: str
    seen: dict[str, str]
    acts: list[ActLine]


class WholeRun(ListedRun):
    """A run with every step that it can come to, what each looked at, and what each did."""

    version: str
    parameters: dict[str, str]
    hosts: list[HostLine]
    steps: list[WholeStep]
    approvals: list[ApprovalLine]


# --- runbooks ------------------------------------------------------------------------------------------------


class DryRunBody(Asked):
    target: str = Field(description="A target of the inventory.", pattern=r"[^\s\x00-\x1f]", max_length=255)
    labels: dict[str, str] | None = Field(None, description="What the runbook's parameters are taken from.")


class DryStepLine(TypedDict):
    """`seen`: what its look gave; `would`: what it would do, nothing if all is as wanted; `unseen`: why it could not
    look."""

    number: int
    name: str
    kind: str
    host: str
    phase: str
    seen: dict[str, str]
    would: list[str]
    unseen: str


class DryRunShown(TypedDict):
    """`cut_short`: why not every step was looked at; `off`: why a real run would not start now."""

    runbook: str
    version: str
    target: str
    parameters: dict[str, str]
    steps: list[DryStepLine]
    cut_short: str
    off: str


# --- targets -------------------------------------------------------------------------------------------------


class InventoryQuery(Listed):
    q: str | None = Field(None, description="Words in a name, alias, address, group or failure domain.")
    group: str | None = None


class CooldownLine(TypedDict):
    runbook: str
    until: datetime


class SwitchLine(TypedDict):
    reason: str
    actor: str
    until: datetime | None


class HostKeyLine(TypedDict):
    """`fingerprint` is empty where no key is pinned: nothing is sent there then."""

    type: str
    fingerprint: str


class TargetLine(TypedDict):
    """A target, and what keeps automation off it: the run that holds it, maintenance, a switch, cooldowns."""

    name: str
    address: str
    port: int
    user: str
    aliases: list[str]
    groups: list[str]
    failure_domain: str
    depends_on: list[str]
    variables: dict[str, str]
    host_key: HostKeyLine
    held_by: ListedRun | None
    maintenance: SwitchLine | None
    off: str
    cooldowns: list[CooldownLine]
    last_run: ListedRun | None


class Inventory(TypedDict):
    targets: list[TargetLine]
    total: int
    next: str | None


# --- the policy ----------------------------------------------------------------------------------------------


class Loaded(TypedDict):
    """What is in use. `files` has the beginning of each file's SHA-256; `runbooks` the version of each."""

    policy: str
    loaded_at: datetime
    files: dict[str, str]
    runbooks: dict[str, str]


class MistakeLine(TypedDict):
    path: str
    line: int
    column: int
    text: str


class DetailLine(TypedDict):
    """One thing that is other than before; neither is told of what is secret."""

    field: str
    before: str
    after: str


class DifferenceLine(TypedDict):
    """`what`: added, removed, changed, or moved: the rule stands at another place in its list."""

    part: str
    name: str
    what: str
    details: list[DetailLine]


class ReloadPreview(TypedDict):
    """What a reload would change; with `mistakes` it would change nothing."""

    mistakes: list[MistakeLine]
    differences: list[DifferenceLine]
