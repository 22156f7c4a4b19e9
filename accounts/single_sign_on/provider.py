"""The provider's side of single sign-on: where to send people, and what it says.

Authlib speaks the protocol: discovery, the code flow with PKCE, and the checks of the
ID token. What it leaves to its caller is decided here: whose tokens count, with which
signatures, and how old they may be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import BaseApp, OAuthError
from authlib.integrations.base_client.sync_app import OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from joserfc import errors as jose

from accounts.single_sign_on.refusals import Reason, RefusedError

#: Signatures with a key that the provider alone has. With HS256 it would be the client
#: secret, which we have too, and with "none" there would be none.
ALGORITHMS = {
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
}
#: By which our clock and the provider's may differ.
LEEWAY_S = 60
#: For each answer of the provider; somebody waits for it.
TIMEOUT_S = 8
#: After so long its addresses and keys are asked for again.
_METADATA_S = 3600
_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where to send the browser, and what to keep for it."""

    url: str
    state: str
    nonce: str
    code_verifier: str


class Provider(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc]
    """The provider of OIDC_ISSUER, as it describes itself."""

    client_cls = OAuth2Session

    def load_server_metadata(self) -> dict[str, Any]:
        """Ask the provider for its addresses, once an hour.

        Raises `RefusedError` where it says that it is another one.
        """
        if "issuer" in self.server_metadata:
            found: dict[str, Any] = self.server_metadata
            return found
        with self._get_session() as session:
            answer = session.get(self._server_metadata_url, withhold_token=True)
        answer.raise_for_status()
        told = answer.json()
        if told["issuer"] != settings.OIDC_ISSUER:
            raise RefusedError(Reason.ISSUER)
        # These alone: whatever else it tells would go to the client as options.
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        metadata: dict[str, Any] = {name: _safe_address(told[name]) for name in names}
        if told.get("userinfo_endpoint"):
            metadata["userinfo_endpoint"] = _safe_address(told["userinfo_endpoint"])
        algorithms = told.get("id_token_signing_alg_values_supported") or ["RS256"]
        usable = sorted(ALGORITHMS & set(algorithms))
        if not usable:
            raise RefusedError(Reason.ALGORITHM)
        metadata["id_token_signing_alg_values_supported"] = usable
        known = told.get("token_endpoint_auth_methods_supported") or _METHODS
        metadata["token_endpoint_auth_method"] = next(
            (method for method in _METHODS if method in known), _METHODS[0]
        )
        self.server_metadata.update(metadata, issuer=told["issuer"])
        return metadata

    def forget_keys(self) -> None:
        """Fetch the provider's keys anew next time: it may have replaced them."""
        self.server_metadata.pop("jwks", None)


def _safe_address(url: str) -> str:
    """Return an address that the provider names; `ValueError` for one in the open."""
    expected = {"https", urlsplit(settings.OIDC_ISSUER).scheme}
    if urlsplit(url).scheme not in expected:
        raise ValueError("An address of the provider is not https.")
    return url


@lru_cache(maxsize=1)
def _provider(issuer: str, client_id: str, secret: str, scopes: str, _: int) -> Any:
    return Provider(
        None,
        "provider",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": scopes,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
        },
    )


def provider() -> Any:
    """The provider of the settings, with what it has told about itself."""
    return _provider(
        settings.OIDC_ISSUER,
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        settings.OIDC_SCOPES,
        int(time.monotonic() // _METADATA_S),
    )


def begin(callback_url: str, *, asks_again: bool, must_be_fresh: bool) -> Begun:
    """Begin a sign-in that comes back to `callback_url`.

    With `asks_again` the provider is told to ask who it is, whoever is logged in
    there; `must_be_fresh` also has it say when it did.
    """
    options: dict[str, Any] = {}
    if asks_again or must_be_fresh:
        options["prompt"] = "login"
    if must_be_fresh:
        options["max_age"] = 0
    if settings.OIDC_SECOND_FACTOR_ACR:
        options["acr_values"] = " ".join(settings.OIDC_SECOND_FACTOR_ACR)
    with _refusals():
        begun = provider().create_authorization_url(callback_url, **options)
    return Begun(begun["url"], begun["state"], begun["nonce"], begun["code_verifier"])


def claims_of(
    code: str, *, callback_url: str, state: str, nonce: str, code_verifier: str
) -> dict[str, Any]:
    """Return what the provider says of the person, after all checks of its token.

    Raises `RefusedError`.
    """
    found = provider()
    with _refusals():
        token = found.fetch_access_token(
            redirect_uri=callback_url,
            code=code,
            state=state,
            code_verifier=code_verifier,
            grant_type="authorization_code",
        )
        if not isinstance(token.get("id_token"), str):
            raise RefusedError(Reason.ANSWER)
        claims = found.parse_id_token(
            token, nonce=nonce, claims_options=_options(), leeway=LEEWAY_S
        )
        claims = dict(claims)
        needed = {"email", settings.OIDC_GROUPS_CLAIM.partition(".")[0]}
        if needed - claims.keys() and "userinfo_endpoint" in found.server_metadata:
            # Some leave mail and groups out of the token, which proves who it is.
            more = dict(found.userinfo(token=token))
            if more.get("sub") != claims["sub"]:
                raise RefusedError(Reason.CLAIMS)
            claims = more | claims
    return claims


def _options() -> dict[str, Any]:
    essential = {"essential": True}
    return {
        "iss": essential | {"value": settings.OIDC_ISSUER},
        "aud": essential | {"value": settings.OIDC_CLIENT_ID},
        "nonce": essential,
        "sub": essential,
        "exp": essential,
        "iat": essential,
    }


_OF_CLAIM = {
    "nonce": Reason.NONCE,
    "iss": Reason.ISSUER,
    "aud": Reason.AUDIENCE,
    "azp": Reason.AUDIENCE,
    "exp": Reason.EXPIRED,
}


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what Authlib and the network raise into a `RefusedError`.

    The errors themselves quote addresses, codes and claims, and go no further.
    """
    try:
        yield
    except requests.RequestException:
        raise RefusedError(Reason.UNREACHABLE) from None
    except jose.ExpiredTokenError:
        raise RefusedError(Reason.EXPIRED) from None
    except jose.ClaimError as error:
        reason = _OF_CLAIM.get(error.claim, Reason.CLAIMS)
        raise RefusedError(reason) from None
    except jose.UnsupportedAlgorithmError:
        raise RefusedError(Reason.ALGORITHM) from None
    except (jose.BadSignatureError, jose.InvalidKeyIdError):
        provider().forget_keys()
        raise RefusedError(Reason.SIGNATURE) from None
    except (jose.JoseError, OAuthError, ValueError, KeyError, TypeError):
        raise RefusedError(Reason.ANSWER) from None
