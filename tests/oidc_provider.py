"""A provider of OpenID Connect in a process of its own, and switches that spoil it.

`oidc-provider-mock` is the provider: discovery, keys, login form, codes, tokens. Around
it stands what it leaves out (the client's secret, PKCE) and `PUT /spoil`, by which a
test has it lie. Run as a module it serves on a free port and prints it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

CLIENT_ID = "dashboard"
CLIENT_SECRET = "a secret of these tests"


@dataclass(frozen=True)
class Provider:
    """The running provider, as tests use it."""

    issuer: str

    def knows(self, sub: str, **claims: Any) -> None:
        """Make a person known, with what is said of them."""
        answer = requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=10)
        answer.raise_for_status()

    def spoil(self, **how: Any) -> None:
        """Lie from now on: `claims` and `drop` of a token, `sign`, `discovery`."""
        requests.put(f"{self.issuer}/spoil", json=how, timeout=10).raise_for_status()

    def log_in(self, url: str, sub: str, **form: str) -> str:
        """Log in as a person on the page at `url`; the address that this leads to."""
        sent = form or {"sub": sub}
        answer = requests.post(url, data=sent, allow_redirects=False, timeout=10)
        return answer.headers["Location"]


def switch_on(settings: Any, provider: Provider) -> None:
    """Have single sign-on in this test as a facility may set it up."""
    from accounts.single_sign_on import provider as module

    settings.ROOT_URLCONF = "tests.with_single_sign_on"
    settings.OIDC_ISSUER = provider.issuer
    settings.OIDC_CLIENT_ID = CLIENT_ID
    settings.OIDC_CLIENT_SECRET = CLIENT_SECRET
    settings.OIDC_NAME = "Facility ID"
    settings.OIDC_CREATE_USERS = True
    settings.OIDC_LINK_BY_EMAIL = True
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.backends.SingleSignOnBackend",
    ]
    # It remembers a provider for an hour.
    module._provider.cache_clear()
    provider.spoil()


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.oidc_provider"],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        port = process.stdout.readline().strip()
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.communicate()


def _app() -> Any:
    import flask
    import oidc_provider_mock

    app = oidc_provider_mock.app(require_nonce=True)
    how: dict[str, Any] = {}
    challenges: dict[str, str] = {}

    @app.put("/spoil")
    def spoil() -> Any:
        how.clear()
        how.update(flask.request.json)
        return "", 204

    @app.get("/favicon.ico")
    def icon() -> Any:
        return "", 204

    @app.before_request
    def check_client() -> Any:
        if flask.request.path != "/oauth2/token":
            return None
        given = flask.request.authorization
        form = flask.request.form
        verifier = form.get("code_verifier", "").encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest())
        is_client = given and (given.username, given.password) == (
            CLIENT_ID,
            CLIENT_SECRET,
        )
        wanted = challenges.pop(form.get("code", ""), "")
        if is_client and digest.rstrip(b"=").decode() == wanted:
            return None
        return {"error": "invalid_grant"}, 400

    @app.after_request
    def keep_challenge(answer: Any) -> Any:
        arguments = flask.request.args
        code = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("code")
        if code and arguments.get("code_challenge_method") == "S256":
            challenges[code[0]] = arguments["code_challenge"]
        return answer

    @app.after_request
    def without_styles(answer: Any) -> Any:
        # They would come from the internet.
        if answer.mimetype == "text/html" and not answer.direct_passthrough:
            answer.set_data(re.sub(r"<link[^>]*>", "", answer.get_data(as_text=True)))
        return answer

    @app.after_request
    def lie(answer: Any) -> Any:
        path = flask.request.path
        if path.startswith("/.well-known/") and "discovery" in how:
            answer.set_data(json.dumps(answer.get_json() | how["discovery"]))
        if path == "/oauth2/token" and answer.status_code == 200:
            told = answer.get_json()
            kept = flask.g.oidc_provider_mock_storage.jwk
            key = kept.as_dict(is_private=True)
            told["id_token"] = _spoiled(told["id_token"], key, how)
            answer.set_data(json.dumps(told))
        return answer

    return app


def _spoiled(token: str, jwk: Any, how: dict[str, Any]) -> str | None:
    """Sign what the token says, and what it is to say instead."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    if not how.keys() & {"claims", "drop", "sign"}:
        return token
    header, claims, _ = token.split(".")
    told = _read(claims) | how.get("claims", {})
    for name in how.get("drop", ()):
        told.pop(name, None)
    head, key = _read(header), _opened(json.dumps(jwk))
    match how.get("sign"):
        case "no token":
            return None
        case "none":
            return f"{_written(head | {'alg': 'none'})}.{_written(told)}."
        case "our secret":
            return _with_hs256(head, told, CLIENT_SECRET.encode())
        case "public key":
            return _with_hs256(head, told, key.as_pem(private=False))
        case "another key":
            key = RSAKey.generate_key(2048)
    signed = jwt.encode(head | {"alg": "RS256"}, told, key)
    if how.get("sign") == "altered":
        parts = signed.split(".")
        return f"{parts[0]}.{_written(told | {'sub': 'other'})}.{parts[2]}"
    return signed


@cache
def _opened(jwk: str) -> Any:
    """The key; to read it, its primes are checked for a tenth of a second."""
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(json.loads(jwk))


def _with_hs256(head: dict[str, Any], told: dict[str, Any], secret: bytes) -> str:
    # By hand: libraries refuse to sign with such keys.
    text = f"{_written(head | {'alg': 'HS256'})}.{_written(told)}"
    signature = hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _read(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _written(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


if __name__ == "__main__":
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, _app(), threaded=True)
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()
