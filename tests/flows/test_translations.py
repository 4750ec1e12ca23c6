"""The file of translations and the source agree: what is translated is still said, and every place is filled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import responder
from responder.adapters.yaml_file import load
from responder.config.policy import read_policy
from responder.domain.translation import LONGEST, catalogue, translated
from responder.flows.texts import languages
from responder.flows.texts.languages import entries, in_words_of, read_po, said, sentences_in

PACKAGE = Path(responder.__file__).parent
FILES = sorted(Path(languages.__file__).parent.glob("zh*.po"))
PO = "\n\n".join(path.read_text(encoding="utf-8") for path in FILES)
PLACE = re.compile(r"\{\w+(?::\w+)?\}")
END = re.compile(r"[.?!;]\Z")
HOLE = "\0"


@cache
def spoken_in_source() -> tuple[str, ...]:
    """All texts of the source and of the shipped policies, with a hole for every value."""
    found = [text for path in sorted(PACKAGE.rglob("*.py")) for text in _texts(ast.parse(path.read_text()))]
    policies = [*(PACKAGE.parent / "rules" / "policy").glob("*.yml"), *(PACKAGE / "runbooks").glob("*.yml")]
    templates = (PACKAGE / "flows" / "texts").glob("*.j2")
    pages = (PACKAGE / "web" / "templates").rglob("*.html")
    written = [path.read_text() for path in (*policies, *templates, *pages)]
    # Words of a policy, such as user_operation, are shown with spaces.
    return (*dict.fromkeys(found), *written, *(text.replace("_", " ") for text in written[: len(policies)]))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(one.value) if isinstance(one, ast.Constant) else HOLE for one in node.values)
            yield re.sub(f"{HOLE}+", HOLE, "".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def blocks() -> list[tuple[str, str]]:
    """The English text of every sentence of the file, with the comments above it."""
    found = []
    for block in re.split(r"\n\s*\n", PO):
        for (kind, english), _ in read_po(block):
            if english and kind in ("", "item") and "%(" not in english:
                found.append((english, block))
    return found


@cache
def _whole() -> str:
    return "\n".join(spoken_in_source())


@cache
def _fragments() -> str:
    """What stands between two values or ends in the source, one on a line; names are also said with spaces."""
    found = [part for text in spoken_in_source() for part in text.replace("\n", " ").split(HOLE)]
    names = [part.replace("_", " ") for part in found if "_" in part and " " not in part]
    # Of single letters, such as those of keys, every word could be put together.
    pieces = [part for part in [*found, *names] if len(part) > 1 or not part.isalpha()]
    return "\n".join(["", *dict.fromkeys([*pieces, *"abc:;.,()"]), ""])


def is_said(english: str, comments: str) -> bool:
    """Whether the source still says it: in one piece, or where the file says `joined`, in several."""
    pattern = END.sub("", PLACE.sub(HOLE, english))
    if "#. joined" not in comments:
        return pattern in _whole()
    return all(_is_joined(part) for part in pattern.split(HOLE))


def _is_joined(literal: str) -> bool:
    """Whether it can be put together from ends and beginnings of fragments."""
    if literal in _fragments():
        return True
    cuts = [place for place in range(1, len(literal)) if not literal[place - 1 : place + 1].isalpha()]
    return any(f"{literal[:cut]}\n" in _fragments() and _begins(literal[cut:]) for cut in cuts)


def _begins(literal: str) -> bool:
    if f"\n{literal}" in _fragments():
        return True
    return any(f"\n{literal[:cut]}\n" in _fragments() and _begins(literal[cut:]) for cut in range(1, len(literal)))


def test_what_is_translated_is_still_said() -> None:
    assert [english for english, comments in blocks() if not is_said(english, comments)] == []


def test_a_sentence_that_nobody_says_is_noticed() -> None:
    assert is_said("{runbook} on {host}: it has looked, and changed nothing.", "")
    assert not is_said("{runbook} on {host}: it has seen, and changed nothing.", "")
    assert not is_said("{runbook} on {host}: all {number:count} steps are quite finished.", "#. joined")


def test_no_sentence_is_translated_twice() -> None:
    names = [(kind, english) for block in re.split(r"\n\s*\n", PO) for (kind, english), _ in read_po(block)]
    assert len(names) == len(set(names)) == len(entries("zh"))


@pytest.mark.parametrize("profile", ["p1-p4", "sop-3level", "regulation", "quick-response"])
def test_what_shipped_policies_say_of_their_grades_is_said_in_chinese(profile: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(f"extends: {profile}\n")
    policy = read_policy(load(tmp_path / "policy.yml"))[1].as_policy()
    english = [one.text for one in policy.grades.values()]
    assert english
    assert [text for text in english if not in_words_of(text, "zh")] == []
    assert {text for kind, text in entries("zh") if kind == "grade"} >= set(english)


def test_every_grade_in_the_file_is_one_of_a_shipped_policy() -> None:
    assert [text for kind, text in entries("zh") if kind == "grade" and text not in _whole()] == []


def test_each_pattern_fits_its_own_sentence() -> None:
    known = sentences_in("zh")
    for english, comments in blocks():
        if "msgctxt" not in comments and PLACE.search(english):
            sentence = PLACE.sub(lambda match: SAMPLES.get(match[0].strip("{}").partition(":")[2], "xyz"), english)
            assert translated(known, sentence) != sentence, english


SAMPLES = {"count": "7", "time": "1h 30m", "nth": "2nd", "name": "xyz"}


def test_the_whole_file_is_as_fast_as_a_few_sentences() -> None:
    known = sentences_in("zh")
    every = " ".join(PLACE.sub("7", english) for english, _ in blocks())
    for start in range(0, len(every) - LONGEST, LONGEST):
        assert translated(known, every[start : start + LONGEST])


SENTENCES = st.sampled_from([PLACE.sub("{}", english) for english, _ in blocks()])
VALUES = (
    SENTENCES | st.sampled_from(["mei", "web-1", "7", "1h 30m", "a, b and c", "no, ", "; ", ""]) | st.text(max_size=9)
)


@settings(deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=4), st.lists(VALUES, min_size=9, max_size=9))
def test_no_sentence_with_whatever_in_its_places_makes_it_fail(sentences: list[str], values: list[str]) -> None:
    text = " ".join(sentences)
    for value in values * 3:
        text = text.replace("{}", value, 1)
    for kind in ("text", "list", "texts", "conditions", "time"):
        assert said(text, "zh", kind) or not text


def test_english_and_languages_without_a_file_stay_as_they_are() -> None:
    assert said("No first-aid rule fits.", "en") == "No first-aid rule fits."
    assert said("No first-aid rule fits.", "xx") == "No first-aid rule fits."


def test_a_file_may_break_its_lines_and_leave_entries_empty() -> None:
    text = 'msgid ""\n"two "\n"lines"\nmsgstr "一" \n\n# not yet\nmsgid "later"\nmsgstr ""\n'
    assert dict(read_po(text)) == {("", "two lines"): "一"}


def test_a_line_that_cannot_be_understood_is_named() -> None:
    with pytest.raises(ValueError, match="no line of a file of translations"):
        list(read_po("msgid nothing in quotes\n"))


def test_a_translation_that_loses_a_place_is_found() -> None:
    with pytest.raises(ValueError, match="places"):
        catalogue({"{host} is down.": "主机宕机。"})
