"""The login with a password: a token is bought, shared and replaced when refused."""

import math

from requests.auth import AuthBase

from syncing.client.answers import CHUNK_BYTES, positive_seconds
from syncing.client.connections import HeaderAuth, NoAuth, Request
from syncing.client.errors import (
    AuthenticationError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from syncing.client.http import Transport
from syncing.client.tokens import (
    PasswordLogin,
    Token,
    TokenStore,
    is_header_safe,
    token_key,
)

#: Where the vendor names no lifetime, ask again after an hour.
UNKNOWN_TOKEN_LIFE_S = 3600.0
LONGEST_TOKEN_MARGIN_S = 300.0
#: Many objects may be forbidden to a login: one new token tells that for all of them.
RENEWAL_AFTER_403_S = 300.0


class TokenLogin:
    """Buys a token with the password and keeps it in the store."""

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        login: PasswordLogin,
        store: TokenStore,
    ) -> None:
        self._transport = transport
        self._url = f"{base_url}/oauth/token"
        self._password_login = login
        self._store = store
        self._key = token_key(base_url, login)
        self._renewed_after_403_at = -math.inf

    def current(self) -> AuthBase:
        """Return the header of a token that is good, fetched when none is stored."""
        token = self._fresh()
        if token is None:
            with self._store.lock(self._key):
                token = self._fresh() or self._fetch()
        return BearerAuth(token.access_token)

    def renew(self, refused: AuthBase, *, for_403: bool = False) -> bool:
        """Replace the token that was refused, unless another worker has done so.

        Returns whether there is another token now. After a 403, which need not be
        about the token, one is bought every five minutes at most.
        """
        with self._store.lock(self._key):
            token = self._fresh()
            if token is not None and BearerAuth(token.access_token) != refused:
                return True
            if for_403 and token is not None:
                now = self._transport.clock.monotonic()
                if now - self._renewed_after_403_at < RENEWAL_AFTER_403_S:
                    return False
                self._renewed_after_403_at = now
            self._fetch()
            return True

    def _fresh(self) -> Token | None:
        token = self._store.get(self._key)
        if token is None or token.renew_at <= self._transport.clock.time():
            return None
        return token

    def _fetch(self) -> Token:
        route = "POST /oauth/token"
        request = Request(
            route,
            "POST",
            self._url,
            body={
                "username": self._password_login.username,
                "password": self._password_login.password,
            },
            headers={"Accept": "application/json"},
        )
        refused = AuthenticationError(
            f"{route}: Reboot Motion refuses the login. Check REBOOT_USERNAME and "
            "REBOOT_PASSWORD.",
        )
        payload: object = None
        try:
            payload = self._transport.send(
                request,
                auth=NoAuth,
                read=lambda response: self._transport.answers.read_json(
                    response, request, max_bytes=CHUNK_BYTES
                ),
            )
        except (AuthenticationError, UnexpectedStatusError) as error:
            # The status of a bad login is not recorded: 400 and 422 are possible.
            if error.status not in {400, 401, 403, 422}:
                raise
            refused.status = error.status
            payload = refused
        if payload is refused:
            raise refused
        token = self._token_from(payload, route)
        self._store.put(self._key, token)
        return token

    def _token_from(self, payload: object, route: str) -> Token:
        access = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(access, str) or not is_header_safe(access):
            raise UnexpectedShapeError(
                f'{route}: field "access_token" is missing or unusable. Check the '
                "address of Reboot Motion's API.",
                fields=("access_token",),
            )
        assert isinstance(payload, dict)  # noqa: S101 - follows from the check above
        life_s = positive_seconds(payload.get("expires_in")) or UNKNOWN_TOKEN_LIFE_S
        now = self._transport.clock.time()
        margin_s = min(LONGEST_TOKEN_MARGIN_S, 0.1 * life_s)
        return Token(access, renew_at=now + life_s - margin_s, expires_at=now + life_s)


class BearerAuth(HeaderAuth):
    """Sends an access token; two are equal when they send the same one."""

    def __init__(self, access_token: str) -> None:
        super().__init__({"Authorization": f"Bearer {access_token}"})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BearerAuth) and other._headers == self._headers

    __hash__ = None  # type: ignore[assignment]
