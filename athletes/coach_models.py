"""The tables of what coaches plan and state about an athlete: goals and levels.

They refer to athletes by name, so that `athletes.models` can give out all tables.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Level(models.Model):
    """A playing level or group, in a list that staff keep: `14U`, `High school`."""

    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField(
        "place in lists", default=0, help_text="Lower ones come first."
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="level_name",
                violation_error_message="A level with this name already exists.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AthleteLevel(models.Model):
    """The level that an athlete plays at from a day on, until the next such row."""

    player = models.ForeignKey(
        "athletes.Player", on_delete=models.CASCADE, related_name="levels"
    )
    level = models.ForeignKey(Level, on_delete=models.PROTECT, related_name="+")
    since = models.DateField("from", help_text="The first day at this level.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "level of an athlete"
        verbose_name_plural = "levels of athletes"
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["player", "since"], name="athlete_level_since"
            )
        ]

    def __str__(self) -> str:
        return f"level of athlete {self.player_id}"


class Goal(models.Model):
    """What a coach wants one of an athlete's numbers to be by a day.

    `low` and `high` are in the unit of the metric: equal for one value, apart for a
    range.
    """

    player = models.ForeignKey(
        "athletes.Player", on_delete=models.CASCADE, related_name="goals"
    )
    metric = models.CharField(max_length=60)
    # Empty: whatever the setup.
    condition = models.CharField("setup", max_length=12, blank=True)
    low = models.FloatField()
    high = models.FloatField()
    by = models.DateField()
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Null: it is shown.
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    class Meta:
        ordering = ["by", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(low__lte=F("high")), name="goal_range_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"goal {self.pk} of athlete {self.player_id}"
