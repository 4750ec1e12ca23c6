"""What is wrong with a configuration or a runbook is said in Chinese, whatever stands in its places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import responder
from responder.firstaid.loader import load_runbook
from responder.flows.texts.languages import meaning_of_grade, said, said_of_file

PACKAGE = Path(responder.__file__).parent
HAN = re.compile("[\u4e00-\u9fff]")
# Words of a file, in quotes, before a colon or with a mark of code in them, stay as they are.
CODE = re.compile(r"'[^']*'|`[^`]*`|“[^”]*”|\{[^}]*\}|\[[^\]]*\]|\S*[\d_.:/@=&…()#]\S*|--\S+")
SENTENCE = re.compile(r"\b(?:is|are|was|has|have|would|can|may|must|says?|there|nobody|give|write|begins|comes)\b")
ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [a-z']+){3,}")
# Parts of sentences that their whole has, texts for programs, and what only a terminal shows.
ELSEWHERE = ("differences.py", "policy_schema.py")


def _sentences(folder: str) -> Iterator[str]:
    for path in sorted((PACKAGE / folder).glob("*.py")):
        if path.name not in ELSEWHERE:
            yield from _of(ast.parse(path.read_text()))


def _of(tree: ast.AST) -> Iterator[str]:
    """Every sentence that is yielded, raised or given on, with a plausible value in each place."""
    for node in ast.walk(tree):
        for one in _spoken(node):
            text = _filled(one)
            if SENTENCE.search(text) and " " in text.strip():
                yield text


def _spoken(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        return [node.value.elts[-1]]
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return node.exc.args[:1]
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "text" for one in node.targets):
        return [node.value]
    return []


def _filled(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_filled, node.values))
    if isinstance(node, ast.FormattedValue):
        return _sample(ast.unparse(node.value))
    return ""


def _sample(expression: str) -> str:
    if "spoken(" in expression or expression == "timeout":
        return "5m"
    if "len(" in expression or expression in ("number", "length", "_LARGEST", "_LONGEST_SOCKET", "error.lineno"):
        return "3"
    return "x-1, x-2" if "join(" in expression else "x-1"


@pytest.mark.parametrize("text", sorted({*_sentences("config"), *_sentences("firstaid/lint")}))
def test_what_is_wrong_with_a_file_is_said_in_chinese(text: str) -> None:
    theirs = said_of_file(f"grades.P1: {text}", "zh")

    assert theirs.startswith("grades.P1: ")
    assert HAN.search(theirs)
    assert "英文原文" not in theirs
    assert not ENGLISH.search(CODE.sub(" ", theirs)), theirs


def test_the_place_before_a_mistake_stays_as_it_stands_in_the_file() -> None:
    text = "policy.yml:3:4: grade_rules.0.when: 'x' is not a matcher; write it in quotes, like 'severity=\"critical\"'"
    assert said_of_file(text, "zh").startswith("policy.yml:3:4: grade_rules.0.when: 'x' 不是匹配条件")
    assert said_of_file(text, "en") == text
    assert said_of_file("kinds.old is not known here", "zh") == "此处不认识 kinds.old"


def test_words_of_a_parser_are_marked_as_english() -> None:
    text = "while scanning a simple key, could not find expected ':'"
    assert said_of_file(text, "zh") == f"英文原文：{text}"
    assert said_of_file(text, "en") == text
    assert said_of_file("", "zh") == ""


def test_what_pydantic_says_stands_in_a_chinese_frame() -> None:
    text = "port: expected less than or equal to 65535, found 70000"
    assert said_of_file(text, "zh") == "port: 应为 less than or equal to 65535，实际是 70000"
    assert said_of_file("days: expected a list, like [a, b], found 3", "zh") == "days: 应为 列表，如 [a, b]，实际是 3"


@pytest.mark.parametrize("path", sorted((PACKAGE / "runbooks").glob("*.yml")), ids=lambda path: path.name)
def test_shipped_runbooks_say_in_chinese_what_they_do(path: Path) -> None:
    if not path.name.endswith(".test.yml"):
        assert HAN.search(said(load_runbook(path).summary, "zh"))


def test_a_grade_means_the_same_in_chinese_and_another_policy_keeps_its_words() -> None:
    assert meaning_of_grade("Severe. A main function is badly affected.", "zh") == "严重。主要功能严重受影响。"
    assert meaning_of_grade("Our own words", "zh") == "Our own words"
    assert meaning_of_grade("我们自己的话", "en") == "我们自己的话"
