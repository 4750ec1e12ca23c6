"""Acts in words: what a step would do, for those who read a dry run."""

from __future__ import annotations

from collections.abc import Sequence

from responder.domain.acts import Act, Ask, Command, Request, Suspend, Tell
from responder.domain.masking import masked_words
from responder.domain.target import Target, find
from responder.firstaid.testing.patterns import shown


def said_act(targets: Sequence[Target], host: str, act: Act) -> str:
    """What a step on this host would do, without what looks like a secret."""
    if isinstance(act, Command):
        place = f"on {act.on}: " if act.on and act.on != host else ""
        stdin = f" < {len(act.stdin)} bytes" if act.stdin else ""
        return place + shown(masked_words(argv_of(targets, host, act))) + stdin
    if isinstance(act, Request):
        return " ".join(masked_words(act.argv))
    if isinstance(act, Ask):
        return f"ask {', '.join(act.roles) or 'anybody'}: {act.question}"
    if isinstance(act, Tell):
        return f"tell {', '.join((*act.people, *act.roles)) or 'the team'}: {act.text}"
    return f"wait: {act.why}" if isinstance(act, Suspend) else f"fail: {act.why}"


def argv_of(targets: Sequence[Target], host: str, act: Command) -> tuple[str, ...]:
    """The command as the host would get it, with what gives it other rights before it."""
    target = find(targets, act.on or host)
    return (*target.become, *act.argv) if act.become and target else act.argv
