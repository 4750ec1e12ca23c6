"""`process`, when responder ends around the signal."""

from __future__ import annotations

import pytest

from responder.domain.acts import CommandResult
from responder.domain.runbook import RunOutcome, StepSpec
from responder.domain.target import Target
from responder.firstaid.engine import Engine
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.ports import Ended
from tests.fakes import NOW, Crash, CrashPlan, Disk, FakeClock, FakeHands, FakeHost, MemoryJournal, a_runbook


class Host(FakeHost):
    """Has one worker that the signal ends."""

    def _answer(self, argv: tuple[str, ...]) -> CommandResult:
        self.ran.append(argv[4:])
        if argv[4] == "TERM":
            self.state["ended"] = "yes"
        gone = argv[4] == "TERM" or "ended" in self.state
        line = "alive 4711:99\nmatch\t4711\t99\t7200\t1572864\t97\tapp\tworker\tworker --all\n"
        return CommandResult(exit_code=0, stdout="" if gone else line)


@pytest.mark.parametrize(
    ("place", "times"),
    [("after begin_act", 1), ("after a command ended on the host", 1), ("before end_act", 1), ("after end_act", 1)],
)
async def test_a_crash_around_the_signal_ends_well_and_signals_no_other(place: str, times: int) -> None:
    spec = StepSpec(name="end it", kind="process", settings={"name": "worker", "min_cpu": "90%"})
    made = from_snapshot(snapshot(a_runbook([spec]), {}, Target(name="web-1", address="192.0.2.1")))
    host, disk, clock = Host(), Disk(), FakeClock()

    def life(host: Host, disk: Disk, crash: CrashPlan) -> Engine:
        journal = MemoryJournal(clock, disk, crash)
        hands = FakeHands(host, crash)
        return Engine(plan=made, target="web-1", hands=hands, journal=journal, clock=clock, started_at=NOW)

    probe = CrashPlan()
    await life(Host(), Disk(), probe).run()
    begun = probe.places.index("after begin_act")
    with pytest.raises(Crash):
        await life(host, disk, CrashPlan(probe.places.index(place, begun) + 1)).run()
    ended = await life(host, disk, CrashPlan()).run()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.HELPED
    assert host.ran.count(("TERM", "10", "no", "10", "4711:99")) == times
