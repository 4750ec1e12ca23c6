"""`keepalived`: the address moves because keepalived on the old node is stopped (or told to give way)."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator

from responder.domain.acts import Act, Command, Moment, Question
from responder.firstaid.drivers.base import (
    DEMOTE,
    FENCE,
    LET_BACK,
    PROMOTE,
    Driver,
    Pair,
    Replies,
    View,
    fresh,
    is_template,
    result_of,
    why_not,
)
from responder.firstaid.step import Argv, Duration, Word

_SHOW = ("ip", "-o", "addr", "show")
_RUNS = ("active", "running")
_STOPPED = ("inactive", "failed", "stopped")


def _an_address(text: str) -> str:
    return text if is_template(text) else str(ip_address(text))


class Keepalived(Driver):
    """Fences by `stop` on the old node; VRRP then moves the address by itself, `promote` may help it.

    `status` must print active (or running), or inactive (or stopped, failed), as `systemctl is-active` does. An exit
    code alone is not believed: a sudo that refuses ends with the same code as a service that is stopped.
    """

    driver: Literal["keepalived"] = "keepalived"
    vip: Annotated[Word, AfterValidator(_an_address)]
    status: Argv = ("systemctl", "is-active", "keepalived")
    stop: Argv = ("systemctl", "disable", "--now", "keepalived")
    start: Argv = ("systemctl", "enable", "--now", "keepalived")
    promote: Argv | None = None
    become: bool = True
    act_timeout: Duration = timedelta(seconds=30)

    def questions(self, pair: Pair) -> dict[str, Question]:
        asked: dict[str, Question] = {}
        for word, host in (("old", pair.old_on), ("new", pair.new)):
            asked[f"addresses of {word}"] = Command(argv=_SHOW, on=host, timeout=pair.look_timeout)
            asked[f"keepalived of {word}"] = Command(
                argv=self.status, on=host, timeout=pair.look_timeout, become=self.become
            )
        return asked

    def view(self, replies: Replies, pair: Pair) -> View:
        old_holds, new_holds = self._holds(replies, "old"), self._holds(replies, "new")
        old_runs, new_runs = _runs(replies, "old"), _runs(replies, "new")
        return View(
            old_holds=old_holds,
            new_holds=new_holds,
            is_fenced=old_holds is False and old_runs is False,
            proof=self._proof(replies, pair, old_holds, old_runs),
            is_demoted=new_holds is False and new_runs is False,
            objection=self._objection(replies, pair, new_holds, new_runs),
            cannot_fence=_unseen(replies, "old", pair.old) if None in (old_holds, old_runs) else "",
        )

    def to_fence(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, [self._command(self.stop, pair.old_on, FENCE, repeatable=True)])

    def to_promote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        if self.promote is None:
            return ()
        return fresh(moment, [self._command(self.promote, pair.new, PROMOTE)])

    def to_demote(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, [self._command(self.stop, pair.new, DEMOTE)])

    def to_let_back(self, view: View, moment: Moment, pair: Pair) -> tuple[Act, ...]:  # noqa: ARG002 drivers share a form
        return fresh(moment, [self._command(self.start, pair.old_on, LET_BACK)])

    def _command(self, argv: tuple[str, ...], host: str, label: str, *, repeatable: bool = False) -> Command:
        return Command(
            argv=argv,
            on=host,
            become=self.become,
            timeout=self.act_timeout,
            label=label,
            judged=True,
            repeatable=repeatable,
        )

    def _holds(self, replies: Replies, word: str) -> bool | None:
        result = result_of(replies, f"addresses of {word}")
        if result is None or result.exit_code or result.truncated or " inet" not in result.stdout:
            return None
        return ip_address(self.vip) in _addresses(result.stdout)

    def _proof(self, replies: Replies, pair: Pair, holds: bool | None, runs: bool | None) -> str:
        if holds is None or runs is None:
            return _unseen(replies, "old", pair.old)
        state = "still runs" if runs else "is stopped"
        where = "still on" if holds else "not on"
        return f"{pair.old} itself says that keepalived {state} there and that {self.vip} is {where} its interfaces"

    def _objection(self, replies: Replies, pair: Pair, holds: bool | None, runs: bool | None) -> str:
        if holds is None or runs is None:
            return _unseen(replies, "new", pair.new)
        if not runs and self.promote is None:
            return f"keepalived does not run on {pair.new}, so it would not take {self.vip}"
        return ""


def _runs(replies: Replies, word: str) -> bool | None:
    result = result_of(replies, f"keepalived of {word}")
    said = result.stdout.split()[:1] if result else []
    if not said or said[0] not in (*_RUNS, *_STOPPED):
        return None
    return said[0] in _RUNS


def _unseen(replies: Replies, word: str, name: str) -> str:
    silent = [f"addresses of {word}", f"keepalived of {word}"]
    return f"{name} cannot be asked: {why_not(replies, *_without_answer(replies, silent))}"


def _without_answer(replies: Replies, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: result_of(replies, name) is not None)


def _addresses(shown: str) -> set[object]:
    found: set[object] = set()
    for line in shown.splitlines():
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            found.add(ip_address(words[3].partition("/")[0]))
    return found
