"""What of a run is not as its test expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from responder.adapters.yaml_file import Place
from responder.domain.durations import spoken
from responder.firstaid.testing.expecting import Act, Expectation, StepResult
from responder.firstaid.testing.life import Life
from responder.firstaid.testing.patterns import fits, shown
from responder.firstaid.testing.world import NOON, Acted


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """Something that is not as expected, at a place in the test."""

    place: Place
    text: str


def complaints(expect: Expectation, life: Life, target: str) -> list[Complaint]:
    """Everything that is not as expected; nothing when the test passes."""
    if life.stuck:
        return [Complaint(place=("name",), text=life.stuck)]
    return [*_about_the_end(expect, life), *_about_acts(expect, life, target), *_about_the_rest(expect, life)]


def _about_the_end(expect: Expectation, life: Life) -> Iterator[Complaint]:
    ended = life.ended
    if ended.outcome is not expect.outcome:
        text = f"expected the outcome {expect.outcome}, but it is {ended.outcome}: {ended.sentence}"
        yield _at("outcome", text)
    for text in expect.message:
        if text not in ended.sentence:
            yield _at("message", f"expected the message to contain {text!r}, but it is: {ended.sentence}")
    took = life.world.clock.now() - NOON
    if expect.within is not None and took > expect.within:
        yield _at("within", f"expected an end within {spoken(expect.within)}, but the run took {spoken(took)}")


def _about_acts(expect: Expectation, life: Life, target: str) -> Iterator[Complaint]:
    real = life.world.acted
    if expect.acts is not None and not _agree(expect.acts, real, target):
        lines = _difference(expect.acts, real, target)
        yield _at("acts", "\n    ".join(["other acts than expected (- expected, + real):", *lines]))
    for index, act in enumerate(expect.never):
        for one in real:
            if _is(act, one, target):
                yield Complaint(place=("expect", "never", index), text=f"this must never happen, but did: {one}")
                break


def _about_the_rest(expect: Expectation, life: Life) -> Iterator[Complaint]:
    for name, wanted in expect.steps.items():
        found = _end_of(life, name)
        if wanted not in found:
            text = f"expected the step {name!r} to be {wanted}, but it is {', '.join(found)}"
            yield Complaint(place=("expect", "steps", name), text=text)
    lists = (
        ("attachments", expect.attachments or (), life.record.attachments),
        ("asked", expect.asked, [question for _, question in life.record.asked]),
        ("told", expect.told, [text for _, text in life.record.told]),
    )
    for key, wanted_texts, there in lists:
        for text in wanted_texts:
            if not any(text in one for one in there):
                yield _at(key, f"expected {text!r}, but there is {' | '.join(there) or 'nothing'}")
    if expect.attachments == () and life.record.attachments:
        yield _at("attachments", f"expected none, but there is {' | '.join(life.record.attachments)}")


def _end_of(life: Life, name: str) -> list[StepResult]:
    steps = life.plan.all_steps if life.plan else ()
    known = [step.index for step in steps if name in (step.name, f"{step.name} on {step.host}")]
    ends = [StepResult(life.record.ended[index][0].value) for index in known if index in life.record.ended]
    return ends or [StepResult.NOT_BEGUN]


def _at(key: str, text: str) -> Complaint:
    return Complaint(place=("expect", key), text=text)


# --- acts ------------------------------------------------------------------------------------------


def _is(wanted: Act, real: Acted, target: str) -> bool:
    if not real.host:
        # A request's body need not be written.
        return not wanted.host and (fits(wanted.pattern, real.argv) or fits(wanted.pattern, real.argv[:2]))
    return (wanted.host or target) == real.host and fits(wanted.pattern, real.argv)


def _agree(wanted: Sequence[Act], real: Sequence[Acted], target: str) -> bool:
    return len(wanted) == len(real) and all(_is(*pair, target) for pair in zip(wanted, real, strict=True))


def _difference(wanted: Sequence[Act], real: Sequence[Acted], target: str) -> list[str]:
    """Both lists as one: what is expected and missing, what is there and not expected."""
    shown_real = [str(act) for act in real]
    # Where a pattern fits an act, both shall be the same line.
    shown_wanted = [next((str(act) for act in real if _is(one, act, target)), _shown(one, target)) for one in wanted]
    lines: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, shown_wanted, shown_real, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [f"  {line}" for line in shown_wanted[a:b]]
        else:
            lines += [f"- {line}" for line in shown_wanted[a:b]] + [f"+ {line}" for line in shown_real[c:d]]
    return lines


def _shown(act: Act, target: str) -> str:
    words = shown(act.pattern)
    return words if "://" in words and not act.host else f"{act.host or target}: {words}"
