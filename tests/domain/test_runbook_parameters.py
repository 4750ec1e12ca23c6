"""Parameters: alert text gets into a command only if it fits a narrow form."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.runbook import Parameter, ParameterType

TYPES = list(ParameterType)
SHELL = set(" \t\r\n\v\f\0;&|<>$`\"'()[]{}*?!#~=%^,")
NASTY = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="-./\\;&|$`'\" \n@:abc012", max_size=30),
    st.sampled_from(["-rf", "--config=/etc/x", "$(reboot)", "`reboot`", "a;b", "a b", "../x", "/a/../b", "a\n", "/\n"]),
)


def a_parameter(kind: ParameterType, **settings: object) -> Parameter:
    return Parameter(name="unit", type=kind, label="name", **settings)  # type: ignore[arg-type]


def accepted(kind: ParameterType, value: str) -> str | None:
    """The value if it gets through; `default` is none, so an empty one counts as missing."""
    try:
        return a_parameter(kind).value({"name": value})
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ParameterType.NAME, "web_1.prod-a"),
        (ParameterType.UNIT, "nginx.service"),
        (ParameterType.UNIT, "getty@tty1.service"),
        (ParameterType.UNIT, "dev-disk\\x2did.mount"),
        (ParameterType.HOST, "db-1.example.org"),
        (ParameterType.PATH, "/var/log/app.log"),
        (ParameterType.PATH, "/"),
        (ParameterType.INTEGER, "0042"),
    ],
)
def test_what_fits_its_type_gets_through_unchanged(kind: ParameterType, value: str) -> None:
    assert accepted(kind, value) == value


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "value",
    [
        "-x",
        "--help",
        "a b",
        "a;reboot",
        "$(reboot)",
        "`reboot`",
        "a|b",
        "a&b",
        "a>b",
        "a'b",
        'a"b',
        "a\nb",
        "a\n",
        "a\0b",
        "*",
        "~root",
        "é",
        "../etc/passwd",
        "/a/../etc",
        "/..",
        "{{ x }}",
        "1\n",
        "/x\n",
        "x" * 300,
        "/" + "x" * 300,
        "9" * 20 + "é",
        "٣",
    ],
)
def test_options_shell_text_and_paths_that_climb_get_through_no_type(kind: ParameterType, value: str) -> None:
    assert accepted(kind, value) is None


@given(st.sampled_from(TYPES), NASTY)
def test_nothing_that_gets_through_can_be_an_option_shell_text_or_a_climbing_path(
    kind: ParameterType, value: str
) -> None:
    got = accepted(kind, value)
    if got is None:
        return
    assert got == value
    assert not got.startswith("-")
    assert not SHELL & set(got)
    assert got.isascii()
    assert got.isprintable()
    assert ".." not in got.split("/")
    assert shlex.split(shlex.quote(got)) == [got]
    assert kind is ParameterType.PATH or "/" not in got


@given(NASTY)
def test_what_an_integer_lets_through_is_a_whole_number(value: str) -> None:
    got = accepted(ParameterType.INTEGER, value)
    assert got is None or int(got) >= 0


def test_only_a_path_may_begin_with_a_slash_and_it_must() -> None:
    assert [kind for kind in TYPES if accepted(kind, "/etc")] == [ParameterType.PATH]
    assert accepted(ParameterType.PATH, "etc") is None


def test_a_missing_or_empty_label_takes_the_default() -> None:
    parameter = a_parameter(ParameterType.UNIT, default="nginx.service")
    assert parameter.value({}) == "nginx.service"
    assert parameter.value({"name": ""}) == "nginx.service"
    assert parameter.value({"name": "other.service"}) == "other.service"


def test_a_default_is_checked_like_any_value() -> None:
    with pytest.raises(ValueError, match="is not a unit"):
        a_parameter(ParameterType.UNIT, default="--now").value({})


def test_without_label_and_default_the_sentence_names_the_label() -> None:
    with pytest.raises(ValueError, match=r"^parameter unit: the alert has no label name$"):
        a_parameter(ParameterType.UNIT).value({})


def test_a_parameter_without_a_label_takes_nothing_from_the_alert() -> None:
    parameter = Parameter(name="unit", type=ParameterType.UNIT, default="nginx.service")
    assert parameter.value({"": "evil.service", "unit": "evil.service"}) == "nginx.service"


def test_only_what_the_allow_list_names_gets_through() -> None:
    parameter = a_parameter(ParameterType.UNIT, allow=("nginx.service", "redis.service"))
    assert parameter.value({"name": "redis.service"}) == "redis.service"
    with pytest.raises(ValueError, match=r"'sshd.service' is not one of nginx.service, redis.service"):
        parameter.value({"name": "sshd.service"})


def test_an_allow_list_does_not_widen_the_type() -> None:
    with pytest.raises(ValueError, match="is not a unit"):
        a_parameter(ParameterType.UNIT, allow=("--now",)).value({"name": "--now"})


def test_a_pattern_must_match_the_whole_value() -> None:
    parameter = a_parameter(ParameterType.UNIT, pattern=re.compile(r"[\w@.:-]+\.service"))
    assert parameter.value({"name": "nginx.service"}) == "nginx.service"
    for other in ("nginx.timer", "nginx.service.d"):
        with pytest.raises(ValueError, match="does not match"):
            parameter.value({"name": other})


def test_a_very_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(ValueError, match="is not a name") as raised:
        a_parameter(ParameterType.NAME).value({"name": "x " * 5000})
    assert len(str(raised.value)) < 150
