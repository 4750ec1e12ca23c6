"""Runbooks: what each does, how it has done, how far it may go, and a dry run. Nothing here changes a runbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web

from responder.config.configuration import Configuration
from responder.domain.autonomy import has_earned, record_of
from responder.domain.budgets import Left, accounts, left_in, runs_left
from responder.domain.masking import masked
from responder.domain.policy import FirstAidRule
from responder.domain.run_filter import RunFilter
from responder.domain.runbook import Parameter, Runbook
from responder.domain.statistics import RunCount
from responder.domain.target import Target
from responder.errors import BadForm, NotFound, Refused
from responder.flows.bookshelf import KeptBookshelf
from responder.flows.desk import Desk
from responder.flows.dry_run import DryRun, DryRuns
from responder.flows.situation import touched_in
from responder.flows.switches import Off, switched_off
from responder.flows.track_record import judged_history, runbook_history
from responder.store.audit_log import names_too
from responder.store.run_search import RunSearch
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of
from responder.web.console import console_page
from responder.web.context import needs

BOOKSHELF = web.AppKey("bookshelf", KeptBookshelf)
DRY_RUNS = web.AppKey("dry runs", DryRuns)
COUNTED = timedelta(days=90)
_HOUR = timedelta(hours=1)
_LAST_RUNS = 10
_TURNS_SHOWN = 20
_LABEL = "label:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A runbook in the list. `earned` names the rules under which it starts by itself because it has proved itself."""

    name: str
    summary: str
    rules: tuple[FirstAidRule, ...]
    earned: frozenset[str]
    counted: RunCount
    left: Left
    off: Off | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A label of an alert that a dry run has to make up, and what gets through the parameters that take it."""

    label: str
    parameters: tuple[Parameter, ...]

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that all of them let through, where that is a list."""
        lists = [one.allow for one in self.parameters if one.allow]
        return tuple(value for value in lists[0] if all(value in one for one in lists)) if lists else ()

    @property
    def default(self) -> str | None:
        """What is taken without a value; None if there has to be one."""
        return next((one.default for one in self.parameters if one.default is not None), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What somebody typed for a dry run, and what came of it."""

    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    result: DryRun | None = None
    why_not: str = ""


@needs("read")
async def runbooks_page(request: web.Request) -> web.StreamResponse:
    """All runbooks, a line each; those that the policy uses first."""
    desk = desk_of(request)
    lines = await desk.store.read(lambda tx: _lines(desk, tx))
    return await console_page(request, "runbooks.html", title="Runbooks", lines=lines, days=COUNTED.days)


@needs("read")
async def runbook_page(request: web.Request) -> web.StreamResponse:
    """One runbook; the query may say on which target a dry run is to be."""
    return await _shown(request, Tried(target=request.query.get("target", "")[:255]))


@needs("act")
async def dry_run(request: web.Request) -> web.StreamResponse:
    """Lets every step look at a target and say what it would do; the answer is the page with that."""
    desk, form = desk_of(request), await request.post()
    name, target = request.match_info["name"], str(form.get("target", "")).replace("\x00", "").strip()[:255]
    given = {key.removeprefix(_LABEL): str(value) for key, value in form.items() if key.startswith(_LABEL)}
    labels = {label: value.replace("\x00", "").strip() for label, value in given.items()}
    names_too(target)
    tried = Tried(target=target, labels=labels)
    try:
        result = await request.app[DRY_RUNS].dry_run(desk, name, target, labels)
    except (BadForm, NotFound, Refused) as error:
        if name not in desk.configuration.runbooks:
            raise
        status = 409 if isinstance(error, Refused) else 422
        return await _shown(request, Tried(target=target, labels=labels, why_not=str(error)), status=status)
    return await _shown(request, Tried(target=tried.target, labels=labels, result=result))


def add_to(application: web.Application) -> None:
    """The pages, what they keep, and how many dry runs there may be at a time."""
    application[BOOKSHELF] = KeptBookshelf()
    application[DRY_RUNS] = DryRuns()
    application.add_routes(
        [
            web.get("/runbooks", runbooks_page),
            web.get("/runbooks/{name}", runbook_page),
            web.post("/runbooks/{name}/dry-run", dry_run),
        ]
    )


# --- the list ------------------------------------------------------------------------------------------------


def _lines(desk: Desk, tx: Transaction) -> list[Line]:
    now, configuration = desk.clock.now(), desk.configuration
    counted = RunSearch(tx.connection).judgements(now - COUNTED)
    off = {one.scope.name: one for one in switched_off(desk, tx) if one.scope.kind == "runbook"}
    lines = [
        Line(
            name=name,
            summary=runbook.summary,
            rules=(rules := rules_of(configuration, name)),
            earned=_earned(tx, name, rules),
            counted=counted.get(name, RunCount()),
            left=runs_left(runbook, tx.runs.started_since(name, now - _HOUR)),
            off=off.get(name),
        )
        for name, runbook in sorted(configuration.runbooks.items())
    ]
    return sorted(lines, key=lambda line: not line.rules)


def rules_of(configuration: Configuration, name: str) -> tuple[FirstAidRule, ...]:
    """The first-aid rules that use a runbook."""
    return tuple(rule for rule in configuration.policy.first_aid if rule.runbook == name)


def _earned(tx: Transaction, name: str, rules: tuple[FirstAidRule, ...]) -> frozenset[str]:
    wanted = {rule.name: rule.autonomy.promote_after for rule in rules if rule.autonomy.promote_after}
    if not wanted:
        return frozenset()
    record = record_of(judged_history(tx, name))
    return frozenset(rule for rule, promotion in wanted.items() if has_earned(record, promotion))


# --- one runbook ---------------------------------------------------------------------------------------------


async def _shown(request: web.Request, tried: Tried, *, status: int = 200) -> web.Response:
    """Raises NotFound."""
    desk, name = desk_of(request), request.match_info["name"]
    runbook = desk.configuration.runbooks.get(name)
    if runbook is None:
        raise NotFound(f"There is no runbook {name[:100]}.")
    shelf = await request.app[BOOKSHELF].of(desk.configuration)
    book = shelf.books.get(name)
    found = await desk.store.read(lambda tx: _gather(desk, tx, runbook))
    return await console_page(
        request,
        "runbook.html",
        status=status,
        refusal=tried.why_not,
        title=name,
        runbook=runbook,
        source=masked(book.text, desk.configuration.secrets) if book else "",
        book=book,
        is_unlinted=bool(shelf.problems),
        file=file_name(desk.configuration, book.path.as_posix()) if book else "",
        rules=rules_of(desk.configuration, name),
        fields=fields_of(runbook),
        targets=[target.name for target in desk.configuration.targets],
        tried=tried,
        label_prefix=_LABEL,
        days=COUNTED.days,
        **found,
    )


def file_name(configuration: Configuration, path: str) -> str:
    """A file as its authors know it: seen from the folder of the main file, or from the package."""
    folder = configuration.path.parent.absolute().as_posix()
    if path.startswith(f"{folder}/"):
        return path[len(folder) + 1 :]
    return path.rpartition("/")[2]


def fields_of(runbook: Runbook) -> list[Field]:
    """What a dry run asks for: every label that a parameter takes its value from, once."""
    labels = dict.fromkeys(one.label for one in runbook.parameters if one.label)
    return [
        Field(label=label, parameters=tuple(one for one in runbook.parameters if one.label == label))
        for label in labels
    ]


def _gather(desk: Desk, tx: Transaction, runbook: Runbook) -> dict[str, Any]:
    now, name, search = desk.clock.now(), runbook.name, RunSearch(tx.connection)
    history = runbook_history(desk, tx, name)
    return {
        "history": {**history, "turns": history["turns"][-_TURNS_SHOWN:][::-1]},
        "counted": search.judgements(now - COUNTED, name).get(name, RunCount()),
        "runs": search.page(RunFilter(runbook=name), limit=_LAST_RUNS).runs,
        "left": _left(desk, tx, runbook),
        "off": [one for one in switched_off(desk, tx) if one.scope.is_everything or one.scope.name == name],
    }


def _left(desk: Desk, tx: Transaction, runbook: Runbook) -> list[Left]:
    """Of its runs per hour, and of every budget that holds it and of which something is used."""
    now = desk.clock.now()
    held = [budget for budget in desk.policy.budgets if budget.holds(runbook.name)]
    targets: tuple[Target, ...] = desk.configuration.targets
    counted = map(left_in, accounts(held, targets, touched_in(tx, now)))
    per_hour = runs_left(runbook, tx.runs.started_since(runbook.name, now - _HOUR))
    return [per_hour, *(left for left in counted if left.used)]
