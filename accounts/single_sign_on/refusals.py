"""Why a single sign-on is refused, in a word for the log and in words for a page."""

from __future__ import annotations

from enum import StrEnum

from accounts.models import User


class Reason(StrEnum):
    """Why somebody does not get in."""

    # The way there and back.
    TOO_OFTEN = "too_often"
    UNREACHABLE = "unreachable"
    STATE = "state"
    DENIED = "denied"
    ANSWER = "answer"
    # The provider's statement, and which part of it is wrong.
    SIGNATURE = "signature"
    ALGORITHM = "algorithm"
    NONCE = "nonce"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    CLAIMS = "claims"
    NOT_FRESH = "not_fresh"
    # The person.
    EMAIL_UNVERIFIED = "email_unverified"
    EMAIL_DOMAIN = "email_domain"
    EMAIL_TWICE = "email_twice"
    UNKNOWN = "unknown"
    NOT_LINKED = "not_linked"
    LINKED_OTHERWISE = "linked_otherwise"
    SUPERUSER = "superuser"
    DEACTIVATED = "deactivated"
    NO_ROLE = "no_role"


class RefusedError(Exception):
    """Single sign-on goes no further; `user` is whose account it was about, if any."""

    def __init__(self, reason: Reason, user: User | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.user = user


_NOT_PROVEN = (
    "The provider's answer could not be verified, so you were not logged in. Try "
    "again. If it happens again, tell whoever runs the dashboard; the reason is in "
    "the log."
)
_WORDS = {
    Reason.TOO_OFTEN: "There were too many tries from your network. Wait a quarter of "
    "an hour, then try again.",
    Reason.UNREACHABLE: "The provider did not answer. Try again in a minute.",
    Reason.STATE: "This sign-in was not started in this browser, or longer than ten "
    "minutes ago. Start it again.",
    Reason.DENIED: "The provider did not let you in, or you canceled. Start again if "
    "that was a mistake.",
    Reason.NOT_FRESH: "The provider did not ask who you are this time. Start again, "
    "and enter your password there.",
    Reason.EMAIL_UNVERIFIED: "The provider has not verified your email address. "
    "Verify it there, then try again.",
    Reason.EMAIL_DOMAIN: "Addresses like yours are not allowed here. Use the "
    "account of your facility.",
    Reason.EMAIL_TWICE: "Several accounts here have your email address. Ask "
    "staff to correct that.",
    Reason.UNKNOWN: "You have no account here yet. Ask staff to create one.",
    Reason.NOT_LINKED: "Your account here has the same email address but is not linked "
    "to the provider. Log in with your password.",
    Reason.LINKED_OTHERWISE: "The account with your email address belongs to someone "
    "else at the provider. Ask staff to unlink it.",
    Reason.SUPERUSER: "Superusers log in with their password here.",
    Reason.DEACTIVATED: "Your account here is deactivated. Ask staff.",
    Reason.NO_ROLE: "The provider gives you no role here. Ask whoever manages your "
    "groups there.",
}


def in_words(reason: Reason) -> str:
    """Say why, and what to do about it."""
    return _WORDS.get(reason, _NOT_PROVEN)


def status_of(reason: Reason) -> int:
    """Return the status of the page that says so."""
    statuses = {Reason.TOO_OFTEN: 429, Reason.UNREACHABLE: 503, Reason.STATE: 400}
    return statuses.get(reason, 403)
