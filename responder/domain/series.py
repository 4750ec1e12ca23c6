"""Which labels the result of a PromQL expression can have, as far as the expression itself tells.

It reads what decides about labels: selectors, aggregations, vector matching. Where it does not understand, any label
is possible; it never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
    r"""|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)?)"""
    r"""|(?P<name>[A-Za-z_:][\w:.]*)|(?P<op>==|!=|=~|!~|>=|<=|[-+*/%^<>=(){}\[\],@])""",
    re.DOTALL,
)
_LEVELS = {"or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, ">": 3, "<": 3, ">=": 3, "<=": 3}
_LEVELS |= {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6}
_SUMS = {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "quantile", "count_values"}
_PICKS = {"topk", "bottomk", "limitk", "limit_ratio"}
_SCALARS = {"time", "pi", "scalar"}
_DEEPEST = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesLabels:
    """Labels whose value is known, and all that can be there at all; `possible` None: any."""

    known: Mapping[str, str] = field(default_factory=dict)
    possible: frozenset[str] | None = None
    is_selector: bool = False

    def may_have(self, label: str) -> bool:
        return self.possible is None or label in self.possible


ANY = SeriesLabels()
NONE = SeriesLabels(possible=frozenset())
_Text = str
_Value = SeriesLabels | _Text | None  # None: a plain number


def labels_of(expression: str) -> SeriesLabels:
    """What is known of the labels of this expression's result; `ANY` where it is not understood."""
    try:
        parser = _Parser(_tokens(expression))
        found = parser.expression(0)
        parser.end()
    except ValueError:
        return ANY
    return _without(found, ["__name__"]) if isinstance(found, SeriesLabels) else NONE


def _tokens(expression: str) -> list[str]:
    found, position = [], 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise ValueError(f"not understood at {position}")
        if match.lastgroup != "skip":
            found.append(match.group())
        position = match.end()
    return found


class _Parser:
    """Walks the tokens once, by precedence. Raises ValueError where it is lost."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        if self._next:
            raise ValueError(f"{self._next} was not expected")

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self, wanted: str = "") -> str:
        token = self._next
        if not token or (wanted and token != wanted):
            raise ValueError(f"{token or 'the end'} was not expected")
        self._at += 1
        return token

    def _is(self, *tokens: str) -> bool:
        return self._next.lower() in tokens

    def expression(self, level: int) -> _Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("nested too deeply")
        left = self._operand()
        while _LEVELS.get(self._next.lower(), 0) > level:
            operator = self._take().lower()
            matching = self._matching()
            # The power binds to the right; for labels nothing depends on it.
            left = _joined(operator, left, self.expression(_LEVELS[operator]), matching)
        self._depth -= 1
        return left

    def _matching(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        while self._is("bool", "on", "ignoring", "group_left", "group_right"):
            word = self._take().lower()
            found[word] = self._names() if self._next == "(" and word != "bool" else []
        return found

    def _names(self) -> list[str]:
        self._take("(")
        names = []
        while self._next != ")":
            names.append(_unquoted(self._take()))
            if self._next != ")":
                self._take(",")
        self._take(")")
        return names

    def _operand(self) -> _Value:
        while self._next in ("+", "-"):
            self._take()
        found = self._atom()
        while self._next in ("[", "@") or self._is("offset"):
            self._suffix()
        return found

    def _suffix(self) -> None:
        if self._take() == "[":
            while self._take() != "]":
                pass
            return
        while self._next in ("+", "-"):
            self._take()
        if self._take() in ("start", "end"):
            self._take("(")
            self._take(")")

    def _atom(self) -> _Value:
        if self._next == "{":
            return self._selector()
        if self._next == "(":
            self._take()
            inner = self.expression(0)
            self._take(")")
            return inner
        token = self._take()
        if token[0] in "\"'`":
            return _unquoted(token)
        if token[0].isdigit() or token[0] == "." or token.lower() in ("inf", "nan"):
            return None
        if not re.match(r"[A-Za-z_:]", token):
            raise ValueError(f"{token} was not expected")
        return self._named(token)

    def _named(self, name: str) -> _Value:
        word = name.lower()
        if word in _SUMS | _PICKS and (self._next == "(" or self._is("by", "without")):
            return self._aggregation(word)
        if self._next == "(":
            return _called(word, self._arguments())
        return self._selector() if self._next == "{" else SeriesLabels(is_selector=True)

    def _selector(self) -> SeriesLabels:
        self._take("{")
        known = {}
        while self._next != "}":
            label = _unquoted(self._take())
            if self._next not in (",", "}"):
                operator, value = self._take(), _unquoted(self._take())
                if operator == "=" and value and label != "__name__":
                    known[label] = value
            if self._next != "}":
                self._take(",")
        self._take("}")
        return SeriesLabels(known=known, is_selector=True)

    def _aggregation(self, word: str) -> _Value:
        grouping = self._grouping()
        arguments = self._arguments()
        grouping = grouping or self._grouping()
        vector = _vector(arguments)
        if word in _PICKS:
            return vector
        how, names = grouping or ("by", [])
        found = _only(vector, names) if how == "by" else _without(vector, names)
        first = arguments[0] if arguments else None
        return _with(found, [first]) if word == "count_values" and isinstance(first, str) else found

    def _grouping(self) -> tuple[str, list[str]] | None:
        if not self._is("by", "without"):
            return None
        return self._take().lower(), self._names()

    def _arguments(self) -> list[_Value]:
        self._take("(")
        found = []
        while self._next != ")":
            found.append(self.expression(0))
            if self._next != ")":
                self._take(",")
        self._take(")")
        return found


def _called(word: str, arguments: list[_Value]) -> _Value:
    if word in _SCALARS:
        return None
    if not any(isinstance(one, SeriesLabels) for one in arguments):
        return NONE
    vector = _vector(arguments)
    if word in ("absent", "absent_over_time"):
        known = vector.known if vector.is_selector else {}
        return SeriesLabels(known=known, possible=frozenset(known))
    if word.startswith("histogram_quantile") or word == "histogram_fraction":
        return _without(vector, ["le"])
    if word in ("label_replace", "label_join"):
        return _with(_vector(arguments[:1]), [one for one in arguments[1:2] if isinstance(one, str)])
    return ANY if word == "info" else _without(vector, [])


def _vector(arguments: Iterable[_Value]) -> SeriesLabels:
    return next((one for one in reversed(list(arguments)) if isinstance(one, SeriesLabels)), ANY)


def _joined(operator: str, left: _Value, right: _Value, matching: Mapping[str, list[str]]) -> _Value:
    if not isinstance(left, SeriesLabels):
        return right
    if not isinstance(right, SeriesLabels) or operator in ("and", "unless"):
        return left
    if operator == "or":
        return _either(left, right)
    for word, many, one in (("group_left", left, right), ("group_right", right, left)):
        if word in matching:
            extra = matching[word]
            brought = {label: value for label, value in one.known.items() if label in extra}
            found = _with(many, extra)
            return SeriesLabels(known={**found.known, **brought}, possible=found.possible)
    return _one_to_one(left, right, matching)


def _one_to_one(left: SeriesLabels, right: SeriesLabels, matching: Mapping[str, list[str]]) -> SeriesLabels:
    possible = left.possible
    if "ignoring" not in matching and right.possible is not None:
        possible = right.possible if possible is None else possible & right.possible
    if "on" in matching:
        possible = left.possible if left.possible is not None else right.possible
    both = SeriesLabels(known={**right.known, **left.known}, possible=possible)
    if "on" in matching:
        return _only(both, matching["on"])
    return _without(both, matching.get("ignoring", ()))


def _either(left: SeriesLabels, right: SeriesLabels) -> SeriesLabels:
    known = {label: value for label, value in left.known.items() if right.known.get(label) == value}
    if left.possible is None or right.possible is None:
        return SeriesLabels(known=known)
    return SeriesLabels(known=known, possible=left.possible | right.possible)


def _only(found: SeriesLabels, names: Iterable[str]) -> SeriesLabels:
    kept = frozenset(names) if found.possible is None else frozenset(names) & found.possible
    known = {label: value for label, value in found.known.items() if label in kept}
    return SeriesLabels(known=known, possible=kept)


def _without(found: SeriesLabels, names: Iterable[str]) -> SeriesLabels:
    dropped = frozenset(names)
    known = {label: value for label, value in found.known.items() if label not in dropped}
    return SeriesLabels(known=known, possible=None if found.possible is None else found.possible - dropped)


def _with(found: SeriesLabels, names: Iterable[str]) -> SeriesLabels:
    added = frozenset(names)
    known = {label: value for label, value in found.known.items() if label not in added}
    return SeriesLabels(known=known, possible=None if found.possible is None else found.possible | added)


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL) if token[:1] in ("'", '"', "`") else token
