"""Requirements, gates and alarms in policy.yml that cannot be meant or that nobody could meet, each with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from responder.adapters.yaml_file import Place
from responder.config.grades import GradeFile, no_kind
from responder.config.handling import AlarmFile, Clocks, GateFile, NeedFile
from responder.domain.approval import unanswerable
from responder.domain.oncall import Person, addressed
from responder.domain.reachability import can_be_met, statuses_before
from responder.domain.requirements import ATTACHMENT, FIELD, THINGS, is_known
from responder.domain.ticket import Action, Status

Complaints = Iterator[tuple[Place, str]]
_NOT_ASKED = {
    Action.START_FIRST_AID: "first aid starts without it; say in first_aid: whose consent it needs (autonomy:)",
    Action.REJECT: "a plan is rejected by those who are asked to approve it",
}
_AFTER_THE_TROUBLE = {Status.RESTORED, Status.RESOLVED, Status.CLOSED}


@dataclass(frozen=True)
class Known:
    """What rules may name. People that could not be read are None, and are held against nobody."""

    grades: Collection[str]
    kinds: Sequence[str]
    people: Mapping[str, Person] | None

    @property
    def roles(self) -> list[str]:
        return sorted({role for person in (self.people or {}).values() for role in person.roles})


def about_needs(needs: Sequence[NeedFile], known: Known) -> Complaints:
    """Requirements of what is not known, or of what cannot be there before the move."""
    for index, need in enumerate(needs):
        place = ("moves", index)
        yield from _about_conditions(need, place, known)
        if need.move in _NOT_ASKED:
            yield (*place, "move"), f"nothing can be required before {need.move}: {_NOT_ASKED[need.move]}"
            continue
        if need.restored_by and not statuses_before(need.move) & _AFTER_THE_TROUBLE:
            text = f"nobody can have restored it before {need.move}, so this would never be asked for"
            yield (*place, "restored_by"), text
        for position, name in enumerate(need.needs):
            if why := _unmet(name, need.move, known):
                yield (*place, "needs", position), why


def about_gates(gates: Sequence[GateFile], known: Known) -> Complaints:
    """Gates that nobody could open, or that nobody would come to."""
    for index, gate in enumerate(gates):
        place = ("gates", index)
        yield from _about_conditions(gate, place, known)
        before = gates[:index]
        if gate.name in {other.name for other in before}:
            yield (*place, "name"), f"there is another gate called {gate.name}"
        elif first := next((other for other in before if _takes_all(other, gate)), None):
            yield place, f"nobody would come to gate {gate.name}: {first.name} stands before the same tickets"
        if gate.move in _NOT_ASKED:
            yield (*place, "move"), f"no gate can stand before {gate.move}: {_NOT_ASKED[gate.move]}"
        if gate.on_timeout is not None and gate.within is None:
            yield (*place, "on_timeout"), f"gate {gate.name} has no within:, so its time never runs out"
        if gate.all_of and gate.needed != 1:
            yield (*place, "needed"), "with all_of: one person of every role is needed; needed: goes with any_of:"
        if known.people is not None:
            yield from (((*place, *where), text) for where, text in _about_roles(gate, known.people))
            yield from _about_strangers(gate.inform, (*place, "inform"), known)


def about_grades(grades: Mapping[str, GradeFile], known: Known) -> Complaints:
    """Roles that a grade calls and nobody has."""
    for name, grade in grades.items() if known.people is not None else ():
        yield from _about_strangers(grade.roles, ("grades", name, "roles"), known)


def about_alarms(clocks: Clocks, on_overdue: AlarmFile, known: Known) -> Complaints:
    """Roles that nobody has."""
    if known.people is None:
        return
    for name, clock in clocks.items():
        if clock is not None:
            yield from _about_strangers(clock.on_warn.roles, ("clocks", name, "on_warn", "roles"), known)
            yield from _about_strangers(clock.on_breach.roles, ("clocks", name, "on_breach", "roles"), known)
    yield from _about_strangers(on_overdue.roles, ("actions", "on_overdue", "roles"), known)


def _about_conditions(rule: NeedFile | GateFile, place: Place, known: Known) -> Complaints:
    for position, name in enumerate(rule.grades):
        if name not in known.grades:
            yield (*place, "grades", position), f"there is no grade {name}; there are {', '.join(known.grades)}"
    for position, name in enumerate(rule.kinds):
        if name not in known.kinds:
            yield (*place, "kinds", position), no_kind(name, known.kinds)


# --- requirements --------------------------------------------------------------------------------------------


def _unmet(name: str, move: Action, known: Known) -> str:
    """Why a ticket could never have this before the move; empty if it could."""
    if not is_known(name):
        return f"nothing is called {name!r}; there are {', '.join(THINGS)}, {FIELD}NAME and {ATTACHMENT}NAME"
    if name == "kind" and not known.kinds:
        return "there are no kinds in this policy, so no ticket could have one"
    if not can_be_met(name, move):
        thing = THINGS[name]
        return f"{move} would wait for ever: {thing.text} comes only with it or after it (verb: {thing.verb})"
    return ""


# --- gates ---------------------------------------------------------------------------------------------------


def _takes_all(first: GateFile, later: GateFile) -> bool:
    """Whether the first gate stands before every ticket that would come to the later one."""
    return first.move is later.move and all(
        not ours or (theirs and set(theirs) <= set(ours))
        for ours, theirs in ((first.grades, later.grades), (first.kinds, later.kinds))
    )


def _about_roles(gate: GateFile, people: Mapping[str, Person]) -> Complaints:
    key = "all_of" if gate.all_of else "any_of"
    roles = gate.all_of or gate.any_of
    if missing := [role for role in roles if not _having(role, people)]:
        for role in missing:
            yield (key, roles.index(role)), f"nobody in the people file has the role {role}"
    elif why := unanswerable(roles, gate.needed, people, each_role=bool(gate.all_of)):
        yield (key,), why + _only_these(gate.all_of, people)
    else:
        for position, asked in enumerate([[role] for role in roles] if gate.all_of else [list(roles)]):
            if not addressed((), asked, people)[0]:
                text = f"nobody with the role {' or '.join(asked)} has a channel, so nobody would learn of the question"
                yield ((key, position) if gate.all_of else (key,)), text


def _having(role: str, people: Mapping[str, Person]) -> list[str]:
    return [name for name, person in people.items() if role in person.roles]


def _only_these(roles: Sequence[str], people: Mapping[str, Person]) -> str:
    """Who has the roles of which each needs another person."""
    having = [f"{role} only {', '.join(_having(role, people))}" for role in roles]
    return f" ({'; '.join(having)})" if having else ""


def _about_strangers(roles: Sequence[str], place: Place, known: Known) -> Complaints:
    for position, role in enumerate(roles):
        if role not in known.roles:
            roles_there = ", ".join(known.roles) or "none"
            yield (*place, position), f"nobody in the people file has the role {role}; there are {roles_there}"
