"""Tests of runbooks: the real engine on hosts that answer what a test says, and what a failing test shows."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from responder.domain.runbook import RunOutcome
from responder.errors import ConfigError
from responder.firstaid.loader import load_runbooks
from responder.firstaid.ports import Ended
from responder.firstaid.testing.life import Life
from responder.firstaid.testing.loading import load_suite
from responder.firstaid.testing.patterns import fits, nearest, parse_pattern, shown
from responder.firstaid.testing.runner import CaseResult, objection, run_suite
from responder.firstaid.testing.suite import runbooks_without_tests, suite_files
from responder.firstaid.testing.world import Acted, World

CHECKED = """
    runbook: fix-it
    summary: Fix it
    steps:
      - name: fix
        ssh: {run: [fix, "--now"], check: [is-well], timeout: 30s}
"""
ONCE = """
    runbook: fix-it
    summary: Fix it
    steps:
      - name: fix
        ssh: {run: [fix, "--now"], once: nothing can tell}
"""
TWO = """
    runbook: fix-it
    summary: Fix it
    steps:
      - name: fix
        ssh: {run: [fix, "--now"], check: [is-well], timeout: 30s}
      - name: polish
        ssh: {run: [polish], once: nothing can tell}
"""
HOST = """
    target: web-1
    hosts:
      web-1:
        - {when: is-well, if: fixed}
        - {when: is-well, exit_code: 1}
        - {when: fix --now, then: fixed}
        - {when: polish}
"""


def result_of(folder: Path, runbook: str, test: str, around: str = HOST) -> CaseResult:
    """The one test in a file, which is given without its name."""
    (folder / "fix-it.yml").write_text(dedent(runbook))
    body = indent(dedent(test).strip(), "    ")
    path = folder / "fix-it.test.yml"
    path.write_text(f"runbook: fix-it\n{dedent(around)}\ntests:\n  - name: it\n{body}\n")
    (one,) = run_suite(load_suite(path))
    return one


def complaint(one: CaseResult) -> str:
    (problem,) = one.problems
    return problem.text


# --- a passing test --------------------------------------------------------------------------------


def test_the_real_engine_looks_acts_and_looks_again(tmp_path: Path) -> None:
    one = result_of(tmp_path, CHECKED, "expect: {outcome: helped, acts: [web-1: fix --now], steps: {fix: done}}")
    assert one.is_good, one.problems


@pytest.mark.parametrize(
    "act", ["web-1: fix --now", "fix --now", '"web-1: fix --now"', "fix ...", '"fix =~--n.w"', "web-1: [fix, --now]"]
)
def test_an_act_may_be_written_in_several_ways(tmp_path: Path, act: str) -> None:
    one = result_of(tmp_path, CHECKED, f"expect:\n  outcome: helped\n  acts:\n    - {act}")
    assert one.is_good, one.problems


def test_a_test_s_own_rule_comes_before_those_of_the_file(tmp_path: Path) -> None:
    test = """
        hosts: {web-1: [{when: is-well}]}
        expect: {outcome: helped, acts: []}
    """
    assert result_of(tmp_path, CHECKED, test).is_good


def test_answers_come_one_after_the_other_and_the_last_stays(tmp_path: Path) -> None:
    around = """
        target: web-1
        promql:
          - when: up{job="x"}
            answers: [{values: [0]}, {error: no answer}, {values: [1]}]
    """
    runbook = """
        runbook: fix-it
        summary: Wait
        steps:
          - promql: {expr: 'up{job="x"}', expect: "== 1", within: 1m, every: 5s}
          - promql: {expr: 'up{job="x"}', expect: "== 1"}
    """
    assert result_of(tmp_path, runbook, "expect: {outcome: diagnosed, within: 10s}", around).is_good
    late = result_of(tmp_path, runbook, "expect: {outcome: diagnosed, within: 9s}", around)
    assert complaint(late) == "expected an end within 9s, but the run took 10s"


def test_the_clock_jumps_over_waits_and_counts_them(tmp_path: Path) -> None:
    runbook = """
        runbook: fix-it
        summary: Wait
        timeout: 3h
        steps: [{wait: {for: 2h}}]
    """
    assert result_of(tmp_path, runbook, "expect: {outcome: diagnosed, within: 2h}", "target: web-1").is_good


def test_states_of_one_host_are_not_those_of_another(tmp_path: Path) -> None:
    runbook = """
        runbook: fix-it
        summary: Fix all
        steps:
          - foreach:
              group: web
              steps: [{name: fix, ssh: {run: [fix], check: [is-well]}}]
    """
    around = """
        target: {name: web-1, groups: [web]}
        inventory: [{name: web-2, groups: [web]}]
        hosts:
          "*":
            - {when: is-well, if: fixed}
            - {when: is-well, exit_code: 1}
            - {when: fix, then: fixed}
    """
    test = """
        states: fixed on web-2
        expect: {outcome: helped, acts: [web-1: fix], steps: {fix on web-2: done}}
    """
    one = result_of(tmp_path, runbook, test, around)
    assert one.is_good, one.problems


def test_a_url_sees_what_a_host_has_become(tmp_path: Path) -> None:
    runbook = """
        runbook: fix-it
        summary: Fix it
        steps:
          - ssh: {run: [fix, --now], once: because}
          - http: {url: "http://web-1/health", json: {state: up}}
    """
    around = f"""{HOST}
    urls:
      - {{when: http://web-1/health, if: fixed, json: {{state: up}}}}
      - {{when: http://web-1/health, status: 503}}
    """
    assert result_of(tmp_path, runbook, "expect: {outcome: helped}", around).is_good


def test_a_request_is_an_act_and_a_question_is_none(tmp_path: Path) -> None:
    runbook = """
        runbook: fix-it
        summary: Drain it
        steps:
          - http: {url: "http://lb/drain", method: POST, body: web-1, check: "http://lb/state", contains: drained}
    """
    around = """
        target: web-1
        urls:
          - {when: POST http://lb/drain, body_contains: web-1, then: drained}
          - {when: http://lb/state, if: drained, text: drained}
          - {when: http://lb/state, text: open}
    """
    for act in ("POST http://lb/drain", "POST http://lb/drain web-1"):
        one = result_of(tmp_path, runbook, f"expect: {{outcome: helped, acts: ['{act}']}}", around)
        assert one.is_good, one.problems
    assert not result_of(
        tmp_path, runbook, "expect: {outcome: helped, acts: [POST http://lb/drain web-2]}", around
    ).is_good


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("target: {name: web-1, variables: {tool: fixer}}", "helped, acts: [web-1: fixer]"),
        ("target: {name: web-9, variables: {tool: fixer}}", "helped, acts: [web-9: fixer]"),
        ("target: web-2", "helped, acts: [web-2: fixer-2]"),
        ("inventory: [{name: web-2, variables: {tool: fixer}}]\ntarget: web-2", "helped, acts: [web-2: fixer]"),
        ("target: {name: web-1, address: 192.0.2.1}", "refused, acts: []"),
    ],
)
def test_a_test_may_have_a_target_and_an_inventory_of_its_own(tmp_path: Path, test: str, expected: str) -> None:
    runbook = """
        runbook: fix-it
        summary: Fix it
        steps: [{ssh: {run: ["{{ vars.tool }}"], once: because}}]
    """
    around = """
        target: {name: web-1, variables: {tool: fixer-1}}
        inventory: [{name: web-2, variables: {tool: fixer-2}}]
        hosts: {"*": [{when: =~fixer.*}]}
    """
    one = result_of(tmp_path, runbook, f"{test}\nexpect: {{outcome: {expected}}}", around)
    assert one.is_good, one.problems


# --- what happens meanwhile ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ("cleared_after: fix", "helped"),
        ("taken_after: fix", "cancelled"),
        ("kill_switch_after: fix", "cancelled"),
        ("unreachable: web-1", "failed"),
    ],
)
def test_what_happens_meanwhile_keeps_the_next_step_from_starting(tmp_path: Path, event: str, outcome: str) -> None:
    one = result_of(tmp_path, TWO, f"{event}\nexpect: {{outcome: {outcome}, never: [polish]}}")
    assert one.is_good, one.problems


def test_the_all_clear_does_not_stop_a_run_that_finishes_all(tmp_path: Path) -> None:
    runbook = TWO.replace("steps:", "on_resolve: finish_all\n    steps:")
    test = "cleared_after: fix\nexpect: {outcome: helped, acts: [fix --now, polish]}"
    assert result_of(tmp_path, runbook, test).is_good


APPROVED = """
    runbook: fix-it
    summary: Ask
    timeout: 1h
    steps:
      - name: ask
        approval: {question: May I?, within: 10m}
      - name: fix
        ssh: {run: [fix, --now], once: because}
"""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("yes", "outcome: helped, within: 0s, acts: [fix --now], asked: May I"),
        ("{answer: yes, after: 3m}", "outcome: helped, within: 3m"),
        ("{answer: yes, after: 11m}", "outcome: failed, acts: [], within: 10m"),
        ("no", "outcome: failed, acts: [], within: 0s"),
        ("none", "outcome: failed, acts: [], message: nobody answered within 10m"),
    ],
)
def test_people_answer_as_the_test_says(tmp_path: Path, answer: str, expected: str) -> None:
    one = result_of(tmp_path, APPROVED, f"approvals: {{ask: {answer}}}\nexpect: {{{expected}}}")
    assert one.is_good, one.problems


def test_a_question_to_people_needs_an_answer_in_the_test(tmp_path: Path) -> None:
    assert "say under approvals:" in complaint(result_of(tmp_path, APPROVED, "expect: {outcome: helped}"))


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        ("error: unreachable", "failed"),
        ("error: cut", "unknown"),
        ("error: timed out", "failed"),
        ("error: hung", "unknown"),
        ("error: wrong host key", "failed"),
        ("error: login refused", "failed"),
        ("takes: 31s", "failed"),
        ("takes: 29s", "helped"),
    ],
)
def test_trouble_with_a_host_ends_as_it_would_for_real(tmp_path: Path, trouble: str, outcome: str) -> None:
    test = f"hosts: {{web-1: [{{when: fix ..., then: fixed, {trouble}}}]}}\nexpect: {{outcome: {outcome}}}"
    one = result_of(tmp_path, CHECKED, test)
    assert one.is_good, one.problems


def test_what_takes_time_moves_the_clock(tmp_path: Path) -> None:
    slow = "hosts: {web-1: [{when: fix ..., then: fixed, takes: 20s}]}\nexpect: {outcome: helped, within: %s}"
    assert result_of(tmp_path, CHECKED, slow % "20s").is_good
    assert not result_of(tmp_path, CHECKED, slow % "19s").is_good


def test_the_all_clear_does_not_part_what_must_not_be_parted(tmp_path: Path) -> None:
    runbook = """
        runbook: fix-it
        summary: Fix it
        steps:
          - unbreakable:
              - {name: fix, ssh: {run: [fix, --now], once: because}}
              - {name: polish, ssh: {run: [polish], once: because}}
    """
    test = "cleared_after: fix\n%sexpect: {outcome: %s, acts: [%s]}"
    assert result_of(tmp_path, runbook, test % ("", "helped", "fix --now, polish")).is_good
    stopped = test % ("kill_switch_after: fix\n", "helped", "fix --now")
    assert result_of(tmp_path, runbook, stopped).is_good


# --- a failing test --------------------------------------------------------------------------------


def test_a_command_that_nothing_answers_fails_with_the_nearest_rule(tmp_path: Path) -> None:
    around = "target: web-1\nhosts: {web-1: [{when: is-well, exit_code: 1}, {when: fix --later}]}"
    assert complaint(result_of(tmp_path, CHECKED, "expect: {outcome: helped}", around)) == (
        "nothing under hosts: answers on web-1: fix --now. The nearest `when` is: fix --later"
    )


def test_a_rule_that_fits_but_whose_state_does_not_hold_is_named(tmp_path: Path) -> None:
    around = "target: web-1\nhosts: {web-1: [{when: is-well, if: fixed}]}"
    said = complaint(result_of(tmp_path, CHECKED, "expect: {outcome: helped}", around))
    assert said.endswith("The `when` fits, but not its if:, become: or stdin: (`is-well`).")


def test_other_acts_than_expected_are_shown_as_a_difference(tmp_path: Path) -> None:
    test = "expect: {outcome: helped, acts: [fix ..., reboot]}"
    assert complaint(result_of(tmp_path, TWO, test)).splitlines() == [
        "other acts than expected (- expected, + real):",
        "      web-1: fix --now",
        "    - web-1: reboot",
        "    + web-1: polish",
    ]


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("outcome: failed", "expected the outcome failed, but it is helped"),
        ("outcome: helped, acts: []", "other acts than expected"),
        ("outcome: helped, acts: [fix --now, fix --now]", "other acts than expected"),
        ("outcome: helped, never: [fix ...]", "this must never happen, but did: web-1: fix --now"),
        ("outcome: helped, message: rolled back", "expected the message to contain 'rolled back'"),
        ("outcome: helped, steps: {fix: failed}", "expected the step 'fix' to be failed, but it is done"),
        ("outcome: helped, told: hello", "expected 'hello', but there is nothing"),
        ("outcome: helped, asked: hello", "expected 'hello', but there is nothing"),
        ("outcome: helped, attachments: [df]", "expected 'df', but there is nothing"),
    ],
)
def test_what_is_not_as_expected_fails_with_a_sentence(tmp_path: Path, expected: str, said: str) -> None:
    one = result_of(tmp_path, CHECKED, f"expect: {{{expected}}}")
    assert complaint(one).startswith(said)


def test_a_failure_names_the_place_of_the_expectation(tmp_path: Path) -> None:
    one = result_of(tmp_path, CHECKED, "expect:\n  outcome: helped\n  message: rolled back")
    (problem,) = one.problems
    line = (tmp_path / "fix-it.test.yml").read_text().splitlines()[problem.line - 1]
    assert line[problem.column - 1 :] == "message: rolled back"


# --- crashes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("runbook", [CHECKED, ONCE, TWO], ids=["checked", "once", "two steps"])
def test_a_sound_runbook_survives_a_crash_at_every_point(tmp_path: Path, runbook: str) -> None:
    one = result_of(tmp_path, runbook, "crash: everywhere\nexpect: {outcome: helped}")
    assert one.is_good, one.problems
    assert one.lives > 10


def test_success_that_is_claimed_after_a_crash_without_the_act_fails(tmp_path: Path) -> None:
    # The check passes the second time whether or not the act happened: after a crash that looks like success.
    test = """
        crash: everywhere
        hosts: {web-1: [{when: is-well, answers: [{exit_code: 1}, {exit_code: 0}]}]}
        expect: {outcome: helped}
    """
    said = complaint(result_of(tmp_path, CHECKED, test))
    assert said.startswith("the process dies ")
    assert said.endswith("the run claims success, but this never ran: web-1: fix --now")


def a_life(outcome: RunOutcome, *acts: str, is_repeatable: bool = False) -> Life:
    acted = [Acted(host="web-1", argv=(act,), is_repeatable=is_repeatable) for act in acts]
    return Life(world=World(targets=(), hosts={}, acted=acted), ended=Ended(outcome=outcome, sentence=""))


def test_an_act_that_a_crash_lets_run_again_fails() -> None:
    whole = a_life(RunOutcome.HELPED, "fix", "polish", "polish")
    assert objection(whole, a_life(RunOutcome.UNKNOWN, "fix", "polish", "polish")) == ""
    assert "this runs 2 times: web-1: fix" in objection(whole, a_life(RunOutcome.UNKNOWN, "fix", "fix"))
    assert "this runs 2 times: web-1: undo" in objection(whole, a_life(RunOutcome.FAILED, "undo", "undo"))
    assert objection(whole, a_life(RunOutcome.UNKNOWN, "fix", "fix", is_repeatable=True)) == ""


def test_success_that_only_a_crash_brings_fails() -> None:
    whole = a_life(RunOutcome.FAILED, "fix")
    assert "claims success, but in one piece it is failed" in objection(whole, a_life(RunOutcome.HELPED, "fix"))
    assert objection(whole, a_life(RunOutcome.UNKNOWN, "fix")) == ""


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("  - name: a\n    expect: {outcome: helpd}\n", (5, 14), "expected 'helped', 'diagnosed'"),
        ("  - name: a\n    exept: {}\n    expect: {outcome: helped}\n", (5, 5), "tests.0.exept is not known here"),
        ("  - name: a\n    hosts: {web-9: []}\n    expect: {outcome: helped}\n", (5, 13), "web-9 is no target"),
        ("  - name: a\n    cleared_after: x\n    expect: {outcome: helped}\n", (5, 5), "has no step 'x'; it has fix"),
        ("  - name: a\n    expect: {outcome: helped, acts: [db: x]}\n", (5, 38), "db is no target"),
        ("  - name: a\n    expect: {outcome: helped, acts: ['=~(']}\n", (5, 38), "is not a regular expression"),
        (
            "  - name: a\n    expect: &e {outcome: helped}\n  - name: a\n    expect: *e\n",
            (6, 5),
            "two tests called 'a'",
        ),
    ],
)
def test_a_wrong_test_file_names_the_place(tmp_path: Path, text: str, place: tuple[int, int], said: str) -> None:
    (tmp_path / "fix-it.yml").write_text(dedent(CHECKED))
    path = tmp_path / "fix-it.test.yml"
    path.write_text(f"runbook: fix-it\ntarget: web-1\ntests:\n{text}")
    with pytest.raises(ConfigError) as caught:
        load_suite(path)
    problem = caught.value.problems[0]
    assert said in problem.text
    assert (problem.line, problem.column) == place


def test_a_runbook_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.test.yml"
    path.write_text("runbook: fix-it\ntarget: web-1\ntests: [{name: a, expect: {outcome: helped}}]\n")
    with pytest.raises(ConfigError, match="there is no runbook fix-it in"):
        load_suite(path)


def test_a_runbook_is_found_by_its_name_or_by_file(tmp_path: Path) -> None:
    below = tmp_path / "tests"
    below.mkdir()
    (tmp_path / "other.yml").write_text(dedent(CHECKED))
    text = "runbook: fix-it\ntarget: web-1\ntests: [{name: a, expect: {outcome: helped}}]\n"
    (tmp_path / "a.test.yml").write_text(text)
    (below / "a.test.yml").write_text("file: ../other.yml\n" + text)
    assert load_suite(tmp_path / "a.test.yml").runbook.name == "fix-it"
    assert load_suite(below / "a.test.yml").runbook.name == "fix-it"
    assert suite_files([tmp_path]) == [tmp_path / "a.test.yml", below / "a.test.yml"]


def test_the_service_takes_no_test_for_a_runbook(tmp_path: Path) -> None:
    result_of(tmp_path, CHECKED, "expect: {outcome: helped}")
    assert list(load_runbooks([tmp_path])) == ["fix-it"]
    assert runbooks_without_tests([tmp_path]) == []
    (tmp_path / "fix-it.test.yml").unlink()
    assert runbooks_without_tests([tmp_path]) == [tmp_path / "fix-it.yml"]


# --- patterns --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "argv", "result"),
    [
        ("a b", ["a", "b"], True),
        ("a b", ["a", "b", "c"], False),
        ("a ...", ["a"], True),
        ("... c", ["a", "b", "c"], True),
        ("a ... c", ["a", "c"], True),
        ("a ... c", ["a", "c", "d"], False),
        ("a '=~\\d+'", ["a", "12"], True),
        ("a '=~\\d+'", ["a", "12x"], False),
        ("a 'b c'", ["a", "b c"], True),
        ("a b c", ["a", "b c"], False),
    ],
)
def test_a_pattern_fits_whole_arguments(pattern: str, argv: list[str], result: bool) -> None:
    assert fits(parse_pattern(pattern), argv) is result


def test_a_shown_command_is_a_pattern_that_it_fits() -> None:
    argv = ["/bin/sh", "-c", "one\ntwo", "it's", "$x", ""]
    assert shown(argv).startswith("/bin/sh -c ... ")
    assert fits(parse_pattern(shown(argv)), argv)


def test_the_nearest_pattern_has_most_in_common() -> None:
    assert nearest(["a", "b", "c"], [("x",), ("a", "b", "d"), ("a", "x", "y")]) == ("a", "b", "d")
    assert nearest(["a"], [("x",)]) is None
