"""Writes the record of who did what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import Action, ApiToken, AuditEntry, User

# Whoever acts: a person in a browser, or a program with a token.
Principal = User | ApiToken

# No user name has spaces.
NOT_LOGGED_IN = "not logged in"


def record(
    action: Action,
    *,
    by: Principal | AnonymousUser | None = None,
    subject: models.Model | None = None,
    player_id: int | None = None,
    **detail: Any,
) -> AuditEntry:
    """Add one entry. `detail` holds ids and plain values, never a person's name.

    `by` is None for what the system does by itself or a command on the server, and an
    AnonymousUser for what somebody did who was not logged in.
    """
    user = by if isinstance(by, User) else None
    token = by if isinstance(by, ApiToken) else None
    if user is not None:
        actor = user.get_username()
    elif token is not None:
        actor = f"token {token.prefix}"
    else:
        actor = NOT_LOGGED_IN if isinstance(by, AnonymousUser) else ""
    return AuditEntry.objects.create(
        action=action,
        actor=actor,
        user=user,
        token=token,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        player_number=player_id,
        detail=detail,
    )


def forget_player(
    player_id: int, *, subjects: Iterable[tuple[str, set[int]]] = ()
) -> int:
    """Empty the details of all entries about an erased athlete; returns how many.

    The one change that the audit knows. That something was done, by whom and when,
    stays; a reason or a file name in the details might still say about whom.
    `subjects` are types and ids of rows that go with the athlete.
    """
    # A queryset of its own: that of the model refuses to change anything.
    entries: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)
    wanted = list(entries.filter(player_number=player_id).values_list("pk", flat=True))
    for subject_type, pks in subjects:
        named = entries.filter(subject_type=subject_type, subject_id__isnull=False)
        wanted += [
            pk
            for pk, subject in named.values_list("pk", "subject_id")
            if subject in pks
        ]
    count = 0
    for start in range(0, len(wanted), 500):
        part = Q(pk__in=wanted[start : start + 500])
        count += entries.filter(part).exclude(detail={}).update(detail={})
    return count


def in_words(value: Any) -> str:
    """Return a value of an entry's detail as words, without the signs of JSON."""
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return str(value)
