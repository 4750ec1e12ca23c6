"""Who is told when tiers are called."""

from __future__ import annotations

from responder.domain.oncall import Channel, Person, Recipient, Tier, recipients


def person(name: str, *channels: str) -> Person:
    return Person(name=name, channels=tuple(Channel(name=channel, scheme="ntfy") for channel in channels))


PEOPLE = {one.name: one for one in (person("ann", "phone", "mail"), person("bob"), person("eve", "phone"))}


def to(name: str, channel: str) -> Recipient:
    return Recipient(person=name, channel=channel)


def test_the_first_person_of_the_tier_is_told_on_every_channel() -> None:
    told, why = recipients([Tier(number=1, people=("ann", "eve"))], [1], PEOPLE)
    assert told == (to("ann", "phone"), to("ann", "mail"))
    assert why == "tier 1: ann"


def test_a_person_without_a_channel_is_passed_over_for_the_next_of_the_tier() -> None:
    told, why = recipients([Tier(number=1, people=("bob", "eve"))], [1], PEOPLE)
    assert told == (to("eve", "phone"),)
    assert why == "tier 1: eve"


def test_somebody_the_people_file_does_not_know_is_passed_over() -> None:
    told, _ = recipients([Tier(number=1, people=("ghost", "eve"))], [1], PEOPLE)
    assert told == (to("eve", "phone"),)


def test_a_tier_that_nobody_can_be_reached_in_passes_the_call_up_and_says_so() -> None:
    tiers = [Tier(number=3, people=("ann",)), Tier(number=1, people=("bob",)), Tier(number=2, people=("eve",))]
    told, why = recipients(tiers, [1], PEOPLE)
    assert told == (to("eve", "phone"),)
    assert why == "tier 2: eve (tier 1 has nobody)"


def test_a_call_is_never_passed_down() -> None:
    told, why = recipients([Tier(number=1, people=("ann",))], [2], PEOPLE)
    assert told == ()
    assert why == "tier 2 and those above it have nobody with a channel"


def test_several_tiers_are_told_at_once() -> None:
    tiers = [Tier(number=1, people=("eve",)), Tier(number=2, people=("ann",))]
    told, why = recipients(tiers, [1, 2], PEOPLE)
    assert told == (to("eve", "phone"), to("ann", "phone"), to("ann", "mail"))
    assert why == "tier 1: eve; tier 2: ann"


def test_a_person_who_stands_for_two_tiers_is_told_once() -> None:
    tiers = [Tier(number=1, people=("bob",)), Tier(number=2, people=("eve",))]
    told, why = recipients(tiers, [1, 2], PEOPLE)
    assert told == (to("eve", "phone"),)
    assert why == "tier 2: eve (tier 1 has nobody); tier 2: eve"


def test_no_tiers_at_all_is_said_and_not_hidden() -> None:
    assert recipients([], [1], PEOPLE) == ((), "tier 1 and those above it have nobody with a channel")


# --- rotas -----------------------------------------------------------------------------------------

ROTA = [Tier(number=1, people=("ann", "bob", "eve"), rota="first"), Tier(number=2, people=("eve",))]


def test_everybody_on_call_in_the_rota_of_a_tier_is_told() -> None:
    told, why = recipients(ROTA, [1], PEOPLE, {"first": ("eve", "ann")})
    assert told == (to("eve", "phone"), to("ann", "phone"), to("ann", "mail"))
    assert why == "tier 1: eve, ann, on call in first"


def test_a_rota_with_nobody_on_call_passes_the_call_up_and_says_so() -> None:
    told, why = recipients(ROTA, [1], PEOPLE, {"first": ()})
    assert told == (to("eve", "phone"),)
    assert why == "tier 2: eve (tier 1: nobody is on call in first)"


def test_somebody_on_call_without_a_channel_passes_the_call_up_and_is_named() -> None:
    _, why = recipients(ROTA, [1], PEOPLE, {"first": ("bob",)})
    assert why == "tier 2: eve (tier 1: bob, on call in first, has no channel)"
