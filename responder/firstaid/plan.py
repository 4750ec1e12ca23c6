"""From a runbook, an alert's labels and the inventory to the snapshot that a run executes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

from pydantic import ValidationError

from responder.adapters.yaml_file import explained
from responder.domain.runbook import ForEachSpec, OnResolve, PartSpec, Runbook, StepSpec, UnbreakableSpec
from responder.domain.target import Target, find
from responder.firstaid.rendering import render
from responder.firstaid.step import Step
from responder.firstaid.steps import kinds

_Entry = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStep:
    """One step to do. `index` counts all steps of the plan, in the order of the snapshot.

    `host` is the target that it works on. `follows` is set inside an unbreakable block, from its second step on.
    """

    index: int
    name: str
    kind: str
    step: Step
    host: str
    follows: bool = False
    rollback: tuple[PlannedStep, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBlock:
    """Steps that must not be parted."""

    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """What a foreach does on one target."""

    target: str
    parts: tuple[PlannedStep | PlannedBlock, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedForEach:
    """The same steps on several targets, some at the same time."""

    name: str
    lanes: tuple[Lane, ...]
    max_parallel: int
    stop_after_failures: int


PlannedPart = PlannedStep | PlannedBlock | PlannedForEach


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run executes, whatever happens to the file meanwhile.

    `nonce` keeps the markers that it leaves on hosts apart from those of every other run, also of another
    installation or of a database that was made anew. `hosts` are all targets that it may touch, its own first.
    """

    runbook: str
    parts: tuple[PlannedPart, ...]
    timeout: timedelta
    on_resolve: OnResolve
    nonce: str = ""
    precheck: tuple[PlannedStep, ...] = ()
    on_failure: tuple[PlannedStep, ...] = ()
    always: tuple[PlannedStep, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps of the main part, without their rollbacks, in their order."""
        return tuple(steps_of(self.parts))

    @property
    def only_looks(self) -> bool:
        """Whether nothing in it can change anything: it then takes no lock, and ends as `diagnosed`."""
        return all(step.step.only_looks for step in self.all_steps)

    @property
    def all_steps(self) -> tuple[PlannedStep, ...]:
        """Every step that a run can come to, by index."""
        main = [one for step in self.steps for one in (step, *step.rollback)]
        return tuple(sorted((*self.precheck, *main, *self.on_failure, *self.always), key=lambda step: step.index))


def steps_of(parts: Iterable[PlannedPart]) -> Iterator[PlannedStep]:
    """The steps in these parts, without their rollbacks."""
    for part in parts:
        if isinstance(part, PlannedStep):
            yield part
        elif isinstance(part, PlannedBlock):
            yield from part.steps
        else:
            for lane in part.lanes:
                yield from steps_of(lane.parts)


def snapshot(
    runbook: Runbook,
    labels: Mapping[str, str],
    target: Target,
    *,
    inventory: Sequence[Target] = (),
    nonce: str = "",
) -> dict[str, Any]:
    """The runbook with checked parameters filled in. Raises ValueError with the sentence for the ticket.

    `inventory` is where groups and other hosts are looked up; the target itself is always known.
    """
    values = {parameter.name: parameter.value(labels) for parameter in runbook.parameters}
    maker = _Maker(values, target, inventory)
    made = {
        "runbook": runbook.name,
        "version": runbook.version,
        "nonce": nonce,
        "parameters": values,
        "target": target.name,
        "timeout": runbook.timeout.total_seconds(),
        "on_resolve": runbook.on_resolve.value,
        "precheck": maker.steps(runbook.precheck, target),
        "steps": [maker.part(part) for part in runbook.steps],
        "on_failure": maker.steps(runbook.on_failure, target),
        "always": maker.steps(runbook.always, target),
    }
    plan = from_snapshot(made)
    made["hosts"] = maker.known(plan.hosts)
    return made


class _Maker:
    """Fills in one runbook for one target."""

    def __init__(self, values: Mapping[str, str], target: Target, inventory: Sequence[Target]) -> None:
        self._values = values
        self._target = target
        self._inventory = inventory if target in inventory else (target, *inventory)

    def part(self, spec: PartSpec) -> dict[str, Any]:
        if isinstance(spec, ForEachSpec):
            return self._foreach(spec)
        if isinstance(spec, UnbreakableSpec):
            return {"unbreakable": self.steps(spec.steps, self._target)}
        return self._step(spec, self._target)

    def steps(self, specs: Iterable[StepSpec], host: Target) -> list[dict[str, Any]]:
        return [self._step(spec, host) for spec in specs]

    def _step(self, spec: StepSpec, host: Target) -> dict[str, Any]:
        context = {**self._values, **_facts_of(host), "run": _facts_of(self._target)}
        made: dict[str, Any] = {"name": spec.name, "kind": spec.kind, "settings": render(spec.settings, context)}
        if host.name != self._target.name:
            made["host"] = host.name
        if spec.rollback:
            made["rollback"] = self.steps(spec.rollback, host)
        return made

    def _foreach(self, spec: ForEachSpec) -> dict[str, Any]:
        members = self._members(str(render(spec.group, _facts_of(self._target))))
        lanes = []
        for member in members:
            parts = [
                {"unbreakable": self.steps(one.steps, member)}
                if isinstance(one, UnbreakableSpec)
                else self._step(one, member)
                for one in spec.steps
            ]
            lanes.append({"target": member.name, "steps": parts})
        return {
            "foreach": spec.name,
            "max_parallel": spec.max_parallel,
            "stop_after_failures": spec.stop_after_failures,
            "lanes": lanes,
        }

    def _members(self, group: str) -> list[Target]:
        members = [one for one in self._inventory if group in one.groups]
        if not members:
            raise ValueError(f"no target of the inventory is in the group {group!r}")
        return sorted(members, key=lambda one: one.name != self._target.name)

    def known(self, names: Iterable[str]) -> list[str]:
        """The inventory's own names of these hosts. Raises ValueError for one that is not there."""
        found = []
        for name in names:
            target = find(self._inventory, name)
            if target is None:
                raise ValueError(f"{name!r} is no target in the inventory")
            found.append(target.name)
        return list(dict.fromkeys(found))


def _facts_of(host: Target) -> dict[str, object]:
    """What templates may know of a target."""
    return {"target": host.name, "target_address": host.address, "vars": dict(host.variables)}


def from_snapshot(made: Mapping[str, Any]) -> Plan:
    """The plan in a snapshot. Raises ValueError when a filled-in value does not fit its step."""
    reader = _Reader(made.get("target", ""))
    precheck = reader.steps(made.get("precheck", ()))
    parts = tuple(reader.part(entry) for entry in made["steps"])
    on_failure, always = reader.steps(made.get("on_failure", ())), reader.steps(made.get("always", ()))
    plan = Plan(
        runbook=made["runbook"],
        parts=parts,
        timeout=timedelta(seconds=made["timeout"]),
        on_resolve=OnResolve(made["on_resolve"]),
        nonce=made.get("nonce", ""),
        precheck=precheck,
        on_failure=on_failure,
        always=always,
        hosts=tuple(made.get("hosts", ())),
    )
    if plan.hosts:
        return plan
    named = [name for step in plan.all_steps for name in (step.host, *step.step.hosts())]
    return replace(plan, hosts=tuple(dict.fromkeys([made.get("target", ""), *named])))


class _Reader:
    """Numbers the steps of a snapshot in the order in which they stand."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._numbers = count()

    def part(self, entry: _Entry) -> PlannedPart:
        if "foreach" in entry:
            return PlannedForEach(
                name=entry["foreach"],
                lanes=tuple(self._lane(lane) for lane in entry["lanes"]),
                max_parallel=entry["max_parallel"],
                stop_after_failures=entry["stop_after_failures"],
            )
        return self._simple(entry)

    def steps(self, entries: Iterable[_Entry]) -> tuple[PlannedStep, ...]:
        return tuple(self._step(entry) for entry in entries)

    def _lane(self, entry: _Entry) -> Lane:
        return Lane(target=entry["target"], parts=tuple(self._simple(one) for one in entry["steps"]))

    def _simple(self, entry: _Entry) -> PlannedStep | PlannedBlock:
        if "unbreakable" in entry:
            inside = enumerate(entry["unbreakable"])
            return PlannedBlock(steps=tuple(self._step(one, follows=position > 0) for position, one in inside))
        return self._step(entry)

    def _step(self, entry: _Entry, *, follows: bool = False) -> PlannedStep:
        return PlannedStep(
            index=next(self._numbers),
            name=entry["name"],
            kind=entry["kind"],
            step=_validated(entry),
            host=entry.get("host", self._target),
            follows=follows,
            rollback=self.steps(entry.get("rollback", ())),
        )


def _validated(entry: _Entry) -> Step:
    try:
        return kinds()[entry["kind"]].model_validate(entry["settings"])
    except ValidationError as error:
        where = f"step {entry['name']!r}"
        raise ValueError("; ".join(explained(one, where) for one in error.errors())) from error
