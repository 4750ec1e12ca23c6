"""Templates: sandboxed, strict, value by value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.firstaid.rendering import names_used, render

CONTEXT = {"unit": "nginx.service", "target": "web-1"}


def test_names_are_filled_in_wherever_they_stand() -> None:
    value = {
        "run": ["systemctl", "restart", "{{ unit }}"],
        "on": {"host": "{{ target }}:{{ unit }}"},
        "n": 3,
        "b": None,
    }
    assert render(value, CONTEXT) == {
        "run": ["systemctl", "restart", "nginx.service"],
        "on": {"host": "web-1:nginx.service"},
        "n": 3,
        "b": None,
    }


def test_text_without_a_template_stays_to_the_letter() -> None:
    assert render("100% $HOME `x` \\n & <b>\n", {}) == "100% $HOME `x` \\n & <b>\n"


def test_nothing_is_escaped_for_html() -> None:
    assert render("{{ x }}", {"x": "<a&b>"}) == "<a&b>"


@given(st.text())
def test_one_argument_stays_one_argument_whatever_the_value_is(value: str) -> None:
    assert render(["echo", "{{ x }}", "end"], {"x": value}) == ["echo", value, "end"]


@given(st.text())
def test_a_value_is_never_read_as_a_template_itself(value: str) -> None:
    inside = "{{ 7 * 7 }}" + value
    assert render("{{ x }}", {"x": inside}) == inside


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ unit.__init__ }}",
        "{{ unit.__class__.__base__.__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(unit) }}",
        "{{ '{x.__class__}'.format_map({'x': unit}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ [].append(1) }}",
        "{{ {}.update({}) }}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{% for i in range(1000000) %}{% endfor %}",
    ],
)
def test_no_template_gets_out_of_the_sandbox(template: str) -> None:
    with pytest.raises(ValueError, match=r"^the template .* cannot be filled in: "):
        render(template, CONTEXT)


@pytest.mark.parametrize("template", ["{{ nobody }}", "{{ unit.nobody }}x", "{{ unit[99] }}", "{{ nobody.x }}"])
def test_a_name_that_is_not_given_is_a_mistake_and_not_an_empty_text(template: str) -> None:
    with pytest.raises(ValueError, match="cannot be filled in"):
        render(template, CONTEXT)


@pytest.mark.parametrize("template", ["{{ 1 / 0 }}", "{{ 'x'|int + 'y' }}", "{{ 'x'.index('y') }}"])
def test_a_template_that_goes_wrong_is_refused_with_a_sentence(template: str) -> None:
    with pytest.raises(ValueError, match="cannot be filled in"):
        render(template, CONTEXT)


def test_the_names_that_templates_ask_for_are_found_everywhere() -> None:
    value = {"a": ["{{ unit }}", {"b": "{% if flag %}{{ target }}{% endif %}"}], "c": 3, "d": "plain"}
    assert names_used(value) == {"unit", "flag", "target"}


def test_a_name_that_the_template_makes_itself_is_not_asked_for() -> None:
    assert names_used("{% set x = 1 %}{{ x }}{% for y in [1] %}{{ y }}{% endfor %}") == set()


@pytest.mark.parametrize("template", ["{{ unit", "{% if %}", "{{ }}", "{% nonsense %}", "{{ unit | nofilter }}"])
def test_a_broken_template_is_refused_with_a_sentence(template: str) -> None:
    with pytest.raises(ValueError, match="the template"):
        names_used([template])
