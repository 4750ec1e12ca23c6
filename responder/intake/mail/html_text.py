"""HTML of a mail as plain text: what a reader sees, with quotes marked by “> ” and the cells of a row on one line.

The tree is cut down before inscriptis walks it, since that recurses, pads tables to their widest cell and believes
every style. Nothing is fetched, nothing runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree

from responder.intake.mail.hidden import is_hidden
from responder.intake.mail.limits import MailLimits

_UNSEEN = (
    "head", "script", "style", "title", "template", "noscript", "object", "embed", "applet", "iframe", "frame",
    "frameset", "svg", "math", "select", "textarea", "audio", "video", "canvas", "meta", "link", "map",
)  # fmt: skip
_RENAMED = {"table": "div", "tbody": "div", "thead": "div", "tfoot": "div", "tr": "div", "td": "span", "th": "span"}
_CELLS = ("td", "th")
_BLOCKS = ("p", "div", "br", "li", "table", "ul", "ol", "blockquote", "pre")
_DEPTH = 60
_CELL, _QUOTE, _UNQUOTE = "\ue000", "\ue001", "\ue002"
_MARKS = re.compile(f"[{_CELL}{_QUOTE}{_UNQUOTE}]")
# What an entity may write but no tree takes back, and our own marks.
_UNSETTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue003-\ufffd\U00010000-\U0010ffff]")
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*+\n){2,}+")
_MOST_QUOTES = 5
_TAG = re.compile(r"<[^<>]*+>")
_FORMLESS = "The HTML is too deep or has too many elements; a part of it lost its form."


def text_of_html(html: str, limits: MailLimits, odd: list[str]) -> str:
    """The text that a reader of some HTML sees, however broken it is; of what is too deep, all between its tags."""
    root = _tree(html, limits, odd)
    if root is None:
        return _TAG.sub(" ", html[: limits.html]).strip() if _FORMLESS in odd else ""
    etree.strip_elements(root, *_UNSEEN, with_tail=False)
    _cut(root, limits, odd)
    text = Inscriptis(root, ParserConfig(css=STRICT_CSS_PROFILE.copy())).get_text()
    return _EMPTY_LINES.sub("\n\n", "\n".join(_lines(text))).strip()


def _tree(html: str, limits: MailLimits, odd: list[str]) -> etree._Element | None:
    if len(html) > limits.html:
        odd.append(f"The HTML is longer than {limits.html:,} letters; the rest was not read.")
    data = html[: limits.html].replace("\x00", " ").encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, AssertionError):
        return None
    # libxml2 forgets what lies deeper than it goes.
    is_whole = not any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)
    odd += [_FORMLESS] * (not is_whole)
    return root if is_whole else None


def _cut(root: etree._Element, limits: MailLimits, odd: list[str]) -> None:
    """Takes away what nobody sees or what goes too far, and gives the rest the shape of a mail."""
    kept = 0
    depths = {root: 0}
    stack = [root]
    while stack:
        element = stack.pop()
        kept += 1
        depth = depths.pop(element)
        inner = list(element)
        if kept + len(stack) + len(inner) > limits.elements or depth >= _DEPTH:
            inner = _flat(element, odd)
        seen = _without_unseen(element, inner)
        depths |= dict.fromkeys(seen, depth + 1)
        stack += seen
        _reshape(element)


def _flat(element: etree._Element, odd: list[str]) -> list[etree._Element]:
    """Leaves of an element that is too deep or too full only its text."""
    odd += [_FORMLESS] * bool(len(element))
    text = " ".join(piece for piece in element.itertext() if isinstance(piece, str))
    tail = element.tail
    for child in list(element):
        element.remove(child)
    element.text, element.tail = _settable(text), _settable(tail)
    return []


def _is_seen(element: etree._Element) -> bool:
    if not isinstance(element.tag, str) or "hidden" in element.attrib:
        return False
    return not is_hidden(element.get("style", ""), has_children=bool(len(element)))


def _without_unseen(element: etree._Element, inner: list[etree._Element]) -> list[etree._Element]:
    """The children that are seen. The others are taken out, and what follows them is put together once."""
    seen: list[etree._Element] = []
    loose: dict[int, list[str]] = {}
    for child in inner:
        if _is_seen(child):
            seen.append(child)
        else:
            loose.setdefault(len(seen), []).append(_settable(child.tail))
            child.tail = None
            element.remove(child)
    for place, texts in loose.items():
        if place:
            seen[place - 1].tail = _settable(seen[place - 1].tail) + "".join(texts)
        else:
            element.text = _settable(element.text) + "".join(texts)
    return seen


def _reshape(element: etree._Element) -> None:
    tag = element.tag
    if tag in _CELLS and _is_small(element):
        _flat(element, [])
        element.text = " ".join(_settable(element.text).split())
    element.attrib.clear()
    # inscriptis undoes entities once more than HTML has them.
    element.text = _settable(element.text).replace("&", "&amp;")
    element.tail = _settable(element.tail).replace("&", "&amp;")
    if tag in _CELLS and element.getprevious() is not None:
        element.text = _CELL + element.text
    if tag == "blockquote":
        _mark_quote(element)
    if tag in _RENAMED:
        element.tag = _RENAMED[tag]


def _settable(text: str | None) -> str:
    return _UNSETTABLE.sub(" ", text or "")


def _is_small(cell: etree._Element) -> bool:
    """Whether a cell is one piece of text, even if it stands in a paragraph of its own as in Outlook."""
    blocks = 0
    for inner in cell.iterdescendants():
        blocks += inner.tag in _BLOCKS
        if blocks > 1 or not _is_seen(inner) or inner.tag in ("table", "br", "li"):
            return False
    return True


def _mark_quote(element: etree._Element) -> None:
    begin = etree.Element("div")
    begin.text = _QUOTE
    begin.tail, element.text = element.text, None
    element.insert(0, begin)
    end = etree.SubElement(element, "div")
    end.text = _UNQUOTE


def _lines(text: str) -> Iterator[str]:
    depth = 0
    for line in text.replace("\xa0", " ").split("\n"):
        opened, closed = line.count(_QUOTE), line.count(_UNQUOTE)
        depth += opened
        shown = _MARKS.sub(_shown, line).rstrip()
        if shown.strip() or not (opened or closed):
            yield "> " * min(depth, _MOST_QUOTES) + shown.lstrip("\t")
        depth = max(depth - closed, 0)


def _shown(mark: re.Match[str]) -> str:
    return "\t" if mark[0] == _CELL else ""
