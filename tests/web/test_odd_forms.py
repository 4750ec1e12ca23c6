"""Forms whose Content-Type cannot be meant: anybody can send them, and they are answered, not stumbled over."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client


@pytest.mark.parametrize("path", ["/sign-in", "/approve/x", "/ack/x"])
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("multipart/form-data", "has no boundary of up to 70 characters"),
        ("multipart/form-data; boundary=", "has no boundary of up to 70 characters"),
        (f"multipart/form-data; boundary={'x' * 71}", "has no boundary of up to 70 characters"),
        ("application/x-www-form-urlencoded; charset=nope", "'nope', which is no encoding"),
        ("multipart/form-data; boundary=x; charset=nope", "'nope', which is no encoding"),
    ],
)
async def test_what_no_form_can_be_is_refused_with_the_reason(client: Client, path: str, kind: str, why: str) -> None:
    answer = await client.post(path, data=b"a=b", headers={"Content-Type": kind})
    assert (answer.status, why in (await answer.json())["detail"]) == (400, True)
