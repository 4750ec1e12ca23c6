"""What a provider of sign-ins says of itself, and how we prove there who we are."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from responder.adapters.oidc_client import Client, is_safe
from responder.adapters.oidc_keys import ALGORITHMS
from responder.errors import SignInFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """What a provider says of itself (Discovery 1.0, section 3), as far as we need it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    names_itself: bool
    auth_methods: tuple[str, ...]
    algorithms: frozenset[str]


def discovery_url(issuer: str) -> str:
    """Where a provider describes itself (Discovery 1.0, section 4.1). Raises SignInFailed without https."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    if not is_safe(url):
        raise SignInFailed(f"The sign-in provider is not asked without https: {issuer}")
    return url


def read_provider(document: Mapping[str, Any], issuer: str) -> Provider:
    """What a discovery document says. Raises SignInFailed.

    Source: Discovery 1.0, sections 3 and 4.3: the issuer must be exactly the one that was asked.
    """
    if document.get("issuer") != issuer:
        raise SignInFailed(
            f"The sign-in provider calls itself {_shown(document.get('issuer'))}, but sign_in: oidc: issuer is "
            f"{issuer}; they must be the same to the letter."
        )
    supported = document.get("id_token_signing_alg_values_supported", ["RS256"])
    algorithms = frozenset(_texts(supported)) & ALGORITHMS
    if not algorithms:
        raise SignInFailed("The sign-in provider signs ID tokens in no way that we trust; RS256 or ES256 will do.")
    return Provider(
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", is_needed=False),
        end_session_endpoint=_endpoint(document, "end_session_endpoint", is_needed=False),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        auth_methods=_texts(document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])),
        algorithms=algorithms,
    )


def credentials(client: Client, provider: Provider) -> tuple[dict[str, str], dict[str, str]]:
    """What proves at the token endpoint who we are: headers, and fields of the form. Raises SignInFailed.

    Source: RFC 6749, section 2.3.1; OpenID Connect Core 1.0, section 9.
    """
    if client.client_secret is None:
        return {}, {"client_id": client.client_id}
    secret = client.client_secret.value
    methods = (client.auth_method,) if client.auth_method else provider.auth_methods
    if "client_secret_basic" in methods:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}
    if "client_secret_post" in methods:
        return {}, {"client_id": client.client_id, "client_secret": secret}
    raise SignInFailed(
        "The sign-in provider takes client secrets neither by client_secret_basic nor client_secret_post."
    )


def _endpoint(document: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    url = document.get(name)
    if url is None and not is_needed:
        return ""
    if not isinstance(url, str) or not is_safe(url):
        raise SignInFailed(f"The sign-in provider's {name} is missing, or is no https address: {_shown(url)}")
    return url


def _texts(given: object) -> tuple[str, ...]:
    return tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()


def _shown(given: object) -> str:
    return repr(given)[:200]
