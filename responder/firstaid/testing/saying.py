"""The sentences of a fake world: what goes wrong with a host, and what a test leaves unanswered."""

from __future__ import annotations

from collections.abc import Sequence

from responder.domain.acts import Command
from responder.domain.durations import spoken
from responder.errors import AuthRefused, CommandTimedOut, ConnectionCut, HostError, HostKeyRefused, HostUnreachable
from responder.firstaid.testing.answers import CommandRule, Trouble
from responder.firstaid.testing.patterns import fits, nearest, shown

_TEXTS: dict[Trouble, tuple[type[HostError], str]] = {
    Trouble.UNREACHABLE: (HostUnreachable, "{} cannot be reached."),
    Trouble.CUT: (ConnectionCut, "The connection to {} ended in the middle of a command."),
    Trouble.WRONG_KEY: (HostKeyRefused, "{} shows another host key than the pinned one."),
    Trouble.LOGIN_REFUSED: (AuthRefused, "{} refuses the login."),
}


def error_of(trouble: Trouble, host: str, command: Command, output: str) -> HostError:
    """The error that the real hands would raise."""
    if trouble in _TEXTS:
        kind, text = _TEXTS[trouble]
        return kind(text.format(host))
    text = f"the command on {host} took longer than {spoken(command.timeout)}"
    return CommandTimedOut(text, after=command.timeout, output=output, is_over=trouble is Trouble.TIMED_OUT)


def unmatched(host: str, argv: tuple[str, ...], rules: Sequence[CommandRule]) -> str:
    """Why a command has no answer, with the rule that was perhaps meant."""
    fitting = [rule for rule in rules if fits(rule.when, argv)]
    if fitting:
        why = f" The `when` fits, but not its if:, become: or stdin: (`{shown(fitting[0].when)}`)."
    else:
        why = like(argv, [rule.when for rule in rules])
    return f"nothing under hosts: answers on {host}: {shown(argv)}{why}"


def like(words: Sequence[str], known: Sequence[Sequence[str]]) -> str:
    """What of the known resembles these words most."""
    if not known:
        return ". There is no rule at all for it."
    best = nearest(words, known)
    return f". The nearest `when` is: {shown(best)}" if best else ". No `when` resembles it."
