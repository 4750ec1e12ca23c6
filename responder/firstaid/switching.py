"""The order of a switchover: precheck, fence, proof, promote, verify from outside, or the way back.

A pure function of the facts and of what has been done. What it sends is journaled under labels, and by them it knows
after a crash where it stood. Acts whose repetition could undo a decision (promote, demote, let back) are never
repeated blindly: the engine looks whether a lost one happened, and otherwise hands over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from responder.domain.acts import Act, Command, Done, Fail, Moment, Request, Suspend
from responder.firstaid.drivers.base import DEMOTE, FENCE, LET_BACK, PROMOTE, Driver, Pair, View, holding
from responder.firstaid.drivers.outside import Outside, Verify

FENCE_ELSEWHERE = f"{FENCE} from elsewhere"
UNDO_ELSEWHERE = f"{LET_BACK}, from elsewhere"
VERIFY = "verify from outside"
VERIFY_OLD = "verify the old node from outside"
_PROBES = (VERIFY, VERIFY_OLD)
_CONNECTING = timedelta(seconds=10)
_NO_PROOF = "there was no proof that the old node is fenced"
_UNFIT = "it was no longer fit for it"
_NOT_TAKEN = "did not take over in time"


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """Where a switchover stands. `first` is what was seen before its first act."""

    driver: Driver
    pair: Pair
    verify: Verify
    outside: Outside | None
    fence_within: timedelta
    promote_within: timedelta
    every: timedelta
    first: View
    view: View
    moment: Moment

    def next(self) -> tuple[Act, ...]:
        """What is to be done now; nothing when the service is on the new node and answers there."""
        if self._has(DEMOTE) or self._has(LET_BACK):
            return self._going_back()
        if self._has(PROMOTE):
            return self._promoted()
        # Fenced without an act that has ended: ours was lost in a crash, and took effect.
        if self._has(FENCE) or (self.view.is_fenced and not self.first.is_fenced):
            return self._fencing()
        return self._before()

    # --- 1. before anything is changed -------------------------------------------------------------

    def _before(self) -> tuple[Act, ...]:
        if self._is_there():
            return self._verified("is on the new node already, nothing was changed, and it does not answer there")
        if why := self._objection():
            return self._fail(f"{why}. Nothing was changed.")
        return self._promote() if self.view.is_fenced else self._fence()

    def _is_there(self) -> bool:
        old_is_out = self.view.old_holds is False or self.view.is_fenced
        return self.view.new_holds is True and old_is_out

    def _objection(self) -> str:
        if why := self.view.objection or self.driver.refuses_before(self.view):
            return f"{self.pair.new} must not take over: {why}"
        if not self.view.is_fenced and self.view.cannot_fence and self.outside is None:
            return (
                f"{self.view.cannot_fence}. No fence: is configured that works without {self.pair.old}, so nobody "
                f"could prove that it does not serve any more, and {self.pair.new} is not promoted"
            )
        if not self.view.is_fenced and self.view.cannot_fence and self.view.detail.get("no proof"):
            return f"{self.view.cannot_fence}, and {self.view.detail['no proof']}"
        return ""

    # --- 2. and 3. fence, and the proof of it ------------------------------------------------------

    def _fencing(self) -> tuple[Act, ...]:
        # It is asked from outside only after the proof: an old node that dies later takes nothing back from it.
        was_proven = bool(self._probes(VERIFY)) and self.view.new_holds and not self.view.old_holds
        if not self.view.is_fenced and not was_proven:
            return self._fence()
        if self.view.objection and not self.view.new_holds:
            return self._wait_or_undo(f"{self.pair.new} must not take over: {self.view.objection}", _UNFIT)
        return self._promote()

    def _fence(self) -> tuple[Act, ...]:
        if self.view.cannot_fence:
            return self._fence_elsewhere() or self._wait_or_undo(self._no_proof(), _NO_PROOF)
        if acts := self.driver.to_fence(self.view, self.moment, self.pair):
            return acts
        if not self._is_late(self.fence_within + self.driver.patience()):
            return self._wait("waiting for the proof that the old node is fenced")
        return self._fence_elsewhere() or self._undo(self._no_proof(), _NO_PROOF)

    def _fence_elsewhere(self) -> tuple[Act, ...]:
        if self.outside is None or self._has(FENCE_ELSEWHERE):
            return ()
        return (self._elsewhere(self.outside, self.outside.run, FENCE_ELSEWHERE, repeatable=True),)

    def _no_proof(self) -> str:
        missing = ", and ".join(dict.fromkeys(one for one in (self.view.proof, self._outside()) if one))
        return f"there is no proof that {self.pair.old} is fenced ({missing}), so {self.pair.new} is not promoted"

    def _outside(self) -> str:
        return self.view.detail.get("elsewhere", "")

    def _wait_or_undo(self, why: str, because: str) -> tuple[Act, ...]:
        if not self._is_late(self.fence_within):
            return self._wait(why)
        return self._undo(why, because)

    # --- 4. promote --------------------------------------------------------------------------------

    def _promote(self) -> tuple[Act, ...]:
        if self.view.new_holds:
            return self._verified("")
        if acts := self.driver.to_promote(self.view, self.moment, self.pair):
            return acts
        if not self._is_late(self.promote_within):
            return self._wait("waiting for the new node to take over")
        return self._undo(f"{self.pair.new} {_NOT_TAKEN}", _NOT_TAKEN)

    def _promoted(self) -> tuple[Act, ...]:
        if acts := self._left_to_promote():
            return acts
        if self.view.new_holds and not self._both_serve():
            return self._verified("")
        promoted = self._last(PROMOTE)
        has_failed = promoted is not None and promoted.exit_code not in (0, None) and not self.view.new_holds
        if not has_failed and not self._is_late(self.promote_within):
            return self._wait("waiting for the new node to take over")
        return self._back(self._reason())

    def _left_to_promote(self) -> tuple[Act, ...]:
        """Where there are several balancers, a crash may have come between them."""
        may_promote = self.view.is_fenced and not self.view.objection
        return self.driver.to_promote(self.view, self.moment, self.pair) if may_promote else ()

    def _both_serve(self) -> bool:
        is_bad = self.view.old_holds and self.view.new_holds and not self.view.is_fenced
        return bool(is_bad) and not self.driver.may_serve_together()

    # --- 5. verify from outside --------------------------------------------------------------------

    def _verified(self, when_there: str) -> tuple[Act, ...]:
        """Probes until enough good answers came in a row. `when_there`: nothing was done, so nothing is undone."""
        probes = self._probes(VERIFY)
        if self._streak(probes) >= self.verify.times and self.view.new_holds:
            return ()
        if (acts := self._probe(VERIFY, probes)) is not None:
            return acts
        if when_there:
            return self._fail(f"the service {when_there}: {self.verify.found(probes[-1])}.")
        return self._back(self._reason())

    def _probe(self, label: str, probes: list[Done]) -> tuple[Act, ...] | None:
        """The next question, or the wait for it; None when there were enough bad answers."""
        if probes:
            last, began = probes[-1], probes[0].at
            if not self.verify.is_good(last) and self.moment.now >= began + self.verify.within:
                return None
            if self.moment.now < last.at + self.verify.every:
                return (Suspend(until=last.at + self.verify.every, why="asking the service from outside"),)
        return (self.verify.probe(label),)

    def _probes(self, label: str) -> list[Done]:
        """The answers since the last act of another kind."""
        found: list[Done] = []
        for one in reversed(self.moment.done):
            if one.label != label:
                break
            found.insert(0, one)
        return found

    def _streak(self, probes: list[Done]) -> int:
        good = 0
        for one in probes:
            good = good + 1 if self.verify.is_good(one) else 0
        return good

    # --- 6. the way back ---------------------------------------------------------------------------

    def _undo(self, why: str, because: str) -> tuple[Act, ...]:
        """Nothing was promoted: the fence is undone if the new node certainly does not serve."""
        if not self._may_let_back():
            return self._fail(f"{why}. The fence is not undone, since {self.pair.new} {holding(self.view.new_holds)}.")
        return self._let_back(because) or self._fail(f"{why}.")

    def _back(self, why: str) -> tuple[Act, ...]:
        """Something was promoted, or took over by itself, and it was of no use."""
        if self.view.new_holds is None:
            return self._fail(f"{why}. Nothing is rolled back blindly, since {self.pair.new} cannot be seen.")
        if self._may_still_take_over():
            return self._fail(f"{why}. Nothing is rolled back: {self.pair.new} may still take over.")
        if self.view.old_holds and not self.view.new_holds and not self._has(FENCE):
            return self._fail(f"{why}. There is nothing to roll back.")
        if self.driver.may_serve_together():
            return self._let_back() or self._fail(f"{why}.")
        acts = self.driver.to_demote(self.view, self.moment, self.pair)
        return acts or self._fail(f"{why}. There is no way to take the service from {self.pair.new} again.")

    def _may_let_back(self) -> bool:
        """Whether the new node certainly does not serve, and will not begin to when the old one serves again."""
        if self.driver.may_serve_together():
            return True
        if self.driver.arbitrates:
            return self.view.is_demoted
        if not self._has(PROMOTE) and not self._has(DEMOTE):
            return self.view.new_holds is False
        # What was promoted might still take effect late, unless it was certainly taken back after that.
        taken_back = [one.exit_code == 0 for one in self.moment.done if one.label.startswith(DEMOTE)]
        return self.view.is_demoted and bool(taken_back) and all(taken_back)

    def _let_back(self, because: str = "") -> tuple[Act, ...]:
        """One act of the way back at a time; its label keeps why, for whoever goes on after a crash."""
        acts: list[Act] = []
        if self.outside and self.outside.undo and self._has(FENCE_ELSEWHERE) and not self._has(UNDO_ELSEWHERE):
            acts.append(self._elsewhere(self.outside, self.outside.undo, UNDO_ELSEWHERE))
        if any(one.label.startswith(FENCE) and one.label != FENCE_ELSEWHERE for one in self.moment.done):
            acts += self.driver.to_let_back(self.view, self.moment, self.pair)
        because = because or self._because()
        return tuple(_labelled(act, because) for act in acts[:1])

    def _because(self) -> str:
        """Why the old node was let back though nothing was promoted."""
        first = next((one.label for one in self.moment.done if one.label.startswith(LET_BACK)), "")
        return first.partition(" (")[2].removesuffix(")")

    def _going_back(self) -> tuple[Act, ...]:
        why = self._reason()
        if not self._has(LET_BACK) and not self._may_let_back():
            return self._demoting(why)
        if self._may_let_back() and (acts := self._let_back()):
            return acts
        if not self._has(LET_BACK) and not self.driver.arbitrates:
            return self._fail(f"{why}. {self.pair.new} has given the service up again.")
        if not self.view.old_holds and not self._is_late(self.promote_within):
            return self._wait("waiting for the old node to serve again")
        return self._asked_again(why)

    def _asked_again(self, why: str) -> tuple[Act, ...]:
        probes = self._probes(VERIFY_OLD)
        if self._streak(probes) >= self.verify.times:
            return self._fail(f"{why}. That was undone, and the service answers as it did before.")
        if (acts := self._probe(VERIFY_OLD, probes)) is not None:
            return acts
        return self._fail(f"{why}. That was undone, but the service does not answer: {self.verify.found(probes[-1])}.")

    def _demoting(self, why: str) -> tuple[Act, ...]:
        if acts := self.driver.to_demote(self.view, self.moment, self.pair):
            return acts
        if not self._is_late(self.promote_within):
            return self._wait("waiting for the proof that the new node has given the service up")
        return self._fail(
            f"{why}. {self.pair.new} could not be proven to have given the service up, so {self.pair.old} stays fenced."
        )

    # --- words and small things --------------------------------------------------------------------

    def _reason(self) -> str:
        """Why it goes back, by what was done so far."""
        promoted, bad = self._last(PROMOTE), self._last_bad_probe()
        if self._both_serve() and promoted is not None:
            return f"{self.pair.old} serves again beside {self.pair.new}"
        if bad is not None:
            return f"the service did not answer through {self.pair.new}: {self.verify.found(bad)}"
        if promoted is not None and promoted.exit_code not in (0, None):
            return f"{self.pair.new} was not promoted: {' | '.join(promoted.output.splitlines()[-2:])[:200]}"
        if promoted is not None:
            return f"{self.pair.new} {_NOT_TAKEN}"
        return f"{self.pair.new} was not promoted: {self._because() or 'the fence was undone'}"

    def _last_bad_probe(self) -> Done | None:
        probes = [one for one in self.moment.done if one.label == VERIFY]
        return probes[-1] if probes and not self.verify.is_good(probes[-1]) else None

    def _fail(self, why: str) -> tuple[Act, ...]:
        return (Fail(why=f"{why} {self._state()}"),)

    def _state(self) -> str:
        """What is left, as it is seen now, and what nobody knows."""
        pair, view = self.pair, self.view
        fenced = f"is fenced ({view.proof})" if view.is_fenced else "is not proven to be fenced"
        demoted = " and was taken out of service" if view.is_demoted and self._has(DEMOTE) else ""
        told = (
            f"State left: {pair.old} {holding(view.old_holds)} and {fenced}; "
            f"{pair.new} {holding(view.new_holds)}{demoted}."
        )
        if self.driver.arbitrates:
            told = (
                f"State left: {pair.old} {holding(view.old_holds)}; {pair.new} {holding(view.new_holds)}; {view.proof}."
            )
        doubts = list(dict.fromkeys(one.label for one in self.moment.done if _is_open(one)))
        return f"{told} Nobody knows whether this ran to its end: {', '.join(doubts)}." if doubts else told

    def _elsewhere(self, outside: Outside, argv: tuple[str, ...], label: str, *, repeatable: bool = False) -> Command:
        return Command(
            argv=argv,
            on=outside.on,
            timeout=outside.timeout,
            become=outside.become,
            label=label,
            judged=True,
            repeatable=repeatable,
        )

    def _wait(self, why: str) -> tuple[Act, ...]:
        return (Suspend(until=self.moment.now + self.every, why=why),)

    def _has(self, what: str) -> bool:
        return any(one.label.startswith(what) for one in self.moment.done)

    def _last(self, what: str) -> Done | None:
        return next((one for one in reversed(self.moment.done) if one.label.startswith(what)), None)

    def _may_still_take_over(self) -> bool:
        """A promotion that nobody saw the end of, or that ended well and of which nobody has seen an effect."""
        promoted = [one for one in self.moment.done if one.label.startswith(PROMOTE)]
        if self.driver.arbitrates or not promoted:
            return False
        was_seen = self.driver.acts_at_once or any(one.label == VERIFY for one in self._after(promoted[-1]))
        return any(_is_open(one) or (one.exit_code == 0 and not was_seen) for one in promoted)

    def _after(self, act: Done) -> tuple[Done, ...]:
        return self.moment.done[self.moment.done.index(act) + 1 :]

    def _is_late(self, limit: timedelta) -> bool:
        """Whether what was sent had that much time before the look, which may itself have taken long: a node that
        does not answer keeps the others' answers waiting until the connection is given up."""
        is_slow = None in (self.view.old_holds, self.view.new_holds) or "no proof" in self.view.detail
        took = self.pair.look_timeout + (_CONNECTING if is_slow else timedelta())
        return self.moment.now >= self._since() + limit + took

    def _since(self) -> datetime:
        """When the last act that was no probe ended."""
        ended = [one.at for one in self.moment.done if one.label not in _PROBES]
        return ended[-1] if ended else self.moment.started_at


def _labelled(act: Act, because: str) -> Act:
    if not because or not isinstance(act, Command | Request):
        return act
    return replace(act, label=f"{act.label} ({because})")


def _is_open(done: Done) -> bool:
    """It was sent, and no exit code or status came back."""
    return done.exit_code is None and done.label not in _PROBES
