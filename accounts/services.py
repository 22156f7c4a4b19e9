"""Changes to accounts and tokens."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.audit import Principal, record
from accounts.models import Action, ApiToken, Identity, Scope, Team, User

# Lets a scanner for leaked secrets know ours.
TOKEN_MARK = "swd_"  # noqa: S105  # the public beginning of every token
PREFIX_LENGTH = len(TOKEN_MARK) + 6
LAST_USE_PRECISION = timedelta(minutes=1)


@transaction.atomic
def create_token(
    *,
    name: str,
    scope: str = Scope.READ,
    team: Team | None = None,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> tuple[ApiToken, str]:
    """Make a token; return it and its secret, which is not stored."""
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        digest=ApiToken.digest_of(secret),
        scope=Scope(scope),
        team=team,
        expires_at=expires_at,
        created_by=by,
    )
    record(
        Action.TOKEN_CREATED,
        by=by,
        subject=token,
        prefix=token.prefix,
        scope=token.scope,
        team_id=token.team_id,
    )
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: Principal | None = None) -> bool:
    """End a token for good; False when it had ended before."""
    revoked = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        revoked_at=timezone.now()
    )
    if revoked:
        token.refresh_from_db(fields=["revoked_at"])
        record(Action.TOKEN_REVOKED, by=by, subject=token, prefix=token.prefix)
    return bool(revoked)


@transaction.atomic
def take_over_token(token: ApiToken, *, by: User) -> bool:
    """Answer for a token from now on, so that it goes on when its maker leaves."""
    free = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True)
    if not free.exclude(created_by=by).update(created_by=by):
        return False
    record(
        Action.TOKEN_TAKEN_OVER,
        by=by,
        subject=token,
        prefix=token.prefix,
        from_user=token.created_by_id,
    )
    return True


def revoke_tokens_of(user: User, *, by: Principal | None = None) -> int:
    """Revoke what a user made who is leaving or no longer staff; returns how many."""
    return sum(
        revoke_token(token, by=by)
        for token in ApiToken.objects.filter(created_by=user, revoked_at__isnull=True)
    )


def find_token(secret: str) -> ApiToken | None:
    """The usable token with this secret; its use is noted at most once a minute."""
    token = ApiToken.objects.usable_with(ApiToken.digest_of(secret))
    if token is None:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= LAST_USE_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def end_sessions(user: User) -> None:
    """End every session of this user; the caller records why."""
    User.objects.filter(pk=user.pk).update(
        session_generation=F("session_generation") + 1
    )
    user.refresh_from_db(fields=["session_generation"])


@transaction.atomic
def log_out_everywhere(user: User, *, by: User | None = None) -> None:
    """End every session of this user, on all devices; `by` defaults to the user."""
    end_sessions(user)
    record(Action.LOGGED_OUT_EVERYWHERE, by=by or user, subject=user)


@transaction.atomic
def unlink_single_sign_on(user: User, *, by: User) -> bool:
    """Forget who the user is at the provider; False when nothing was known.

    Their sessions end: whoever is there may have one.
    """
    if not Identity.objects.filter(user=user).delete()[0]:
        return False
    record(Action.SIGN_ON_UNLINKED, by=by, subject=user)
    end_sessions(user)
    return True
