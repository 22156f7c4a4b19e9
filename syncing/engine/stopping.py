"""The two ways in which a run stops before its work is done: asked to, or it must."""

from __future__ import annotations

from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    RebootError,
    UnavailableError,
)
from syncing.hints import HINT_OTHERWISE, HINTS

#: Answers after which asking for anything else is pointless.
HOPELESS = (AuthenticationError, ConfigurationError, UnavailableError)


class StopRun(BaseException):
    """The run is to end now: cancelled, out of time, stalled, or no longer ours.

    Not an ``Exception``, so that no handler for one bad record swallows it.
    """


class FatalError(Exception):
    """The run cannot go on; `error` says why in plain words."""

    def __init__(self, message: str, *, code: str, hint: str, what: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.what = what


def fatal_from(error: RebootError, what: str) -> FatalError:
    """The end of a run because of the vendor's answer."""
    return FatalError(
        error.message,
        code=error.code,
        hint=HINTS.get(error.code, HINT_OTHERWISE),
        what=what,
    )
