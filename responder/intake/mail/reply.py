"""What of a mail's text is new: without quoted mails and signature. One pass over the lines, few looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from responder.domain.mail_labels import labelled
from responder.intake.mail import quote_marks

_MOST_LINES = 12
_OF_AN_ADDRESS = ("phone", "contact_name", "place")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A text in three: every line that is not blank stands in one of them, in its order.

    `said` is empty if somebody only forwards or sends back a quote; then the whole text is what they wanted to say.
    """

    said: str
    quoted: str = ""
    signature: str = ""


def reply_of(text: str, *, is_first: bool = False) -> Reply:
    """What somebody says in a mail, what of it is quoted, and the signature. Takes any text; linear in its length.

    A first mail, which nothing says is an answer or a forward, quotes only behind `>`, below a rule with words or below
    the headers of a mail: what else looks like a quote is more likely a log.
    """
    return sorted_lines(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), is_first=is_first)


def sorted_lines(lines: Sequence[str], *, is_first: bool = False) -> Reply:
    """The same for lines. Each is read a bounded number of times."""
    sorting, at = _Sorting(is_first=is_first), 0
    while at < len(lines):
        at = _next(lines, at, sorting)
    sorting.settle()
    return Reply(said=_joined(sorting.said), quoted=_joined(sorting.quoted), signature=_joined(sorting.signature))


def _next(lines: Sequence[str], at: int, sorting: _Sorting) -> int:
    """Sorts what stands at `at`, and says where the next begins."""
    line = lines[at]
    if not line.strip():
        sorting.write(line)
        return at + 1
    if quote_marks.is_prefixed(line):
        sorting.quote([line])
        return at + 1
    if marks := _marks(lines, at, is_first=sorting.is_first):
        # Where quoted lines are told by their prefix, words may stand between and below them.
        end = at + marks if quote_marks.prefixed_follows(lines, at + marks) else len(lines)
        sorting.quote(lines[at:end])
        return end
    sorting.write(line, quote_marks.signature_room(line))
    return at + 1


def _marks(lines: Sequence[str], at: int, *, is_first: bool) -> int:
    """How many lines from here on say that a quote follows."""
    if quote_marks.is_rule_with_words(lines[at]) or quote_marks.opens_a_block(lines, at, is_first=is_first):
        return 1
    found = quote_marks.attribution(lines, at)
    is_told = not is_first or (found and quote_marks.prefixed_follows(lines, at + found))
    return found if is_told else 0


@dataclass(slots=True)
class _Sorting:
    is_first: bool
    said: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """Lines that are a signature unless too many follow."""
    room: int = 0

    def write(self, line: str, room: int = 0) -> None:
        if not self.held and not room:
            self.said.append(line)
            return
        self.room = max(self.room, room)
        if line.strip() and not room:
            self.room -= 1
        self.held.append(line)
        if self.room < 1:
            self.said += self.held
            self._let_go()

    def quote(self, lines: Sequence[str]) -> None:
        self.settle()
        self.quoted += lines

    def settle(self) -> None:
        is_signature = not (self.is_first and _tells_what_is_wrong(self.held))
        (self.signature if is_signature else self.said).extend(self.held)
        self._let_go()

    def _let_go(self) -> None:
        self.held, self.room = [], 0


def _tells_what_is_wrong(lines: Sequence[str]) -> bool:
    """Whether a field of a report stands here, other than those of an address."""
    found = labelled("\n".join(lines[:_MOST_LINES]))
    return any(one.field not in _OF_AN_ADDRESS for one in found)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()
