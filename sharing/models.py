"""Links that open one sheet, and comparisons that people keep."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Units, User
from athletes.models import Movement, Player, Session
from dashboard.phrases import session_day
from dashboard.selectors.compare_keys import ATHLETE, RANGE, SESSION, SWING, ItemKey
from dashboard.selectors.compare_names import athlete_label, choice_words


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Share links, filtered."""

    def running(self) -> ShareLinkQuerySet:
        """Links that are neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


class ShareLink(models.Model):
    """A way to one sheet without a login; only the hash of its secret is stored.

    It is worth no more than its maker: whatever takes the athlete away from them takes
    the link away too (`sharing.links`).
    """

    # Of an athlete's newest session, or, with `session`, of that one.
    player = models.ForeignKey(
        Player, on_delete=models.CASCADE, related_name="share_links"
    )
    session = models.ForeignKey(
        Session,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="share_links",
    )
    # A plain hash does: 256 random bits cannot be guessed, however fast it is.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(max_length=100, blank=True)
    full_name = models.BooleanField(default=False)
    units = models.CharField(max_length=10, choices=Units.choices)
    created_by = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="share_links"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    expires_at = models.DateTimeField("expires")
    revoked_at = models.DateTimeField(null=True, editable=False)
    open_count = models.PositiveIntegerField("times opened", default=0, editable=False)
    download_count = models.PositiveIntegerField("downloads", default=0, editable=False)
    last_opened_at = models.DateTimeField("last opened", null=True, editable=False)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # the links of an athlete, newest first
            models.Index(fields=["player", "-created_at"], name="share_player"),
        ]

    def __str__(self) -> str:
        return f"share link {self.pk}"

    @staticmethod
    def digest_of(token: str) -> str:
        """The hash of a link's secret, as it is stored."""
        return hashlib.sha256(token.encode()).hexdigest()

    @property
    def state(self) -> str:
        """`running`, `revoked` or `expired`; the maker may have lost it besides."""
        if self.revoked_at is not None:
            return "revoked"
        return "running" if self.expires_at > timezone.now() else "expired"


class SavedComparison(models.Model):
    """A comparison with a name; what is compared are its items."""

    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_comparisons",
    )
    is_shared = models.BooleanField("shared with other coaches", default=False)
    series = models.CharField(max_length=60, blank=True)
    align = models.CharField(max_length=30, blank=True)
    # Whether single swings are drawn, and whose figure stands beside the first.
    each = models.BooleanField(default=False, db_default=False)
    second = models.CharField(max_length=1, blank=True, default="", db_default="")
    # How the figures stand, as the address says it: "fig=side&view=top".
    figure = models.CharField(max_length=120, blank=True, default="", db_default="")
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class SavedItem(models.Model):
    """A part of a saved comparison: an athlete, a time of theirs, a session or a swing.

    `side`, `setup` and the days are as the address of the comparison names them
    (`dashboard.selectors.compare_keys`).
    """

    comparison = models.ForeignKey(
        SavedComparison, on_delete=models.CASCADE, related_name="items"
    )
    place = models.PositiveSmallIntegerField()
    player = models.ForeignKey(
        Player, null=True, on_delete=models.CASCADE, related_name="+"
    )
    session = models.ForeignKey(
        Session, null=True, on_delete=models.CASCADE, related_name="+"
    )
    movement = models.ForeignKey(
        Movement, null=True, on_delete=models.CASCADE, related_name="+"
    )
    side = models.CharField(max_length=8, blank=True, default="", db_default="")
    setup = models.CharField(max_length=12, blank=True, default="", db_default="")
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)

    class Meta:
        ordering = ["comparison", "place"]
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "place"], name="saved_item_place"
            ),
            models.CheckConstraint(
                condition=Q(player__isnull=False, session=None, movement=None)
                | Q(player=None, session__isnull=False, movement=None)
                | Q(player=None, session=None, movement__isnull=False),
                name="saved_item_is_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(first_day=None, last_day=None)
                | Q(
                    player__isnull=False,
                    first_day__isnull=False,
                    last_day__isnull=False,
                    last_day__gte=models.F("first_day"),
                ),
                name="saved_item_days_of_athlete",
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.place} of comparison {self.comparison_id}"

    @property
    def item_key(self) -> ItemKey:
        """What the item names; after a merge the record that was kept."""
        kind, pk = SWING, self.movement_id
        if self.player is not None:
            kind = RANGE if self.first_day else ATHLETE
            pk = self.player.merged_into_id or self.player.pk
        elif self.session is not None:
            kind, pk = SESSION, self.session.whole_id
        assert pk is not None  # noqa: S101  # the constraint says so
        return ItemKey(
            kind, pk, self.side, self.setup, start=self.first_day, end=self.last_day
        )

    @property
    def key(self) -> str:
        """The item as the URL of a comparison names it: `athlete-7`."""
        return str(self.item_key)

    @property
    def words(self) -> str:
        """The item in words: athlete, swing and day, side and setup."""
        key = self.item_key
        if self.player is not None:
            name = athlete_label(key, self.player.merged_into or self.player)
            return ", ".join((name, *choice_words(key)))
        session = self.session or (self.movement.session if self.movement else None)
        assert session is not None  # noqa: S101  # the constraint says so
        when = session_day(session.session_date, "undated")
        swing = f", swing {self.movement.position}" if self.movement else ""
        name = f"{session.player.full_name}{swing}, {when}"
        return ", ".join((name, *choice_words(key)))
