"""All files together: taken whole, or refused with every mistake at its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.config.configuration import Configuration, read
from responder.config.policy import extended
from responder.config.settings import digest
from responder.domain.oncall import Channel, Recipient, Tier
from responder.errors import ConfigError

FILES = {
    "responder.yml": """\
listen: 127.0.0.1:9180
base_url: https://responder.example/
runbooks: [runbooks]
sources:
  - name: am
    bearer_file: am.token
  - name: prom
    basic: {user: prom, password_file: prom.password}
  - name: local
    open: true
""",
    "policy.yml": """\
extends: p1-p4
grades:
  P1:
    targets: {respond: 5m}
first_aid:
  - name: restart a failed unit
    when: ['alertname="UnitFailed"']
    runbook: restart-unit
    grades: [P1]
  - name: restart our app
    when: ['alertname="AppDown"']
    runbook: restart-app
teams:
  - when: ['team="db"']
    team: db
default_team: ops
number: "T-{seq:04d}"
zone: Europe/Berlin
""",
    "inventory.yml": """\
defaults:
  user: rescue
  key_file: id_ed25519
  become: [sudo, -n]
targets:
  - name: web-1
    address: 192.0.2.1
    aliases: [web-1.example]
  - name: db-1
    port: 2222
    become: []
    key_file: /etc/keys/db
""",
    "people.yml": """\
people:
  - name: ann
    full_name: Ann Onymous
    language: zh
    channels:
      - name: phone
        url: ntfys://ntfy.example/ann-secret-topic
      - name: mail
        url_file: ann.url
  - name: bob
teams:
  - name: ops
    tiers:
      1: [bob, ann]
      2: [ann]
  - name: db
    tiers: {1: [ann]}
""",
    "runbooks/app.yml": """\
runbook: restart-app
summary: Restart the app
steps:
  - ssh: {run: [restart-app], once: nothing can tell}
""",
    "secret.key": "a secret of the service\n",
    "am.token": "token-of-am\n",
    "prom.password": "password-of-prom\n",
    "ann.url": "mailto://ann:hidden@mail.example\n",
}


class Folder:
    """A configuration folder that a test may spoil."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def read(self) -> Configuration:
        return read(self.path / "responder.yml")

    def mistakes(self) -> list[str]:
        """Each mistake as `file:line:column: text`."""
        with pytest.raises(ConfigError) as raised:
            self.read()
        return [
            f"{one.path.relative_to(self.path)}:{one.line}:{one.column}: {one.text}" for one in raised.value.problems
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- a good set ------------------------------------------------------------------------------------


def test_a_good_set_of_files_is_one_configuration(folder: Folder) -> None:
    good = folder.read()
    assert good.path == folder.path / "responder.yml"
    assert (good.settings.host, good.settings.port) == ("127.0.0.1", 9180)
    assert good.settings.base_url == "https://responder.example"
    assert good.secret.value == "a secret of the service"
    assert {"restart-unit", "restart-app"} <= set(good.runbooks)


def test_the_policy_extends_its_profile_and_merges_only_mappings(folder: Folder) -> None:
    policy = folder.read().policy
    assert policy.name == "policy"
    assert policy.grades["P1"].targets["respond"] == timedelta(minutes=5)
    assert policy.grades["P1"].targets["restore"] == timedelta(hours=1)
    assert policy.grades["P1"].tiers == (1, 2)
    assert policy.heartbeats[0].name == "watchdog"
    assert (policy.number, policy.zone.key) == ("T-{seq:04d}", "Europe/Berlin")
    assert policy.team({"team": "db"}) == "db"
    assert policy.team({}) == "ops"


def test_lists_of_the_profile_are_replaced_and_not_joined() -> None:
    assert extended({"a": [1], "b": {"c": 1, "d": 2}, "e": 5}, {"a": [2], "b": {"c": 3}, "e": {"f": 1}}) == {
        "a": [2],
        "b": {"c": 3, "d": 2},
        "e": {"f": 1},
    }


def test_targets_take_what_they_do_not_say_from_the_defaults(folder: Folder) -> None:
    web, db = folder.read().targets
    assert (web.address, web.port, web.user, web.become) == ("192.0.2.1", 22, "rescue", ("sudo", "-n"))
    assert web.key_file == folder.path / "id_ed25519"
    assert (db.address, db.port, db.become, db.key_file) == ("db-1", 2222, (), Path("/etc/keys/db"))


def test_people_have_their_channels_and_teams_their_tiers_in_order(folder: Folder) -> None:
    good = folder.read()
    assert good.people["ann"].channels == (Channel(name="phone", scheme="ntfys"), Channel(name="mail", scheme="mailto"))
    assert good.people["ann"].language == "zh"
    assert good.tiers["ops"] == (Tier(number=1, people=("bob", "ann")), Tier(number=2, people=("ann",)))
    address = good.addresses[Recipient(person="ann", channel="mail")]
    assert address.value == "mailto://ann:hidden@mail.example"


def test_credentials_are_kept_as_digests_and_secrets_do_not_show_themselves(folder: Folder) -> None:
    good = folder.read()
    am, prom = good.credentials["am"], good.credentials["prom"]
    assert am is not None
    assert prom is not None
    assert (am.user, am.digest) == ("", digest("token-of-am"))
    assert (prom.user, prom.digest) == ("prom", digest("password-of-prom"))
    assert good.credentials["local"] is None
    shown = repr(good)
    for secret in ("token-of-am", "password-of-prom", "a secret of the service", "hidden", "ann-secret-topic"):
        assert secret not in shown


def test_a_source_is_found_by_its_name(folder: Folder) -> None:
    good = folder.read()
    source = good.source("prom")
    assert source is not None
    assert source.name == "prom"
    assert good.source("nobody") is None


def test_a_policy_that_extends_nothing_stands_alone(folder: Folder) -> None:
    folder.write("policy.yml", "name: own\ngrades: {G: {targets: {respond: 1h}}}\ndefault_grade: G\n")
    policy = folder.read().policy
    assert (policy.name, list(policy.grades), policy.heartbeats) == ("own", ["G"], ())


# --- one mistake at a time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        # the main file
        ("responder.yml", "listen: 127.0.0.1:9180", "listen: home", "responder.yml:1:1: listen: 'home' is no address"),
        ("responder.yml", "listen:", "lisetn:", "responder.yml:1:1: lisetn is not known here"),
        ("responder.yml", "https://responder", "responder", "responder.yml:2:1: base_url: base_url must begin with"),
        ("responder.yml", "[runbooks]", "[absent]", "responder.yml:3:12: "),
        ("responder.yml", "name: prom", "name: am", "responder.yml:1:1: two sources have the same name"),
        ("responder.yml", "open: true", "open: false", "responder.yml:9:5: sources.2: give one of bearer_file:"),
        ("responder.yml", "am.token", "none.token", "responder.yml:6:5: none.token cannot be read: No such file"),
        ("responder.yml", "prom.password", "none", "responder.yml:8:25: none cannot be read: No such file"),
        ("responder.yml", "    bearer_file: am.token\n", "", "responder.yml:5:5: sources.0: give one of bearer_file:"),
        ("responder.yml", "name: am", 'name: "a m"', "responder.yml:5:5: sources.0.name: expected"),
        ("responder.yml", "sources:", "sources: []\nx:", "responder.yml:4:1: sources: expected"),
        (
            "responder.yml",
            "listen: 127.0.0.1:9180",
            "listen: 0.0.0.0:9180",
            "open: true and console: open are for a loopback address only",
        ),
        ("responder.yml", "runbooks: [runbooks]", "policy: none.yml", "none.yml:1:1: cannot be read: No such file"),
        ("responder.yml", "runbooks: [runbooks]", "secret_file: x", "responder.yml:3:1: x cannot be read"),
        # the policy
        (
            "policy.yml",
            "extends: p1-p4",
            "extends: p9",
            "policy.yml:1:1: there is no shipped profile p9; there are feed",
        ),
        ("policy.yml", "extends: p1-p4", "extends: ../p1-p4", "policy.yml:1:1: there is no shipped profile"),
        ("policy.yml", "respond: 5m", "respond: soon", "policy.yml:4:15: grades.P1.targets.respond: 'soon' is not a"),
        ("policy.yml", "respond: 5m", "repsond: 5m", "policy.yml:4:15: grades.P1.targets.repsond"),
        ("policy.yml", "runbook: restart-unit", "runbook: none", "policy.yml:8:5: there is no runbook none; there are"),
        ("policy.yml", "grades: [P1]", "grades: [P7]", "policy.yml:9:5: there is no grade P7"),
        ("policy.yml", 'alertname="AppDown"', "AppDown", "policy.yml:11:12: first_aid.1.when.0: 'AppDown' is not a"),
        ("policy.yml", 'alertname="AppDown"', 'a=~"(["', "is not a regular expression"),
        (
            "policy.yml",
            "    team: db",
            "    team: nobody",
            "policy.yml:15:5: there is no team nobody in the people file",
        ),
        ("policy.yml", "default_team: ops", "default_team: none", "policy.yml:16:1: there is no team none in the"),
        ("policy.yml", "default_team: ops", "default_grade: P9", "policy.yml:16:1: there is no grade P9; there are P1"),
        ("policy.yml", "T-{seq:04d}", "T-{date:%Y}", "policy.yml:17:1: number: a number needs the serial"),
        ("policy.yml", "Europe/Berlin", "Berlin", "policy.yml:18:1: zone: 'Berlin' is no time zone"),
        ("policy.yml", "zone:", "zoen:", "policy.yml:18:1: zoen is not known here"),
        ("policy.yml", "zone: Europe/Berlin", "number: x", '18:1: found duplicate key "number"'),
        (
            "policy.yml",
            "zone: Europe/Berlin",
            "grade_rules: [{name: all, grade: P1}]",
            "policy.yml:18:15: grade_rules.0: a rule without when:, affected_users: or impact: would take everything",
        ),
        (
            "policy.yml",
            "zone: Europe/Berlin",
            "grade_rules: [{name: x, grade: P1, affected_users: many}]",
            "policy.yml:18:36: grade_rules.0.affected_users: 'many' is no bound",
        ),
        (
            "policy.yml",
            "zone: Europe/Berlin",
            "grade_rules: [{name: x, grade: P8, impact: [x]}]",
            "policy.yml:18:25: there is no grade P8",
        ),
        # the inventory
        ("inventory.yml", "name: db-1", "name: web-1", "inventory.yml:9:5: web-1 is already the name of web-1"),
        ("inventory.yml", "name: db-1", "name: web-1.example", "9:5: web-1.example is already the name of web-1"),
        ("inventory.yml", "port: 2222", "port: 99999", "inventory.yml:10:5: targets.1.port: expected less than or"),
        ("inventory.yml", "port: 2222", "prot: 2222", "inventory.yml:10:5: targets.1.prot is not known here"),
        ("inventory.yml", "192.0.2.1", "'192.0.2.1; rm'", "inventory.yml:7:5: targets.0.address: expected"),
        (
            "inventory.yml",
            "192.0.2.1",
            "192.0.2.1:2222",
            "inventory.yml:7:5: targets.0.address: a port stands in a line",
        ),
        ("inventory.yml", "192.0.2.1", "'[::1]:2222'", "its own, port: 2222; the address is ::1"),
        ("inventory.yml", "port: 2222", "host_key: nonsense", "targets.1.host_key: a host key is written like"),
        (
            "inventory.yml",
            "  key_file: id_ed25519\n",
            "",
            "inventory.yml:5:5: web-1 has no key_file, here or in defaults",
        ),
        # the people
        ("people.yml", "1: [bob, ann]", "1: [bob, eve]", "people.yml:14:7: team ops, tier 1: nobody is called eve"),
        ("people.yml", "1: [bob, ann]", "0: [bob, ann]", "people.yml:14:7: "),
        ("people.yml", "1: [bob, ann]", "1: []", "people.yml:14:7: teams.0.tiers.1: expected"),
        ("people.yml", "{1: [ann]}", "{1: [bob]}", "people.yml:16:5: team db has nobody with a channel"),
        ("people.yml", "name: bob", "name: ann", "people.yml:10:5: there are two people called ann"),
        ("people.yml", "ntfys:", "carrierpigeon:", "people.yml:7:9: apprise knows no channel carrierpigeon://"),
        ("people.yml", "ntfys://", "", "people.yml:7:9: the address has no scheme"),
        ("people.yml", "url_file: ann.url", "url_file: no.url", "people.yml:9:9: "),
        ("people.yml", "url_file: ann.url", "none: 1", "people.yml:9:9: people.0.channels.1.none is not known here"),
        ("people.yml", "language: zh", "language: tlh", "people.yml:4:5: people.0.language: expected 'en' or 'zh'"),
        # the runbooks
        ("runbooks/app.yml", "ssh:", "shs:", "runbooks/app.yml:4:5: a step has one kind of"),
    ],
)
def test_a_mistake_is_shown_with_its_file_line_and_column(
    folder: Folder, name: str, old: str, new: str, expected: str
) -> None:
    folder.change(name, old, new)
    assert any(expected in mistake for mistake in folder.mistakes()), folder.mistakes()


@pytest.mark.parametrize("address", ["::1", "2001:db8::2222", "fe80::1", "db-1.example.org"])
def test_an_address_without_a_port_is_right(folder: Folder, address: str) -> None:
    folder.change("inventory.yml", "192.0.2.1", f'"{address}"')
    assert folder.read().targets[0].address == address


@pytest.mark.parametrize("name", ["policy.yml", "inventory.yml", "people.yml"])
def test_a_missing_file_is_named(folder: Folder, name: str) -> None:
    (folder.path / name).unlink()
    assert f"{name}:1:1: cannot be read: No such file or directory" in folder.mistakes()


def test_a_missing_main_file_is_named(folder: Folder) -> None:
    (folder.path / "responder.yml").unlink()
    assert folder.mistakes() == ["responder.yml:1:1: cannot be read: No such file or directory"]


@pytest.mark.parametrize("name", ["secret.key", "am.token", "prom.password", "ann.url"])
def test_an_empty_secret_is_no_secret(folder: Folder, name: str) -> None:
    folder.write(name, "\n")
    assert any(mistake.endswith(f"{name} is empty") for mistake in folder.mistakes())


def test_a_secret_that_is_no_text_is_refused(folder: Folder) -> None:
    (folder.path / "secret.key").write_bytes(b"\xff\xfe\xfd")
    assert any(mistake.endswith("secret.key cannot be read: it is not text") for mistake in folder.mistakes())


def test_a_bad_address_in_a_file_is_shown_without_the_address(folder: Folder) -> None:
    folder.write("ann.url", "carrierpigeon://ann:hidden@mail.example\n")
    (mistake,) = folder.mistakes()
    assert mistake == "people.yml:9:9: apprise knows no channel carrierpigeon://"


def test_the_mistakes_of_several_files_are_reported_at_once(folder: Folder) -> None:
    folder.change("policy.yml", "runbook: restart-unit", "runbook: none")
    folder.change("policy.yml", "grades: [P1]", "grades: [P7]")
    folder.change("inventory.yml", "name: db-1", "name: web-1")
    folder.change("people.yml", "1: [bob, ann]", "1: [bob, eve]")
    folder.change("responder.yml", "am.token", "none.token")
    places = [mistake.partition(": ")[0] for mistake in folder.mistakes()]
    assert sorted(places) == [
        "inventory.yml:9:5",
        "people.yml:14:7",
        "policy.yml:8:5",
        "policy.yml:9:5",
        "responder.yml:6:5",
    ]


def test_a_file_that_cannot_be_taken_at_all_does_not_hide_the_mistakes_of_the_others(folder: Folder) -> None:
    folder.change("inventory.yml", "port: 2222", "prot: 2222")
    folder.change("policy.yml", "respond: 5m", "respond: soon")
    folder.change("runbooks/app.yml", "ssh:", "shs:")
    folder.change("people.yml", "language: zh", "language: tlh")
    places = {mistake.partition(": ")[0] for mistake in folder.mistakes()}
    assert {"inventory.yml:10:5", "policy.yml:4:15", "runbooks/app.yml:4:5", "people.yml:4:5"} <= places


def test_several_mistakes_of_the_main_file_are_reported_at_once(folder: Folder) -> None:
    folder.change("responder.yml", "listen: 127.0.0.1:9180", "listen: x\nnonsense: 1")
    folder.change("responder.yml", "https://responder", "gopher://responder")
    places = [mistake.partition(": ")[0] for mistake in folder.mistakes()]
    assert places == ["responder.yml:1:1", "responder.yml:3:1", "responder.yml:2:1"]


# --- who may listen where without a credential -----------------------------------------------------


@pytest.mark.parametrize("listen", ["127.0.0.1:9180", "127.8.9.10:80", "'[::1]:9180'", "localhost:9180"])
def test_an_open_source_is_allowed_at_home(folder: Folder, listen: str) -> None:
    folder.change("responder.yml", "127.0.0.1:9180", listen)
    assert folder.read().settings.is_loopback


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9180", "'[::]:9180'", "192.0.2.1:9180", "responder.example:9180", "localhost.example:9180"]
)
def test_an_open_source_is_refused_on_any_other_address(folder: Folder, listen: str) -> None:
    folder.change("responder.yml", "127.0.0.1:9180", listen)
    (mistake,) = folder.mistakes()
    assert "are for a loopback address only" in mistake


def test_an_open_console_is_refused_on_any_other_address(folder: Folder) -> None:
    folder.change("responder.yml", "  - name: local\n    open: true\n", "console: open\n")
    folder.change("responder.yml", "127.0.0.1:9180", "0.0.0.0:9180")
    (mistake,) = folder.mistakes()
    assert "are for a loopback address only" in mistake


def test_with_credentials_any_address_will_do(folder: Folder) -> None:
    folder.change("responder.yml", "  - name: local\n    open: true\n", "")
    folder.change("responder.yml", "127.0.0.1:9180", "0.0.0.0:9180")
    assert not folder.read().settings.is_loopback


@pytest.mark.parametrize(
    "channel",
    [
        '{name: pager, url: "tgram://HIDDEN/bot", url_file: x}',
        '{name: pager, url: "nosuch://HIDDEN@host"}',
        '{name: pager, url: {a: "tgram://HIDDEN"}}',
        '{name: pager, url: ["tgram://HIDDEN"]}',
        '{name: pager, urll: "tgram://HIDDEN"}',
        '{name: pager, url: "tgram://HIDDEN", length: middle}',
        "{name: pager, url: tgram://HIDDEN: x}",
        '"tgram://HIDDEN"',
        '{name: pager, url: "tgram://HIDDEN',
        '{name: pager, url: !!int "tgram://HIDDEN"}',
        '{name: pager, "tgram://HIDDEN": 1}',
    ],
)
def test_no_complaint_shows_the_address_of_a_channel(folder: Folder, channel: str) -> None:
    people = f"people:\n  - {{name: mei, channels: [{channel}]}}\nteams:\n  - {{name: ops, tiers: {{1: [mei]}}}}\n"
    folder.write("people.yml", people)
    with pytest.raises(ConfigError) as raised:
        folder.read()
    assert "people.yml:" in str(raised.value)
    assert "HIDDEN" not in str(raised.value)
