"""The tables of the order in which athletes, sessions and movements change.

`athletes.feed` fills and reads them. They refer to other rows by number, without
foreign keys: they outlive what they are about.
"""

from __future__ import annotations

import secrets

from django.db import models


class FeedKind(models.TextChoices):
    """What other programs follow."""

    PLAYER = "player", "Athlete"
    SESSION = "session", "Session"
    MOVEMENT = "movement", "Movement"


class FeedGone(models.TextChoices):
    """Why a row is gone for good; one that the vendor no longer has is still here."""

    MERGED = "merged", "Merged"
    ERASED = "erased", "Erased"


class FeedNote(models.Model):
    """A change that triggers of the database wrote down, still without a place.

    Rows are added and never changed, so that writers do not wait for each other
    (athletes.feed.triggers).
    """

    kind = models.CharField(max_length=8, choices=FeedKind.choices)
    row_id = models.BigIntegerField()
    # The athlete of a session, the session of a movement; null: as it was.
    parent_id = models.BigIntegerField(null=True)
    # Empty: it is there. Null: as it was, since something else of what it shows moved.
    gone = models.CharField(max_length=8, choices=FeedGone.choices, null=True)
    # How many levels below it show what changed.
    spreads = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        db_table = "feed_notes"
        indexes = [models.Index(fields=["kind", "row_id"], name="feed_note_row")]

    def __str__(self) -> str:
        return f"change of {self.kind} {self.row_id}"


class FeedRow(models.Model):
    """When a thing last changed, and its place among all changes (athletes.feed.order).

    It stays when the thing goes, with numbers of ours alone.
    """

    kind = models.CharField(max_length=8, choices=FeedKind.choices)
    row_id = models.BigIntegerField()
    parent_id = models.BigIntegerField(null=True)
    place = models.BigIntegerField()
    changed_at = models.DateTimeField()
    gone = models.CharField(max_length=8, choices=FeedGone.choices, blank=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "feed_rows"
        constraints = [
            models.UniqueConstraint(fields=["kind", "row_id"], name="feed_row_once"),
        ]
        indexes = [
            # what changed since a place
            models.Index(fields=["kind", "place"], name="feed_row_place"),
            # sessions of an athlete, movements of a session
            models.Index(fields=["kind", "parent_id"], name="feed_row_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id} at {self.place}"


def new_epoch() -> str:
    """A random text that no state of the database had before."""
    return secrets.token_hex(4)


class FeedCounter(models.Model):
    """The place that was given last; whoever gives places holds this row."""

    last = models.BigIntegerField(default=0)
    # Another one when the database was put back: places are then given a second time.
    epoch = models.CharField(max_length=16, default=new_epoch)

    class Meta:
        db_table = "feed_counter"

    def __str__(self) -> str:
        return f"place {self.last}"


class TeamLeaving(models.Model):
    """An athlete who left a team, until all rows of theirs are told to it (FeedLeft).

    Without foreign keys: it outlives the athlete, of whom it holds our number alone.
    """

    team_id = models.BigIntegerField()
    player_id = models.BigIntegerField()
    left_at = models.DateTimeField()

    class Meta:
        db_table = "team_leavings"
        indexes = [
            models.Index(fields=["team_id", "player_id"], name="team_leaving_team")
        ]

    def __str__(self) -> str:
        return f"athlete {self.player_id} left team {self.team_id}"


class FeedLeft(models.Model):
    """A row that went out of a team's sight, with the place where this is told.

    Numbers alone, without foreign keys: it outlives what it is about.
    """

    team_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=FeedKind.choices)
    row_id = models.BigIntegerField()
    # What it belonged to, and whom, when the team saw it last.
    parent_id = models.BigIntegerField(null=True)
    player_id = models.BigIntegerField()
    place = models.BigIntegerField()
    # Why it was gone already; empty: the team may no longer see it.
    gone = models.CharField(max_length=8, choices=FeedGone.choices, blank=True)
    left_at = models.DateTimeField()

    class Meta:
        db_table = "feed_left"
        constraints = [
            models.UniqueConstraint(
                fields=["team_id", "kind", "row_id"], name="feed_left_once"
            ),
        ]
        indexes = [
            models.Index(fields=["team_id", "kind", "place"], name="feed_left_place")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id} left team {self.team_id}"
