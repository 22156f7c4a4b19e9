"""Who may log in or call, what each may see, and the record of what was done."""

from __future__ import annotations

import hashlib
import re
import time
from functools import cache
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from accounts.keys import seal, unseal


class Units(models.TextChoices):
    """Units in which pages show lengths and speeds."""

    IMPERIAL = "imperial", "mph, feet and inches"
    METRIC = "metric", "m/s, centimeters"


class Paper(models.TextChoices):
    """Paper for which sheets are made as PDF."""

    LETTER = "letter", "Letter"
    A4 = "a4", "A4"


def usual_paper(units: str, chosen: str = "") -> str:
    """The paper that was chosen, else the facility's, else Letter or A4 by units."""
    for wanted in (chosen, settings.SHEET_PAPER):
        if wanted in Paper.values:
            return str(wanted)
    return str(Paper.A4 if units == Units.METRIC else Paper.LETTER)


class User(AbstractUser):
    """A coach; with ``is_staff`` also sync and admin."""

    units = models.CharField(
        max_length=10, choices=Units.choices, default=Units.IMPERIAL
    )
    paper = models.CharField(
        max_length=6,
        choices=Paper.choices,
        blank=True,
        default="",
        db_default="",
        help_text="If empty: the facility's, or the usual one for the units.",
    )
    limited_to_teams = models.BooleanField(
        "sees only their own teams",
        default=False,
        help_text="A coach limited this way sees no athletes until they are on a team. "
        "Staff see all athletes.",
    )
    may_start_sync = models.BooleanField(
        "can start a sync",
        default=True,
        db_default=True,
        help_text="Lets a coach press “Sync now” to import what is new. Staff can "
        "always start a sync, including a full one.",
    )
    # Part of what a session cookie is checked against, so that raising it ends
    # every session of this user without a search through all sessions.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    teams: models.Manager[Team]

    @property
    def sheet_paper(self) -> str:
        """The paper of this user's sheets: `letter` or `a4`."""
        return usual_paper(self.units, self.paper)

    def has_second_factor(self) -> bool:
        """Whether the login asks for a code after the password."""
        return Authenticator.objects.filter(user=self).exists()

    def may_make_tokens(self) -> bool:
        """Whether this user may make API tokens; their tokens work only then."""
        return self.is_active and (self.is_staff or self.is_superuser)

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


class Identity(models.Model):
    """Who a user is at a provider of single sign-on."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    # The provider's own name of a person (`sub`), which it never gives to another one.
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField("created", auto_now_add=True)
    last_used_at = models.DateTimeField("last used", default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="identity_of_one_user"
            ),
            # Another person may get the mail address of one who left.
            models.UniqueConstraint(
                fields=["user", "issuer"], name="identity_one_per_issuer"
            ),
        ]

    def __str__(self) -> str:
        return f"identity of user {self.user_id}"


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """A user's second factor: the key from which an app on their phone makes codes.

    The package's own device keeps the key as it is. Here it is sealed, so that a copy
    of the database alone does not make codes.
    """

    sealed_key = models.TextField()
    # Steps of 30 s by which the phone's clock was off when last seen.
    drift = models.SmallIntegerField(default=0)
    # A code is good once: only those of later steps count.
    last_step = models.BigIntegerField(default=-1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], name="authenticator_one_per_user"),
        ]

    def __str__(self) -> str:
        return f"second factor of user {self.user_id}"

    @staticmethod
    def sealed(key: bytes) -> str:
        """Return `key` encrypted, as it is stored."""
        return seal(key.hex(), "authenticator")

    @staticmethod
    def opened(sealed_key: str) -> bytes:
        """Return the key decrypted; LostKeyError where SECRET_KEY has changed."""
        return bytes.fromhex(unseal(sealed_key, "authenticator"))

    def verify_token(self, token: str) -> bool:
        """Whether the code is right, not too often guessed at, and not used before.

        A clock that is up to 30 s off is forgiven, and how far it was off is kept, so
        that one that goes wrong slowly can be followed.
        """
        is_allowed, _ = self.verify_is_allowed()  # type: ignore[no-untyped-call]
        if not is_allowed:
            return False
        clock = TOTP(self.opened(self.sealed_key), drift=self.drift)
        clock.time = time.time()
        is_code = re.fullmatch("[0-9]{6}", token) is not None
        if is_code and clock.verify(int(token), tolerance=1, min_t=self.last_step + 1):
            self.last_step = clock.t()
            self.drift = clock.drift
            self.throttle_reset(commit=False)  # type: ignore[no-untyped-call]
            self.set_last_used_timestamp(commit=False)  # type: ignore[no-untyped-call]
            self.save()
            return True
        self.throttle_increment()
        return False

    def get_throttle_factor(self) -> int:
        """Seconds to wait after a wrong code; doubled after each further one."""
        return 1

    def throttle_increment(self, commit: bool = True) -> None:
        """Count a wrong code.

        The wait ends at 17 minutes, not after years as in the package: whoever has
        the password could otherwise lock the owner out for good.
        """
        super().throttle_increment(commit=False)  # type: ignore[no-untyped-call]
        self.throttling_failure_count = min(self.throttling_failure_count, 11)
        if commit:
            self.save()


class RecoveryCode(models.Model):
    """A code for the day on which the phone is lost; only its hash is stored."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    # 80 random bits: a plain hash does, as for tokens.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "digest"], name="recovery_code_once"
            ),
        ]

    def __str__(self) -> str:
        return f"recovery code of user {self.user_id}"


class Pool(models.TextChoices):
    """The budgets of wrong passwords and codes that one account has."""

    DEVICE = "device", "devices on which the user has logged in"
    NETWORK = "network", "networks from which the user has logged in"
    ELSEWHERE = "elsewhere", "everyone else"


class FailedLogin(models.Model):
    """One wrong password or code, or one that is being checked; kept for an hour."""

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    name = models.CharField(max_length=150)
    pool = models.CharField(max_length=10, choices=Pool.choices)
    device = models.CharField(max_length=32, blank=True)
    # Their first addresses; empty where nobody can tell the caller's.
    network = models.CharField(max_length=45, blank=True)
    wider = models.CharField(max_length=45, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "at"], name="failed_login_name"),
            models.Index(fields=["network", "at"], name="failed_login_network"),
            models.Index(fields=["wider", "at"], name="failed_login_wider"),
        ]

    def __str__(self) -> str:
        return f"failed login as {self.name}"


class SentForm(models.Model):
    """A form that was stored, by hash: its answer may be lost, and it is sent again.

    `accounts.sent_forms` writes, reads and forgets it.
    """

    digest = models.CharField(max_length=64, unique=True)
    # The key of what the form added, in whichever table that is; 0 until it is stored.
    row = models.BigIntegerField(default=0)
    at = models.DateTimeField("when", default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"sent form {self.pk}"


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", "Read"
    SYNC = "sync", "Read and start a sync"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Questions about tokens."""

    def usable(self) -> ApiTokenQuerySet:
        """Neither revoked nor expired, and whoever made it could make it today.

        A token made by a command on the server has no maker and needs none.
        """
        maker = Q(created_by__isnull=True) | Q(created_by__is_active=True) & (
            Q(created_by__is_staff=True) | Q(created_by__is_superuser=True)
        )
        return self.filter(maker, revoked_at__isnull=True).filter(
            # The database's clock: so the text of the query is always the same.
            Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
        )

    def usable_with(self, digest: str) -> ApiToken | None:
        """The usable token of this digest.

        Asked at each call of a program: Django would write the text of the query anew
        each time, which takes ten times as long as the answer.
        """
        sql, parameters = _usable_with()
        values = [digest if p == _DIGEST else p for p in parameters]
        return next(iter(self.raw(sql, values)), None)


_DIGEST = "digest for lookup"


@cache
def _usable_with() -> tuple[str, tuple[Any, ...]]:
    query = ApiToken.objects.usable().filter(digest=_DIGEST).order_by().query
    return query.sql_with_params()


def revoke_with_maker(
    collector: Any, field: Any, tokens: models.QuerySet[ApiToken], using: str
) -> None:
    """`on_delete` of a token's maker: it is revoked, and then belongs to nobody.

    SET_NULL alone would turn it into one that was made by a command.
    """
    # As a list: it is carried out when the rows no longer name their maker.
    working = [token for token in tokens if token.revoked_at is None]
    collector.add_field_update(field, None, tokens)
    if working:
        revoked_at = tokens.model._meta.get_field("revoked_at")
        collector.add_field_update(revoked_at, timezone.now(), working)


class ApiToken(models.Model):
    """A program's key to the JSON paths; only its hash is stored."""

    name = models.CharField(max_length=100, help_text="The program that uses it.")
    prefix = models.CharField(
        max_length=20,
        editable=False,
        help_text="Start of the token, to tell tokens apart.",
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
        help_text="Sees only this team's athletes. Empty: all athletes.",
    )
    created_by = models.ForeignKey(
        User,
        null=True,
        editable=False,
        on_delete=revoke_with_maker,
        related_name="tokens",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
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
        """Return the hash that is stored of a token."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @property
    def is_active(self) -> bool:
        """Whether the token works at this moment."""
        return self.revoked_at is None and not self.is_expired

    @property
    def is_expired(self) -> bool:
        """Return whether the token's end has passed."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def may_sync(self) -> bool:
        """Return whether the token may start a sync."""
        return self.scope == Scope.SYNC

    def team_limit(self) -> models.QuerySet[Team] | None:
        """Teams whose athletes this token may see; None where all may be seen."""
        return None if self.team_id is None else Team.objects.filter(pk=self.team_id)


class Action(models.TextChoices):
    """What is recorded of people and programs."""

    TOKEN_CREATED = "token.created", "Token created"
    TOKEN_REVOKED = "token.revoked", "Token revoked"
    TOKEN_TAKEN_OVER = "token.taken_over", "Token taken over"
    SYNC_REQUESTED = "sync.requested", "Sync started"
    DATA_EXPORTED = "data.exported", "Athlete's data downloaded"
    SHEET_VIEWED = "sheet.viewed", "Athlete's sheet opened"
    RECORD_CHANGED = "record.changed", "Record changed"
    RECORD_DELETED = "record.deleted", "Record deleted"
    EVENT_MOVED = "event.moved", "Swing event moved"
    INCLUSION_CHANGED = "inclusion.changed", "Swing included or excluded"
    SHARE_CREATED = "share.created", "Share link created"
    SHARE_OPENED = "share.opened", "Share link opened"
    SHARE_REVOKED = "share.revoked", "Share link revoked"
    ATHLETE_MERGED = "athlete.merged", "Athletes merged"
    ATHLETES_SEPARATED = "athlete.separated", "Merge undone"
    DUPLICATE_DECIDED = "duplicate.decided", "Possible duplicate resolved"
    ATHLETE_ERASED = "athlete.erased", "Athlete erased"
    LOGIN_FAILED = "login.failed", "Wrong password or code"
    LOGIN_LOCKED = "login.locked", "Login locked for a while"
    LOGIN_UNLOCKED = "login.unlocked", "Login unlocked by staff"
    PASSWORD_CHANGED = "password.changed", "Own password changed"
    PASSWORD_RESET_ASKED = "password.reset_asked", "Password reset requested by email"
    PASSWORD_RESET = "password.reset", "Password reset by email"
    LOGGED_OUT_EVERYWHERE = "user.logged_out", "Logged out everywhere"
    SECOND_FACTOR_ON = "second_factor.on", "Second factor turned on"
    SECOND_FACTOR_OFF = "second_factor.off", "Second factor turned off"
    SECOND_FACTOR_RESET = "second_factor.reset", "Second factor reset by staff"
    RECOVERY_CODES_MADE = "second_factor.codes", "New recovery codes created"
    RECOVERY_CODE_USED = "second_factor.recovery", "Recovery code used"
    SIGN_ON_CREATED = "sign_on.created", "Account created by single sign-on"
    SIGN_ON_LINKED = "sign_on.linked", "Account linked to single sign-on"
    SIGN_ON_UNLINKED = "sign_on.unlinked", "Account unlinked from single sign-on"
    SIGN_ON_RIGHTS = "sign_on.rights", "Rights changed by single sign-on"
    SIGN_ON_REFUSED = "sign_on.refused", "Single sign-on refused"


class AppendOnlyError(TypeError):
    """An entry of the audit was about to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("Audit entries are written once: add another one instead.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Entries can be added and read."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Raise `AppendOnlyError`: the audit is only added to."""
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        """Raise `AppendOnlyError`: the audit is only added to."""
        raise AppendOnlyError


class AuditEntry(models.Model):
    """Who did what to which record; written once.

    Athletes are named by number alone, so that an erased one leaves no name here.
    """

    at = models.DateTimeField("when", auto_now_add=True, db_index=True)
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
    subject_id = models.BigIntegerField("record ID", null=True)
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
            # what happened to this record
            models.Index(
                fields=["subject_type", "subject_id", "-at"], name="audit_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor or 'the system'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the entry; raise `AppendOnlyError` when it is stored already."""
        if not self._state.adding:
            raise AppendOnlyError
        # An entry with the number of another one must not replace it.
        super().save(force_insert=True)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `AppendOnlyError`: the audit is only added to."""
        raise AppendOnlyError
