"""`hours:` as people write it."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from responder.domain.windows import DAYS, Window
from responder.firstaid.window_file import WindowFile


def test_days_times_and_zone_make_a_window() -> None:
    written = {"days": ["mon", "Tuesday"], "from": "08:00", "to": "20:30", "zone": "Europe/Berlin"}
    assert WindowFile.model_validate(written).as_window() == Window(
        days=("mon", "tue"), start=time(8), end=time(20, 30), zone=ZoneInfo("Europe/Berlin")
    )


def test_what_is_not_said_is_every_day_from_midnight_to_midnight_in_utc() -> None:
    assert WindowFile.model_validate({}).as_window() == Window(days=DAYS)
    assert WindowFile.model_validate({"from": "20:00", "to": "24:00"}).as_window().end == time()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"days": ["mon", "mo"]}, "'mo' is no day; there are mon, tue"),
        ({"days": ["monkey"]}, "'monkey' is no day"),
        ({"days": []}, "at least 1 item"),
        ({"from": "8:00"}, "'8:00' is no time of day; write it like '08:00'"),
        ({"to": "24:01"}, "'24:01' is no time of day"),
        ({"from": 480}, "480 is no time of day"),
        ({"zone": "Berlin"}, "'Berlin' is no time zone"),
        ({"until": "20:00"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_said(written: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        WindowFile.model_validate(written)
