"""Mails of monitoring systems: the shipped rules, and what becomes of mails that they do not understand."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.config.mail_rules import shipped_mail_rules
from responder.domain.mail import Address, Mail
from responder.domain.report import Signal
from responder.intake.mail.monitoring import alerts_in, claimed
from responder.intake.mail.reply import reply_of
from tests.intake.monitoring_mails import GRAFANA, NAGIOS, PAIRS, Pair

NOW = datetime(2024, 5, 7, 8, 30, tzinfo=UTC)
RULES = shipped_mail_rules()


def mail(subject: str, text: str, sender: str = "monitor@example.org", sent_at: datetime | None = None) -> Mail:
    one = Mail(id="1@example.org", digest="d", sender=Address(address=sender), subject=subject, sent_at=sent_at)
    return replace(one, text=text, said=reply_of(text).said or text)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule} {pair.labels['alertname']}")
def test_a_problem_is_one_alert_with_labels_that_do_not_change(pair: Pair) -> None:
    claim = claimed(mail(*pair.problem, pair.sender), RULES, received_at=NOW)
    assert claim is not None
    assert (claim.rule, claim.is_plain, claim.why) == (pair.rule, False, "")
    (report,) = claim.reports
    assert report.signal is Signal.FIRING
    assert dict(report.labels) == {**pair.labels, "severity": pair.severity}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule} {pair.labels['alertname']}")
def test_the_recovery_clears_the_very_alert_that_the_problem_began(pair: Pair) -> None:
    (problem,) = alerts_in(mail(*pair.problem, pair.sender), RULES, received_at=NOW)
    recovery = alerts_in(mail(*pair.recovery, pair.sender), RULES, received_at=NOW)
    assert {one.signal for one in recovery} == {Signal.CLEARED}
    assert problem.alert in {one.alert for one in recovery}


def test_what_was_measured_stands_beside_the_labels() -> None:
    (report,) = alerts_in(mail(*PAIRS[0].problem), RULES, received_at=NOW)
    assert report.annotations["summary"] == "Disk /var on db-3: DISK WARNING - free: 9 %"
    assert report.annotations["address"] == "192.0.2.13"


def test_a_recovery_clears_every_severity_that_the_problem_can_have_had() -> None:
    recovery = alerts_in(mail(*PAIRS[0].recovery), RULES, received_at=NOW)
    assert {one.labels["severity"] for one in recovery} == {"warning", "critical"}


def test_each_alert_of_a_mail_with_several_is_a_report_of_its_own() -> None:
    claim = claimed(mail("[FIRING:2, RESOLVED:1] HighLatency (shop)", GRAFANA), RULES, received_at=NOW)
    assert claim is not None
    assert [(one.signal, one.labels["instance"]) for one in claim.reports] == [
        (Signal.FIRING, "shop-1"),
        (Signal.FIRING, "shop-2"),
        (Signal.CLEARED, "shop-3"),
    ]
    assert claim.reports[0].labels == {
        "alertname": "HighLatency", "instance": "shop-1", "job": "shop", "severity": "critical",
    }  # fmt: skip
    assert claim.reports[0].annotations["team"] == "shop"
    assert claim.reports[1].annotations["summary"] == "Half of the requests take longer than 3 s"


def test_a_mail_that_begins_and_ends_nothing_says_so_and_is_no_alert() -> None:
    text = NAGIOS.format(kind="ACKNOWLEDGEMENT", state="WARNING", time="08:01:02", info="ann looks at it")
    claim = claimed(mail("** ACKNOWLEDGEMENT Service Alert: db-3/Disk is WARNING **", text), RULES, received_at=NOW)
    assert claim is not None
    assert (claim.reports, claim.why) == ((), "Nagios tells of nothing here that begins or ends.")


def test_a_mail_that_a_rule_takes_and_cannot_read_is_a_plain_report_with_the_reason() -> None:
    text = NAGIOS.format(kind="CALAMITY", state="WARNING", time="08:01:02", info="?")
    claim = claimed(mail("** CALAMITY Service Alert: db-3/Disk /var is WARNING **", text), RULES, received_at=NOW)
    assert claim is not None
    assert claim.is_plain
    (report,) = claim.reports
    assert report.signal is Signal.FIRING
    assert report.labels["mail_rule"] == "nagios"
    assert report.annotations["oddity"] == (
        "A mail that looks like one of Nagios was not understood: kind “CALAMITY” is not a word that the rule knows."
    )


def test_a_recovery_without_its_host_is_not_taken_for_a_recovery_of_something_else() -> None:
    claim = claimed(mail("Nagios", "***** Nagios *****\nNotification Type: RECOVERY\n"), RULES, received_at=NOW)
    assert claim is not None
    assert claim.is_plain
    assert "it does not say host." in claim.why


def test_a_mail_of_a_person_is_taken_by_no_rule() -> None:
    about = "the printer is down\nHost: printer-1\nState: broken"
    assert claimed(mail("Problem with the printer", about), RULES, received_at=NOW) is None
    assert claimed(mail("Re: ** PROBLEM Service Alert: a/b is WARNING **", "I look."), RULES, received_at=NOW) is None
    assert alerts_in(mail("", ""), RULES, received_at=NOW) == ()


FORWARDS = (
    "Look!\n\n-----Original Message-----\nFrom: nagios@x.test\nSent: today\nTo: ops\nSubject: s\n\n{}",
    "I am away until Monday.\n\n{}",
    "---------- Forwarded message ---------\nFrom: Nagios <nagios@x.test>\nDate: x\nSubject: s\nTo: ops\n\n{}",
    "Is it this one?\n{}",
)


@pytest.mark.parametrize("around", FORWARDS, ids=range(len(FORWARDS)))
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.rule} {pair.labels['alertname']}")
def test_what_a_person_quotes_or_pastes_is_no_alert(pair: Pair, around: str) -> None:
    subject, text = pair.problem
    for head in ("Re: ", "Fwd: ", "回复：", "Shop down "):
        assert claimed(mail(f"{head}{subject}", around.format(text)), RULES, received_at=NOW) is None


@pytest.mark.parametrize("rule", ["zabbix", "cloudwatch", "monit", "aliyun", "tencent"])
def test_the_lines_that_a_rule_asks_for_must_be_said_and_not_quoted(rule: str) -> None:
    pair = next(one for one in PAIRS if one.rule == rule)
    subject, text = pair.problem
    assert claimed(mail(subject, text, pair.sender), RULES, received_at=NOW) is not None
    assert claimed(mail(subject, FORWARDS[0].format(text), pair.sender), RULES, received_at=NOW) is None


def test_an_alert_starts_when_its_mail_was_sent_but_never_after_it_came() -> None:
    early, late = NOW - timedelta(minutes=5), NOW + timedelta(hours=5)
    for sent_at, started_at in ((early, early), (late, NOW), (None, NOW)):
        (report,) = alerts_in(mail(*PAIRS[0].problem, sent_at=sent_at), RULES, received_at=NOW)
        assert report.started_at == started_at


@given(subject=st.text(max_size=200), text=st.text(max_size=2000), which=st.sampled_from(PAIRS))
def test_no_text_stops_the_rules(subject: str, text: str, which: Pair) -> None:
    for one in (mail(subject, text), mail(which.problem[0], text), mail(which.problem[0], which.problem[1] + text)):
        claim = claimed(one, RULES, received_at=NOW)
        assert claim is None or claim.reports or claim.why


UNITS = ["a", " ", "a/", " is ", "Host: ", "A -> ", "- ", "=", ", a=", "：", "告警", "[", "a.", "\t", "(1) FIRING"]


@pytest.mark.parametrize("unit", UNITS)
def test_no_line_is_slow(unit: str) -> None:
    began = time.process_time()
    for pair in PAIRS:
        lines = "\n".join(line[:9] + unit * 2000 for line in pair.problem[1].splitlines() * 3)
        claimed(mail(pair.problem[0], pair.problem[1] + lines + GRAFANA, pair.sender), RULES, received_at=NOW)
        claimed(mail(pair.problem[0][:30] + unit * 2000, pair.problem[1], pair.sender), RULES, received_at=NOW)
    assert time.process_time() - began < 5
