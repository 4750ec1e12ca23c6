"""The linter's rules about people: who may be called, and whom no call reaches."""

from __future__ import annotations

from collections.abc import Iterator

from responder.adapters.yaml_file import load
from responder.config.configuration import Configuration
from responder.firstaid.lint.finding import Finding, Found, Rule, Severity


def about_people(configuration: Configuration) -> Iterator[Finding]:
    """All that is doubtful about the people of these files."""
    document = load(configuration.path.parent / configuration.settings.people)
    for rule in PEOPLE_RULES:
        yield from rule.findings(configuration, document)


def person_without_a_channel(configuration: Configuration) -> Found:
    """Somebody who may be called, and has no channel."""
    for index, person in enumerate(configuration.people.values()):
        called = [] if person.channels else list(_calls(configuration, person.name))
        if called:
            yield ("people", index), f"{person.name} has no channel, so no call reaches them: {', '.join(called)}"


def mails_that_nothing_proves(configuration: Configuration) -> Found:
    """People who write mails, and no server whose word about senders is believed."""
    mail = configuration.mail
    if mail is None or mail.settings.trusted_authserv_ids:
        return
    for index, person in enumerate(configuration.people.values()):
        if person.mails:
            why = "without trusted_authserv_ids: in mail: nothing proves who a mail is of, so its commands are not done"
            yield ("people", index, "mails"), f"{person.name} can write mails, but {why}"
            return


def _calls(configuration: Configuration, name: str) -> Iterator[str]:
    """From where somebody is called."""
    for team, tiers in configuration.tiers.items():
        yield from (f"tier {tier.number} of team {team}" for tier in tiers if not tier.rota and name in tier.people)
    yield from (f"rota {rota.name}" for rota in configuration.rotas.values() if name in rota.people)
    for plan in configuration.policy.escalation:
        if any(name in step.callees.people for step in plan.steps):
            yield f"escalation plan {plan.name}"


PEOPLE_RULES: tuple[Rule[Configuration], ...] = (
    Rule("person-without-channel", Severity.WARNING, person_without_a_channel),
    Rule("mails-never-proven", Severity.WARNING, mails_that_nothing_proves),
)
