"""The linter: each rule by the examples of its page, and the comments that silence it."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from responder.config.configuration import Configuration, read
from responder.config.inventory_lint import INVENTORY_RULES
from responder.config.lint import POLICY_RULES, RUNBOOK_RULES, findings
from responder.config.people_lint import PEOPLE_RULES
from responder.config.rota_lint import ROTA_RULES
from responder.errors import ConfigError
from responder.firstaid.lint.catalog import INVALID, NO_LOOK, RULES, linted, refused
from responder.firstaid.lint.finding import Finding, Severity
from responder.firstaid.lint.ignores import BAD_IGNORE, USELESS_IGNORE
from responder.firstaid.lint.sheet import read_sheet
from responder.firstaid.loader import runbook_files
from tests.fakes import REPOSITORY

PAGE = (REPOSITORY / "docs" / "lint.md").read_text()
SHIPPED = REPOSITORY / "responder" / "runbooks"
ONE_RUNBOOK, TOGETHER = PAGE.split("# One runbook\n")[1].split("# All files together\n")
_SECTION = re.compile(
    r"^## (\S+)\n\n(\w+)\. .*?```yaml\n(.*?)```\n\nBetter:\n\n```yaml\n(.*?)```", re.DOTALL | re.MULTILINE
)


def sections(text: str) -> dict[str, tuple[str, str, str]]:
    """By rule: its severity, the bad example and the good one."""
    return {found[1]: (found[2], found[3], found[4]) for found in _SECTION.finditer(text)}


EXAMPLES = sections(ONE_RUNBOOK)
COMMENTS = sections(TOGETHER.split("# The comments themselves\n")[1])


def written(folder: Path, text: str) -> Path:
    """A runbook of these lines, and of what else a runbook must have."""
    head = "" if "runbook:" in text else "runbook: example\nsummary: An example\n"
    head += "" if "timeout:" in text or "runbook:" in text else "timeout: 10m\n"
    tail = "" if "steps:" in text else 'steps:\n  - check: {command: ["true"]}\n'
    path = folder / "example.yml"
    path.write_text(f"{head}{text.rstrip()}\n{tail}")
    return path


def found_in(path: Path) -> list[Finding]:
    try:
        return linted(read_sheet(path))
    except ConfigError as error:
        return [refused(problem) for problem in error.problems]


def rules_of(folder: Path, text: str) -> list[str]:
    return [one.rule for one in found_in(written(folder, dedent(text).strip()))]


# --- the page --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", EXAMPLES | COMMENTS)
def test_the_bad_example_of_a_rule_is_found_and_the_good_one_not(tmp_path: Path, rule: str) -> None:
    severity, bad, good = (EXAMPLES | COMMENTS)[rule]
    mine = [one for one in found_in(written(tmp_path, bad)) if one.rule == rule]
    assert [one.severity for one in mine] == [Severity(severity)], bad
    assert found_in(written(tmp_path, good)) == []


@pytest.mark.parametrize("rule", EXAMPLES)
def test_nothing_else_is_wrong_with_a_bad_example(tmp_path: Path, rule: str) -> None:
    others = {one.rule for one in found_in(written(tmp_path, EXAMPLES[rule][1]))} - {rule}
    assert others <= {"no-verification", "timeout-too-short", "long-timeout"}


def test_every_rule_has_a_section_and_every_section_a_rule() -> None:
    ids = {rule.id for rule in RULES} | {NO_LOOK}
    assert set(EXAMPLES) == ids
    catalogs = (RUNBOOK_RULES, POLICY_RULES, INVENTORY_RULES, PEOPLE_RULES, ROTA_RULES)
    together = {rule.id for catalog in catalogs for rule in catalog}
    assert set(sections(TOGETHER)) - set(COMMENTS) == together - ids
    assert set(COMMENTS) == {BAD_IGNORE, USELESS_IGNORE}
    assert f"## {INVALID}\n" in PAGE


def test_a_finding_says_its_place_its_severity_and_its_page(tmp_path: Path) -> None:
    path = written(tmp_path, EXAMPLES["shell"][1])
    (finding,) = found_in(path)
    assert str(finding).startswith(f"{path}:5:31: warning: a text for a shell")
    assert str(finding).endswith("[docs/lint.md#shell]")


# --- what the examples do not show -----------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        '[bash, -c, "x {{ target }}"]',
        '[/bin/sh, -ec, "x {{ target }}"]',
        '[sudo, -n, sh, -c, "x {{ target }}"]',
        '[env, A=b, sh, -c, "x {{ target }}"]',
        '[python3, -c, "print({{ target }})"]',
        '[timeout, "5", bash, -lc, "x {{ target }}"]',
        '[su, app, -c, "x {{ target }}"]',
    ],
)
def test_a_template_in_a_shell_s_text_is_found_wherever_the_shell_hides(tmp_path: Path, argv: str) -> None:
    assert "shell-parameter" in rules_of(tmp_path, f"steps: [{{check: {{command: {argv}}}}}]")


@pytest.mark.parametrize(
    "argv", ['[grep, -c, "{{ target }}", f]', '[sh, "{{ target }}.sh"]', '[curl, -c, "{{ target }}"]']
)
def test_what_only_resembles_a_shell_s_text_is_let_through(tmp_path: Path, argv: str) -> None:
    assert rules_of(tmp_path, f"steps: [{{check: {{command: {argv}}}}}]") == []


def test_a_shell_is_found_in_the_settings_of_a_driver(tmp_path: Path) -> None:
    text = """
        steps:
          - switchover:
              driver: command
              to: web-2
              service:
                old_active: {run: [is-active], on: old}
                new_active: {run: [is-active], on: new}
                fence: {run: [sh, -c, "fence {{ target }}"], on: new}
                fenced: {run: [is-fenced], on: new}
                promote: {run: [promote], on: new}
              verify: {url: "http://192.0.2.10/health"}
    """
    findings_ = found_in(written(tmp_path, dedent(text).strip()))
    assert [(one.rule, one.problem.line) for one in findings_ if one.severity is Severity.ERROR] == [
        ("shell-parameter", 11)
    ]


@pytest.mark.parametrize(
    "text",
    [
        'steps: [{check: {command: [x, "--token=abcdef123456"]}}]',
        "steps: [{check: {command: [x, --password, abcdef123456]}}]",
        'steps: [{http: {url: "http://a/x?api_key=abcdef123456"}}]',
        "steps: [{check: {command: [psql, 'postgres://me:geheim@db/x']}}]",
        "steps: [{notify: {text: 'ghp_abcdefghijklmnopqrstuvwxyz0123'}}]",
        "steps: [{http: {url: 'http://a', method: POST, check: 'http://a', headers: {X-Api-Key: abcdef123456}}}]",
        "parameters: {p: {type: name, default: AKIAABCDEFGHIJKLMNOP}}\nsteps: [{check: {command: ['{{ p }}']}}]",
    ],
)
def test_a_secret_is_found_in_any_form(tmp_path: Path, text: str) -> None:
    assert "secret-in-clear" in rules_of(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        'steps: [{check: {command: [x, "--token-file=/etc/token"]}}]',
        "steps: [{check: {command: [x, --password-file, /etc/password]}}]",
        "steps: [{check: {command: [x, --password, '{{ target }}']}}]",
        "steps: [{check: {command: [x, 'token={{target}}']}}]",
        "steps: [{http: {url: 'http://a', credential_file: /etc/token}}]",
        "steps: [{notify: {text: 'Rotate the token: the vault page says how'}}]",
    ],
)
def test_what_only_speaks_of_secrets_is_let_through(tmp_path: Path, text: str) -> None:
    assert rules_of(tmp_path, text) == []


@pytest.mark.parametrize("pattern", ["'.*'", '".+"'])
def test_a_pattern_that_takes_everything_narrows_nothing(tmp_path: Path, pattern: str) -> None:
    text = EXAMPLES["loose-parameter"][1].replace("label: name", f"label: name, pattern: {pattern}")
    assert rules_of(tmp_path, text) == ["loose-parameter"]


def test_steps_inside_blocks_and_rollbacks_are_looked_at_too(tmp_path: Path) -> None:
    text = """
        steps:
          - foreach:
              group: web
              steps:
                - unbreakable:
                    - {name: a, check: {command: [sh, -c, a]}}
                    - {name: b, check: {command: [sh, -c, b]}}
          - name: c
            ssh: {run: [c], check: [c]}
            rollback:
              - {name: d, ssh: {run: [sh, -c, d], check: [d]}}
        on_failure:
          - {name: e, check: {command: [sh, -c, e]}}
        always:
          - {name: f, check: {command: [sh, -c, f]}}
    """
    assert rules_of(tmp_path, text) == ["shell"] * 5


# --- comments that silence -------------------------------------------------------------------------

SHELL = "check: {command: [sh, -c, ready]}"


@pytest.mark.parametrize(
    "text",
    [
        f"steps:\n  - {SHELL}  # lint: ignore shell because the vendor wants it\n",
        f"steps:\n  # lint: ignore shell because the vendor wants it\n  - {SHELL}\n",
        f"steps:\n  # lint: ignore shell because the vendor wants it\n  # and another word\n  - {SHELL}\n",
        f"steps:\n  # lint: ignore no-precheck, shell because the vendor wants it\n  - {SHELL}\n",
    ],
)
def test_a_comment_with_a_reason_silences_the_rule_at_its_place(tmp_path: Path, text: str) -> None:
    assert rules_of(tmp_path, text) == []


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("# lint: ignore shell", {"shell", "bad-ignore"}),
        ("# lint: ignore shell because", {"shell", "bad-ignore"}),
        ("# lint: ignore because I say so", {"shell", "bad-ignore"}),
        ("# lint: ignore shell the vendor wants it", {"shell", "bad-ignore"}),
        ("# lint: ignore same-name because it is another rule", {"shell", "useless-ignore"}),
    ],
)
def test_a_comment_without_a_rule_or_a_reason_silences_nothing(tmp_path: Path, comment: str, rules: set[str]) -> None:
    assert set(rules_of(tmp_path, f"steps:\n  {comment}\n  - {SHELL}\n")) == rules


def test_a_comment_silences_only_its_own_line(tmp_path: Path) -> None:
    comment = "# lint: ignore shell because the vendor wants it"
    text = f"steps:\n  {comment}\n  - {{name: a, {SHELL}}}\n  - {{name: b, {SHELL}}}\n"
    (finding,) = found_in(written(tmp_path, text))
    assert finding.problem.line == 7


# --- all files together ----------------------------------------------------------------------------

INVENTORY = """\
defaults: {key_file: key}
targets:
  - {name: web-1, groups: [web], variables: {port: "80", standby: db-2, pool: db}}
  - {name: web-2, groups: [web], variables: {empty: ""}}
  - {name: db-1, groups: [db]}
  - {name: db-2, groups: [db]}
"""
RUNBOOK = "runbook: mine\nsummary: Mine\ntimeout: 5m\n"
USE = "{name: mine, when: ['alertname=\"X\"'], runbook: mine}"


def configured(folder: Path, steps: str = "", first_aid: str = USE, budgets: str = "[]") -> Configuration:
    """A configuration with one runbook of these steps."""
    files = {
        "responder.yml": "sources: [{name: am, open: true}]\nrunbooks: [runbooks]\nsecret_file: secret\n",
        "inventory.yml": INVENTORY,
        "people.yml": "people: [{name: ann, channels: [{name: mail, url: 'json://localhost'}]}]\n"
        "teams: [{name: ops, tiers: {1: [ann]}}]\n",
        "policy.yml": "name: p\ngrades: {P1: {targets: {respond: 15m}}}\ndefault_grade: P1\n"
        f"first_aid: [{first_aid}]\nbudgets: {budgets}\n",
        "secret": "0123456789abcdef0123456789abcdef",
        "key": "",
        "runbooks/mine.yml": RUNBOOK + (steps or "steps: [{service_restart: {unit: app.service}}]\n"),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    return read(folder / "responder.yml")


def together(loaded: Configuration) -> list[tuple[str, str]]:
    return [(one.rule, one.severity.value) for one in findings(loaded)]


def test_a_sound_configuration_has_no_findings(tmp_path: Path) -> None:
    assert together(configured(tmp_path)) == []


def test_a_shipped_runbook_is_looked_at_only_where_it_is_used(tmp_path: Path) -> None:
    assert together(configured(tmp_path, first_aid=USE.replace("mine}", "restart-unit}"))) == [
        ("unused-runbook", "info")
    ]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("steps: [{foreach: {group: cache, steps: [{check: {command: [x]}}]}}]", ("empty-group", "error")),
        (
            "steps: [{foreach: {group: web, max_parallel: 2, steps: [{ssh: {run: [x], check: [y]}}]}}]",
            ("all-at-once", "warning"),
        ),
        ("steps: [{check: {command: ['{{ vars.nope }}']}}]", ("unknown-variable", "error")),
        ("steps: [{check: {command: ['{{ vars[\"nope\"] }}']}}]", ("unknown-variable", "error")),
        ("steps: [{check: {command: ['{{ vars.empty }}']}}]", ("empty-template", "warning")),
        (
            "steps: [{foreach: {group: web, steps: [{check: {command: ['{{ vars.port }}']}}]}}]",
            ("lacking-variable", "warning"),
        ),
        (
            "steps: [{foreach: {group: db, steps: [{check: {command: ['{{ vars.port }}']}}]}}]",
            ("unknown-variable", "error"),
        ),
        (
            "steps: [{foreach: {group: '{{ vars.standby }}', steps: [{check: {command: [x]}}]}}]",
            ("empty-group", "error"),
        ),
        (
            "steps: [{switchover: {driver: keepalived, to: db-9, service: {vip: 192.0.2.10}, "
            "verify: {url: 'http://192.0.2.10/'}}}]",
            ("unknown-target", "error"),
        ),
    ],
)
def test_a_runbook_that_does_not_fit_the_inventory_is_found(
    tmp_path: Path, steps: str, expected: tuple[str, str]
) -> None:
    assert together(configured(tmp_path, steps)) == [expected]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ('instance="web-9"', ["unreachable-target"]),
        ('instance=~"web-8|web-9"', ["unreachable-target"]),
        ('instance=~"web-1|web-9"', []),
        ('instance=~"web-9.*"', []),
        ('instance="web-1:9100"', []),
        ('instance!="web-1"', []),
        ('name="app.timer"', ["parameter-never-fits"]),
        ('name=~"a.timer|b.service"', []),
        ('name="app.service"', []),
    ],
)
def test_a_rule_that_can_never_work_is_found(tmp_path: Path, when: str, expected: list[str]) -> None:
    rule = f"{{name: r, when: ['{when}'], runbook: restart-unit}}"
    loaded = configured(tmp_path, first_aid=f"{USE}, {rule}")
    assert [name for name, _ in together(loaded)] == expected


def test_a_finding_about_the_policy_names_its_place(tmp_path: Path) -> None:
    loaded = configured(tmp_path, budgets="[{name: few, of: db, max: 20%, within: 30m}]")
    (finding,) = findings(loaded)
    assert finding.rule == "zero-budget"
    assert "20% of so few is nobody" in finding.problem.text
    assert (finding.problem.path.name, finding.problem.line) == ("policy.yml", 5)
    assert together(configured(tmp_path, budgets="[{name: half, of: db, max: 50%, within: 30m}]")) == []


@pytest.mark.parametrize(
    "steps",
    [
        "steps: [{check: {command: [\"{{ vars.nope | default('x') }}\"]}}]",
        "steps: [{check: {command: [\"{{ vars.nope if vars.nope is defined else 'x' }}\"]}}]",
        "steps: [{check: {command: ['{{ vars.standby }}']}}]",
        "steps: [{foreach: {group: '{{ vars.pool }}', steps: [{check: {command: [x]}}]}}]",
    ],
)
def test_a_variable_that_is_not_needed_or_is_somewhere_is_let_through(tmp_path: Path, steps: str) -> None:
    assert together(configured(tmp_path, steps)) == []


@pytest.mark.parametrize("path", runbook_files(SHIPPED), ids=lambda path: path.name)
def test_the_file_of_a_shipped_runbook_has_its_name(path: Path) -> None:
    assert f"\nrunbook: {path.stem}\n" in f"\n{path.read_text()}"
