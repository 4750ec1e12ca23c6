"""Sign-in by OpenID Connect: the authorization code flow with PKCE, as a client of one provider.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749 (OAuth 2.0), RFC 7636 (PKCE), RFC 9207 (`iss` of answers),
RFC 9700 (security of OAuth 2.0).
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from yarl import URL

from responder.adapters.kept import Kept
from responder.adapters.oidc_client import Attempt, Client, must_belong
from responder.adapters.oidc_keys import Keys, read_keys
from responder.adapters.oidc_line import Answer, Line
from responder.adapters.oidc_provider import Provider, credentials, discovery_url, read_provider
from responder.domain.arrivals import found
from responder.domain.id_token import Expected, objection_to_token
from responder.errors import SignInFailed, SignInRefused

_LONGEST = timedelta(hours=1)
"""So long the provider's description is kept."""
_CODE = re.compile(r"[a-z_]{1,40}")
_HINTS = {
    "access_denied": "You said no there, or you may not use this application.",
    "invalid_client": "It does not know this client, or its secret: look at client_id and client_secret_file.",
    "invalid_grant": "The code was used before, is too old, or is for another address. Begin again.",
    "unauthorized_client": "It does not allow this client to sign people in by a code.",
    "invalid_scope": "It does not know one of the scopes: look at sign_in: oidc: scopes.",
    "temporarily_unavailable": "Try again later.",
}
"""Source: RFC 6749, sections 4.1.2.1 and 5.2. Descriptions are not shown: nobody knows what they hold."""


class OpenId:
    """Signs people in at one provider. Every failure is SignInFailed or SignInRefused, without secrets or tokens."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._line = Line(client.timeout, client.ca_file)
        self._provider = Kept(self._discover, longest=_LONGEST)
        self._keys = Keys(self._ask_for_keys)

    async def close(self) -> None:
        await self._line.close()

    async def where_to_go(self, attempt: Attempt, now: datetime) -> str:
        """The address at the provider to which the browser is sent."""
        provider = await self._provider.value(now)
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self._client.scopes))),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return str(URL(provider.authorization_endpoint).update_query(asked))

    async def claims(self, answer: Mapping[str, str], attempt: Attempt, now: datetime) -> dict[str, Any]:
        """What is known of who came back: `answer` are the parameters with which the browser comes.

        Those of the ID token win over those of userinfo.
        """
        provider = await self._provider.value(now)
        code = _code_of(answer, attempt, provider, self._client.issuer)
        tokens = await self._tokens(provider, code, attempt)
        said = await self._keys.verified(tokens["id_token"], provider.algorithms, now)
        expected = Expected(
            issuer=self._client.issuer,
            client_id=self._client.client_id,
            nonce=attempt.nonce,
            access_token=tokens["access_token"],
            algorithm=said.algorithm,
        )
        if objection := objection_to_token(said.claims, expected, now):
            raise SignInRefused(objection)
        return {**await self._more(provider, said.claims, tokens["access_token"]), **said.claims}

    async def where_to_sign_out(self, back: str, now: datetime) -> str:
        """The address at which the provider ends its own session, too; empty if it has none.

        Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
        """
        provider = await self._provider.value(now)
        if not provider.end_session_endpoint:
            return ""
        asked = {"client_id": self._client.client_id, "post_logout_redirect_uri": back}
        return str(URL(provider.end_session_endpoint).update_query(asked))

    async def look(self, now: datetime) -> None:
        """Asks for all that can be asked without a person."""
        provider = await self._provider.value(now)
        credentials(self._client, provider)
        if not await self._keys.published(now):
            raise SignInFailed(f"The sign-in provider publishes no key to check ID tokens with: {provider.jwks_uri}")

    # --- questions to the provider -----------------------------------------------------------------

    async def _discover(self, _: datetime) -> Provider:
        what = "The sign-in provider"
        answer = await self._line.ask(what, discovery_url(self._client.issuer))
        return read_provider(_good(what, answer), self._client.issuer)

    async def _ask_for_keys(self, now: datetime) -> Sequence[Mapping[str, Any]]:
        what = "The list of keys of the sign-in provider"
        provider = await self._provider.value(now)
        return read_keys(_good(what, await self._line.ask(what, provider.jwks_uri)))

    async def _tokens(self, provider: Provider, code: str, attempt: Attempt) -> dict[str, str]:
        """Source: OpenID Connect Core 1.0, section 3.1.3, RFC 7636, section 4.5."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers, more = credentials(self._client, provider)
        what = "The token endpoint of the sign-in provider"
        answer = await self._line.ask(what, provider.token_endpoint, form={**form, **more}, headers=headers)
        if answer.status != 200 and "error" in answer.content:
            raise SignInRefused(f"The sign-in provider refused the code: {_named(answer.content['error'])}")
        content = _good(what, answer)
        if str(content.get("token_type", "")).lower() != "bearer":
            raise SignInFailed(f"{what} gave a token of another kind than bearer.")
        tokens = {name: content.get(name) for name in ("id_token", "access_token")}
        if not all(isinstance(token, str) and token for token in tokens.values()):
            raise SignInFailed(f"{what} gave no ID token or no access token; is the scope openid allowed?")
        return {name: str(token) for name, token in tokens.items()}

    async def _more(self, provider: Provider, claims: Mapping[str, Any], access_token: str) -> dict[str, Any]:
        """What userinfo adds, if it is needed (Core 5.3). A wrong subject is somebody else (5.3.2)."""
        is_whole = all(found(claims, claim) is not None for claim in self._client.wanted)
        if is_whole or not provider.userinfo_endpoint:
            return {}
        what = "The userinfo of the sign-in provider"
        headers = {"Authorization": f"Bearer {access_token}"}
        more = _good(what, await self._line.ask(what, provider.userinfo_endpoint, headers=headers))
        if more.get("sub") != claims["sub"]:
            raise SignInRefused("The sign-in provider's userinfo is of somebody else than its ID token.")
        return more


def challenge(verifier: str) -> str:
    """What the provider is shown of a verifier before it sees it: S256 of RFC 7636, section 4.2."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _code_of(answer: Mapping[str, str], attempt: Attempt, provider: Provider, issuer: str) -> str:
    """The code of an answer that belongs to the attempt and is the provider's. Raises SignInRefused.

    Source: RFC 6749, sections 4.1.2 and 10.12 (state), RFC 9207, section 2.4 (iss).
    """
    must_belong(answer, attempt)
    if answer.get("iss", "" if provider.names_itself else issuer) != issuer:
        raise SignInRefused("This answer is not from the sign-in provider that was asked. Begin again.")
    if "error" in answer:
        raise SignInRefused(f"The sign-in provider said no: {_named(answer['error'])}")
    if not answer.get("code"):
        raise SignInRefused("The sign-in provider sent you back without a code. Begin again.")
    return answer["code"]


def _named(error: object) -> str:
    """An error by its name, if it is one, and what to do about it."""
    if not isinstance(error, str) or not _CODE.fullmatch(error):
        return "an error without a name."
    return f"{error}. {_HINTS.get(error, '')}".rstrip()


def _good(what: str, answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise SignInFailed(f"{what} answers with status {answer.status}.")
    return answer.content
