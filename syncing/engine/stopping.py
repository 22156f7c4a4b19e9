"""How a run stops early: because it was asked to, or because it cannot go on."""

from __future__ import annotations

from syncing.client.errors import (
    AuthenticationError,
    ConfigurationError,
    RebootError,
    UnavailableError,
)
from syncing.hints import HINT_OTHERWISE, HINTS

#: Answers after which asking for anything else is pointless.
RUN_ENDING_ERRORS = (AuthenticationError, ConfigurationError, UnavailableError)


class StopRun(BaseException):
    """The run is to end now: canceled, out of time, stalled, or no longer ours.

    Not an ``Exception``, so that no handler for one bad record swallows it.
    """


class FatalError(Exception):
    """The run cannot go on; the message says why, and the hint what to do."""

    def __init__(self, message: str, *, code: str, hint: str, what: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.what = what


def fatal_from(error: RebootError, what: str) -> FatalError:
    """Return the error that ends a run because of the vendor's answer."""
    return FatalError(
        error.message,
        code=error.code,
        hint=HINTS.get(error.code, HINT_OTHERWISE),
        what=what,
    )
