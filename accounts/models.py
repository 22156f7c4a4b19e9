"""Who may log in or call, what each may see, and the record of what was done."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac


class Units(models.TextChoices):
    """Units in which pages show lengths and speeds."""

    IMPERIAL = "imperial", "mph, feet and inches"
    METRIC = "metric", "m/s, metres"


class User(AbstractUser):
    """A coach; with ``is_staff`` also sync and admin."""

    units = models.CharField(
        max_length=10, choices=Units.choices, default=Units.IMPERIAL
    )
    limited_to_teams = models.BooleanField(
        "sees own teams only",
        default=False,
        help_text="Without teams such a coach sees nobody. Staff see all athletes.",
    )
    # Part of what a session cookie is checked against, so that raising it ends
    # every session of this user without a search through all sessions.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    teams: models.Manager[Team]

    def team_limit(self) -> models.QuerySet[Team] | None:
        """Teams whose athletes this user may see; None where all may be seen."""
        if self.is_staff or self.is_superuser or not self.limited_to_teams:
            return None
        return Team.objects.filter(members=self)

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        # Django's own, with the generation added; the one place that both the
        # present key and the fallback keys of a rotated SECRET_KEY go through.
        return salted_hmac(
            "accounts.models.User.get_session_auth_hash",
            f"{self.password}:{self.session_generation}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class Team(models.Model):
    """A group of athletes, and the coaches who may be limited to it."""

    name = models.CharField(max_length=100, unique=True)
    players = models.ManyToManyField(
        "athletes.Player", related_name="teams", blank=True, verbose_name="athletes"
    )
    members = models.ManyToManyField(
        User, related_name="teams", blank=True, verbose_name="coaches"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Read"
    SYNC = "sync", "Read and start a sync"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Questions about tokens."""

    def usable(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        )


class ApiToken(models.Model):
    """A program's key to the JSON paths; only its hash is stored."""

    name = models.CharField(max_length=100, help_text="Which program uses it.")
    prefix = models.CharField(
        max_length=20,
        editable=False,
        help_text="Beginning of the token, to tell tokens apart.",
    )
    # A plain hash does here: 256 random bits cannot be guessed, however fast
    # the hash is, and each request has to compute it.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    # Without the team the token goes too; it must not turn into one for all.
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="tokens",
        help_text="Sees the athletes of this team only; empty: all athletes.",
    )
    created_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    @property
    def is_active(self) -> bool:
        """Whether the token works at this moment."""
        return self.revoked_at is None and not self.is_expired

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def may_sync(self) -> bool:
        return self.scope == Scope.SYNC

    def team_limit(self) -> models.QuerySet[Team] | None:
        """Teams whose athletes this token may see; None where all may be seen."""
        return None if self.team_id is None else Team.objects.filter(pk=self.team_id)


class Action(models.TextChoices):
    """What is recorded of people and programs."""

    TOKEN_CREATED = "token.created", "Token made"
    TOKEN_REVOKED = "token.revoked", "Token revoked"
    SYNC_REQUESTED = "sync.requested", "Sync started"
    DATA_EXPORTED = "data.exported", "Athlete's data downloaded"
    SHEET_VIEWED = "sheet.viewed", "Athlete's sheet opened"
    RECORD_CHANGED = "record.changed", "Record changed"
    RECORD_DELETED = "record.deleted", "Record deleted"
    EVENT_MOVED = "event.moved", "Event of a swing moved"
    INCLUSION_CHANGED = "inclusion.changed", "Swing counted in or out"
    SHARE_CREATED = "share.created", "Share link made"
    SHARE_REVOKED = "share.revoked", "Share link revoked"
    ATHLETE_MERGED = "athlete.merged", "Athletes merged"
    ATHLETE_ERASED = "athlete.erased", "Athlete erased"
    LOGGED_OUT_EVERYWHERE = "user.logged_out", "Logged out everywhere"


class AppendOnlyError(TypeError):
    """An entry of the audit was about to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("Audit entries are written once: add another one instead.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Entries can be added and read."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError


class AuditEntry(models.Model):
    """Who did what to which record; written once.

    Athletes are named by number alone, so that an erased one leaves no name here.
    """

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=40, choices=Action.choices)
    # The label stays when the account goes.
    actor = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="audit_entries"
    )
    token = models.ForeignKey(
        ApiToken, null=True, on_delete=models.SET_NULL, related_name="audit_entries"
    )
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True)
    # Not a foreign key: the entry outlives the athlete.
    player_number = models.BigIntegerField("athlete id", null=True)
    detail = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-id"]
        indexes = [
            # who saw this athlete's data
            models.Index(fields=["player_number", "-at"], name="audit_player"),
            models.Index(fields=["action", "-at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor or 'the system'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        # An entry with the number of another one must not replace it.
        super().save(force_insert=True)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError
