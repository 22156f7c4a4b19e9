"""The tables of athletes, their sessions, movements, frames and numbers.

One module, although a long one: it is read as a list of tables, each refers to those
before it, and their names are imported everywhere. Fields, constraints and indexes
stand here (goals and levels in `athletes.coach_models`, the order of changes in
`athletes.feed_models`); questions about rows are in `athletes.querysets`, and whatever
changes several rows is in the packages beside this module.

Other programs rely on the names of the tables and of the vendor's identifiers.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from athletes import querysets
from athletes.coach_models import AthleteLevel as AthleteLevel
from athletes.coach_models import Goal as Goal
from athletes.coach_models import Level as Level
from athletes.feed_models import FeedCounter as FeedCounter
from athletes.feed_models import FeedGone as FeedGone
from athletes.feed_models import FeedKind as FeedKind
from athletes.feed_models import FeedLeft as FeedLeft
from athletes.feed_models import FeedNote as FeedNote
from athletes.feed_models import FeedRow as FeedRow
from athletes.feed_models import TeamLeaving as TeamLeaving
from athletes.feed_models import new_epoch as new_epoch
from athletes.names import MOST_SEARCHED, search_text
from athletes.number_fields import ComputedField


class Hand(models.TextChoices):
    """The side that an athlete hits or throws from."""

    RIGHT = "right", "Right"
    LEFT = "left", "Left"
    SWITCH = "switch", "Switch"


class Side(models.TextChoices):
    """The side that one swing was taken from."""

    RIGHT = "right", "Right-handed"
    LEFT = "left", "Left-handed"


class DataType(models.TextChoices):
    """The kinds of frames that are stored, named as Reboot Motion names them."""

    INVERSE_KINEMATICS = "inverse-kinematics", "Inverse kinematics"
    MOMENTUM_ENERGY = "momentum-energy", "Momentum and energy"


class DataState(models.TextChoices):
    """How complete the frames of a session (or of all an athlete's sessions) are."""

    NONE = "none", "No sessions"
    WAITING = "waiting", "Waiting for Reboot Motion"
    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Partly imported"
    NO_DATA = "no_data", "Reboot Motion has no data"
    FAILED = "failed", "Failed"


class Condition(models.TextChoices):
    """The setup of a session: how the ball was pitched or placed."""

    TEE = "tee", "Tee"
    FRONT_TOSS = "front_toss", "Front toss"
    MACHINE = "machine", "Machine"
    LIVE = "live", "Live BP"


class QualityGrade(models.TextChoices):
    """How good the data of one movement is."""

    GOOD = "good", "Good"
    USABLE = "usable", "Usable"
    POOR = "poor", "Poor"


class Inclusion(models.TextChoices):
    """Whether a movement is included in averages and trends, and who decided it."""

    AUTOMATIC = "auto", "Automatic"
    INCLUDED = "included", "Included by a coach"
    EXCLUDED = "excluded", "Excluded by a coach"


#: Facts about an athlete that staff may correct, and that two records may state
#: differently. The sync leaves a corrected one alone.
CORRECTABLE_FIELDS = (
    "first_name",
    "last_name",
    "date_of_birth",
    "height_ft",
    "weight_lbs",
    "dominant_hand_hitting",
    "dominant_hand_throwing",
)
#: Facts by which two records of one athlete are recognized. A change of one of these
#: empties `compared_at`, so that the athlete is compared again.
COMPARED_FIELDS = frozenset({"first_name", "last_name", "date_of_birth"})


class Player(models.Model):
    """One athlete, as the vendor lists them in our organization."""

    org_player_id = models.CharField("organization's player ID", max_length=200)
    reboot_player_id = models.CharField("Reboot player ID", max_length=200, blank=True)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    height_ft = models.FloatField("height (decimal feet)", null=True, blank=True)
    weight_lbs = models.FloatField("weight (pounds)", null=True, blank=True)
    dominant_hand_hitting = models.CharField(
        "bats", max_length=6, choices=Hand.choices, null=True, blank=True
    )
    dominant_hand_throwing = models.CharField(
        "throws", max_length=6, choices=Hand.choices, null=True, blank=True
    )
    # Fields that staff corrected; the sync leaves them alone.
    corrected_fields = models.JSONField(default=list, blank=True)
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When Reboot Motion stopped listing this athlete; empty while "
        "it lists them.",
    )
    vendor_updated_at = models.DateTimeField(
        "changed in Reboot Motion", null=True, blank=True
    )
    # Kept by athletes.analysis.summaries.refresh_player_summaries, so that a list of
    # 100 000 athletes sorts by any column from an index.
    search_text = models.CharField(max_length=MOST_SEARCHED, blank=True, editable=False)
    last_session_on = models.DateField(null=True, blank=True, editable=False)
    session_count = models.PositiveIntegerField("sessions", default=0, editable=False)
    swing_count = models.PositiveIntegerField("swings", default=0, editable=False)
    data_state = models.CharField(
        max_length=10,
        choices=DataState.choices,
        default=DataState.NONE,
        editable=False,
    )
    # Averages of the latest session that has them.
    latest_hand_speed_m_per_s = models.FloatField(null=True, editable=False)
    latest_bat_speed_m_per_s = models.FloatField(null=True, editable=False)
    # The athlete that this record was merged into: the vendor has one person twice
    # (athletes.identity.merging). Such a row keeps the vendor's ids for the sync and
    # what undoing needs; nothing else shows it.
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="aliases",
    )
    # Null: athletes.identity.duplicates still has to compare this athlete with others,
    # because they are new or were renamed.
    compared_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    objects = querysets.PlayerManager()
    everyone = querysets.PlayerQuerySet.as_manager()

    class Meta:
        db_table = "players"
        verbose_name = "athlete"
        ordering = ["last_name", "first_name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["org_player_id"], name="player_org_id"),
            models.CheckConstraint(
                condition=Q(height_ft__isnull=True)
                | Q(height_ft__gt=1.5, height_ft__lt=9.0),
                name="player_height_ft_range",
            ),
            models.CheckConstraint(
                condition=Q(weight_lbs__isnull=True)
                | Q(weight_lbs__gt=20, weight_lbs__lt=700),
                name="player_weight_lbs_range",
            ),
        ]
        indexes = [
            # GET /players and the athlete list. The searched text is part of it, so
            # that a search for any part of a name reads the index alone: that takes a
            # seventeenth of the time among 100 000 athletes.
            models.Index(
                fields=["last_name", "first_name", "id", "search_text", "merged_into"],
                name="player_names",
            ),
            # athlete list sorted or filtered by freshness
            models.Index(fields=["last_session_on", "id"], name="player_last_session"),
            models.Index(fields=["data_state", "id"], name="player_data_state"),
            models.Index(Lower("last_name"), name="player_last_name_lower"),
            # athlete list sorted by the other columns
            models.Index(fields=["dominant_hand_hitting", "id"], name="player_bats"),
            models.Index(fields=["session_count", "id"], name="player_sessions"),
            models.Index(fields=["swing_count", "id"], name="player_swings"),
            models.Index(
                fields=["latest_hand_speed_m_per_s", "id"], name="player_hand_speed"
            ),
            models.Index(
                fields=["latest_bat_speed_m_per_s", "id"], name="player_bat_speed"
            ),
            # staff search athletes by the vendor's id
            models.Index(fields=["reboot_player_id"], name="player_vendor_id"),
            # athletes who are still to be compared with others
            models.Index(
                fields=["id"],
                condition=Q(compared_at__isnull=True),
                name="player_uncompared",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the athlete; a changed name or birth date marks them for comparison."""
        self.search_text = search_text(self.first_name, self.last_name)
        fields = kwargs.get("update_fields")
        if fields is None or COMPARED_FIELDS.intersection(fields):
            self.compared_at = None
            if fields is not None:
                kwargs["update_fields"] = {*fields, "compared_at"}
        super().save(*args, **kwargs)

    @property
    def full_name(self) -> str:
        """The first and last name, or the vendor's id of an athlete without a name."""
        return f"{self.first_name} {self.last_name}".strip() or self.org_player_id

    @property
    def list_name(self) -> str:
        """The name as lists in order of last names show it: `Maple, Ash`."""
        names = (self.last_name.strip(), self.first_name.strip())
        return ", ".join(filter(None, names)) or self.org_player_id


class Session(models.Model):
    """One athlete's part in one session of the vendor."""

    session_id = models.CharField("Reboot session ID", max_length=200)
    player = models.ForeignKey(
        Player,
        on_delete=models.CASCADE,
        related_name="sessions",
        verbose_name="athlete",
    )
    session_date = models.DateField(null=True, blank=True)
    session_num = models.CharField(max_length=50, blank=True)
    movement_type_id = models.IntegerField("movement type", null=True, blank=True)
    movement_type_name = models.CharField(
        max_length=100, blank=True, verbose_name="movement type"
    )
    mocap_type_name = models.CharField(
        max_length=100, blank=True, verbose_name="capture system"
    )
    session_type_name = models.CharField(max_length=100, blank=True)
    vendor_status = models.CharField(
        "status in Reboot Motion", max_length=50, blank=True
    )
    vendor_updated_at = models.DateTimeField(
        "changed in Reboot Motion", null=True, blank=True
    )
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When Reboot Motion stopped listing this session; empty while "
        "it lists it.",
    )
    data_synced = models.BooleanField(default=False)
    data_state = models.CharField(
        max_length=10, choices=DataState.choices, default=DataState.WAITING
    )
    # What it lacks by its export jobs, as "data type:no_data" or "…:failed", joined by
    # blanks; kept by the sync. A dismissal holds for one such situation.
    data_gap = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    condition = models.CharField(
        "setup", max_length=12, choices=Condition.choices, blank=True
    )
    bat = models.CharField(max_length=100, blank=True)
    # The athlete's when the session was first measured: a child grows, and numbers in
    # percent of the height of that day are to stay what they were. Null: not measured
    # yet, or the profile had none (athletes.analysis.summaries.follow_profile).
    height_ft = models.FloatField(
        "height then (decimal feet)", null=True, blank=True, editable=False
    )
    weight_lbs = models.FloatField(
        "weight then (pounds)", null=True, blank=True, editable=False
    )
    # After a merge: the record under whose id the vendor keeps this session, when that
    # is not the athlete's own id.
    recorded_as = models.ForeignKey(
        Player,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.RESTRICT,
        related_name="recorded_sessions",
    )
    # After a merge of two records with a part in the same session: the row that shows
    # both. This row is hidden; its files are still requested, and stored into that one.
    folded_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="folded",
    )
    # Kept by athletes.analysis.session_summary when a movement's numbers change.
    swing_count = models.PositiveIntegerField("swings", default=0, editable=False)
    summary = ComputedField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    objects = querysets.SessionQuerySet.as_manager()

    class Meta:
        db_table = "sessions"
        constraints = [
            models.UniqueConstraint(
                fields=["session_id", "player"], name="session_id_player"
            ),
        ]
        indexes = [
            # an athlete's sessions, newest first
            models.Index(
                fields=["player", "-session_date", "-id"], name="session_player_date"
            ),
            # newest sessions on the home page
            models.Index(fields=["-session_date", "-id"], name="session_date"),
            # sessions that need attention: few, among very many
            models.Index(
                fields=["-session_date", "-id"],
                condition=Q(data_state__in=["failed", "partial"]),
                name="session_attention",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}"

    @property
    def setup_words(self) -> str:
        """How its swings were hit: `Tee`, `Mixed: tee, live`; empty: not recorded."""
        setups = self.summary.get("setups") or {self.condition: 0}
        known = {key: str(label) for key, label in Condition.choices if key in setups}
        if len(setups) < 2:
            return next(iter(known.values()), "")
        words = [label[:1].lower() + label[1:] for label in known.values()]
        words += ["no setup recorded"] if "" in setups else []
        return f"Mixed: {', '.join(words)}"

    @property
    def vendor_player_id(self) -> str:
        """The id under which the vendor keeps this part of the session."""
        return (self.recorded_as or self.player).org_player_id

    @property
    def whole_id(self) -> int:
        """The key of the row that shows this part of the session."""
        return self.folded_into_id or self.pk

    def fold(self, name: str) -> dict[str, Any]:
        """The fields that a movement of this folded part has in the row that shows it.

        `name` is what the vendor calls the movement. Two parts may name movements
        alike, so the name in our table says whose it is.
        """
        suffix = f" [{self.vendor_player_id[:80]}]"
        return {
            "folded_from": self,
            "org_movement_id": name[: _MOVEMENT_NAME - len(suffix)] + suffix,
            "name_at_vendor": name,
        }


_MOVEMENT_NAME = 300
#: The longest basis has all parts of `biomechanics.basis`: less than 200 characters.
BASIS_LENGTH = 200


class Movement(models.Model):
    """One recorded repetition; a hitting one is a swing."""

    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="movements"
    )
    # Unique within one athlete's session only; may hold any character.
    org_movement_id = models.CharField("Reboot movement ID", max_length=_MOVEMENT_NAME)
    position = models.PositiveIntegerField(help_text="Position in the session, from 1.")
    # The folded session from whose files this movement comes; null: its own session.
    folded_from = models.ForeignKey(
        Session,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.RESTRICT,
        related_name="folded_movements",
    )
    # Two parts of a session may name their movements alike. So a folded one has the
    # athlete's id added to its name in `org_movement_id`, and the vendor's name here.
    name_at_vendor = models.CharField(
        max_length=_MOVEMENT_NAME, blank=True, editable=False, default="", db_default=""
    )
    # What the vendor's metadata export says about this movement, unchanged.
    metadata = models.JSONField(default=dict, blank=True)
    # The row of this movement in the vendor's processed metrics, unchanged: the
    # vendor's own numbers, and frames of its events (athletes.analysis.swing_task).
    # Null: no such file has named it.
    vendor_metrics = models.JSONField(
        "Reboot Motion's own numbers", null=True, blank=True
    )
    # Kept by athletes.frames.presence. A movement that is gone is in no average.
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When Reboot Motion stopped sending this movement; empty while "
        "it sends it.",
    )
    unlisted_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it disappeared from Reboot Motion's list of movements; empty "
        "while it is listed or there is no list.",
    )

    # The movement as which the vendor sends this one now, after it processed the
    # session again under other ids (athletes.frames.carrying).
    became = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="was",
    )

    # Found from the frames by athletes.analysis.run.
    is_swing = models.BooleanField(null=True)
    side = models.CharField(max_length=5, choices=Side.choices, null=True, blank=True)
    sampling_rate_hz = models.FloatField(null=True, blank=True)
    frame_count = models.PositiveIntegerField("frames", null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    angle_unit_found = models.CharField(max_length=7, null=True, blank=True)
    verdict = ComputedField(default=dict, blank=True)
    events = ComputedField(default=dict, blank=True)
    automatic_events = ComputedField(default=dict, blank=True)
    metrics = ComputedField(default=dict, blank=True)
    quality_grade = models.CharField(
        max_length=6, choices=QualityGrade.choices, null=True, blank=True
    )
    quality_reasons = ComputedField(default=list, blank=True)
    method_version = models.CharField(max_length=20, blank=True)
    analysed_at = models.DateTimeField("numbers computed", null=True, blank=True)

    # Stated by a coach or by staff; null: as the session says.
    condition = models.CharField(
        "setup",
        max_length=12,
        choices=Condition.choices,
        null=True,
        blank=True,
        help_text="Empty where it is the setup of the session.",
    )
    # Decided by a coach or by staff.
    inclusion = models.CharField(
        max_length=8, choices=Inclusion.choices, default=Inclusion.AUTOMATIC
    )
    inclusion_reason = models.CharField(max_length=300, blank=True)

    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    objects = querysets.MovementQuerySet.as_manager()

    class Meta:
        db_table = "movements"
        ordering = ["session_id", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "org_movement_id"], name="movement_session_org_id"
            ),
        ]
        indexes = [
            # swings of a session in order
            models.Index(fields=["session", "position"], name="movement_position"),
            # recompute_metrics looks for movements of former versions
            models.Index(fields=["method_version", "id"], name="movement_version"),
            # poor swings: few, among very many
            models.Index(
                fields=["session", "position"],
                condition=Q(quality_grade="poor"),
                name="movement_poor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.org_movement_id}"

    @property
    def vendor_name(self) -> str:
        """The vendor's name of this movement."""
        return self.name_at_vendor or self.org_movement_id

    @property
    def setup(self) -> str:
        """How it was hit: its own setup, else its session's; empty where none is."""
        return self.session.condition if self.condition is None else self.condition

    @property
    def other_setup(self) -> str | None:
        """Its own setup where that is not its session's; None where it is."""
        # Few movements have one, so the session is seldom asked.
        if self.condition is None or self.condition == self.session.condition:
            return None
        return self.condition

    @property
    def is_counted(self) -> bool:
        """Whether this movement is included in averages and trends."""
        return counting(
            missing_since=self.missing_since,
            inclusion=self.inclusion,
            is_swing=self.is_swing,
            quality_grade=self.quality_grade,
        )[0]


class CountedReason(models.TextChoices):
    """Why a movement is excluded from averages, or included despite poor data."""

    MISSING_AT_VENDOR = "missing_at_vendor", "Reboot Motion no longer sends it"
    EXCLUDED = "excluded", "Excluded by a coach"
    INCLUDED = "included", "Included by a coach"
    NOT_ANALYZED = "not_analyzed", "Not analyzed"
    NOT_A_SWING = "not_a_swing", "Not a swing"
    POOR_QUALITY = "poor_quality", "Poor quality"


def counting(
    *,
    missing_since: Any,
    inclusion: str,
    is_swing: bool | None,
    quality_grade: str | None,
) -> tuple[bool, CountedReason | None]:
    """Whether a movement with these fields is in averages, and why or why not.

    Without a reason it counts because its data are good enough.
    """
    if missing_since is not None:
        return False, CountedReason.MISSING_AT_VENDOR
    if inclusion == Inclusion.INCLUDED:
        return True, CountedReason.INCLUDED
    if inclusion == Inclusion.EXCLUDED:
        return False, CountedReason.EXCLUDED
    if is_swing is None:
        return False, CountedReason.NOT_ANALYZED
    if not is_swing:
        return False, CountedReason.NOT_A_SWING
    if quality_grade == QualityGrade.POOR:
        return False, CountedReason.POOR_QUALITY
    return True, None


class BiomechanicsData(models.Model):
    """All frames of one movement and one data type (athletes.frames.load)."""

    movement = models.ForeignKey(
        Movement, on_delete=models.CASCADE, related_name="biomechanics"
    )
    data_type = models.CharField(max_length=30, choices=DataType.choices)
    frames = models.BinaryField()
    # Bytes of `frames` before the first column, so that a reader can ask the
    # database for just these, and then for just the columns it wants.
    header_size = models.PositiveIntegerField()
    byte_size = models.PositiveIntegerField()
    frame_count = models.PositiveIntegerField("frames")
    column_count = models.PositiveIntegerField("columns")
    content_sha256 = models.CharField(max_length=64)
    repairs = models.JSONField(default=list, blank=True)
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the latest file stopped including it; "
        "empty while it is included.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    objects = querysets.BiomechanicsDataQuerySet.as_manager()

    class Meta:
        db_table = "biomechanics_data"
        verbose_name_plural = "biomechanics data"
        constraints = [
            models.UniqueConstraint(
                fields=["movement", "data_type"], name="biomechanics_movement_type"
            ),
        ]
        indexes = [
            # where the same frames are stored already
            models.Index(fields=["content_sha256"], name="biomechanics_content"),
        ]

    def __str__(self) -> str:
        return f"{self.data_type} of movement {self.movement_id}"


class MovementCurves(models.Model):
    """The curves computed from the frames of one movement (athletes.frames.curves).

    They can be computed again at any time. They are stored so that a page of forty
    swings reads a few columns instead of analyzing forty files.
    """

    movement = models.OneToOneField(
        Movement, on_delete=models.CASCADE, related_name="curves"
    )
    data = models.BinaryField()
    header_size = models.PositiveIntegerField()
    method_version = models.CharField(max_length=20)
    updated_at = models.DateTimeField("updated", auto_now=True)

    class Meta:
        db_table = "movement_curves"
        verbose_name_plural = "movement curves"

    def __str__(self) -> str:
        return f"curves of movement {self.movement_id}"


class SessionMetric(models.Model):
    """The average and spread of one metric over the included swings of a session."""

    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="session_metrics"
    )
    metric = models.CharField(max_length=60)
    n = models.PositiveIntegerField()
    mean = models.FloatField()
    sd = models.FloatField(null=True)
    minimum = models.FloatField()
    maximum = models.FloatField()
    median = models.FloatField()
    robust_spread = models.FloatField(null=True)
    cv = models.FloatField(null=True)
    method_version = models.CharField(max_length=20)
    # What the values rest on (biomechanics.basis): averages are compared only where it
    # is the same. The column has the name that the release before knows.
    basis = models.CharField(
        max_length=BASIS_LENGTH, blank=True, db_column="event_rule"
    )

    class Meta:
        db_table = "session_metrics"
        constraints = [
            models.UniqueConstraint(
                fields=["session", "metric", "basis"], name="session_metric_rule"
            ),
        ]
        indexes = [
            # percentiles within the facility
            models.Index(fields=["metric", "session"], name="session_metric_metric"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of session {self.session_id}"


class PlayerCount(models.Model):
    """A part of the total number of athletes, kept by triggers of PostgreSQL.

    The total is the sum of the rows (athletes.analysis.totals). Rows are added and not
    changed, so that two imports of athletes never wait for each other.
    """

    n = models.IntegerField()

    class Meta:
        db_table = "player_counts"

    def __str__(self) -> str:
        return f"part {self.pk}"


# --- The facility's athletes beside each other (athletes.analysis.peer_numbers) -------


class PeerGroup(models.Model):
    """A group of numbers that may be compared: one metric on one basis."""

    metric = models.CharField(max_length=60)
    condition = models.CharField(max_length=12, blank=True)
    basis = models.CharField(
        max_length=BASIS_LENGTH, blank=True, db_column="event_rule"
    )
    source = models.CharField(max_length=100, blank=True)
    method_version = models.CharField(max_length=20)

    class Meta:
        db_table = "peer_groups"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "metric",
                    "method_version",
                    "condition",
                    "basis",
                    "source",
                ],
                name="peer_group_basis",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.pk}"


class PeerNumber(models.Model):
    """One athlete's latest session average in one group."""

    player = models.ForeignKey(
        Player,
        on_delete=models.CASCADE,
        related_name="peer_numbers",
        verbose_name="athlete",
    )
    group = models.ForeignKey(
        PeerGroup, on_delete=models.CASCADE, related_name="numbers"
    )
    value = models.FloatField()
    # The stretch of values in which it is counted (peer_numbers.bucket_of).
    bucket = models.IntegerField()
    # The band of the athlete's age at the latest session; null where it is unknown.
    age_band = models.PositiveSmallIntegerField(null=True)

    class Meta:
        db_table = "peer_numbers"
        constraints = [
            models.UniqueConstraint(fields=["player", "group"], name="peer_number"),
        ]
        indexes = [
            # numbers in the same stretch of values, from the index alone
            models.Index(
                fields=["group", "bucket", "value", "age_band"],
                name="peer_number_place",
            ),
        ]

    def __str__(self) -> str:
        return f"peer number {self.pk}"


class PeerCount(models.Model):
    """The count of a group's numbers that lie in one stretch of values.

    `audience` is 0 for athletes of all ages, and otherwise a band of ages.
    """

    group = models.ForeignKey(
        PeerGroup, on_delete=models.CASCADE, related_name="counts"
    )
    audience = models.PositiveSmallIntegerField()
    bucket = models.IntegerField()
    n = models.IntegerField()

    class Meta:
        db_table = "peer_counts"
        constraints = [
            models.UniqueConstraint(
                fields=["group", "audience", "bucket"], name="peer_count_cell"
            ),
        ]

    def __str__(self) -> str:
        return f"peer count {self.pk}"


class AthleteScatter(models.Model):
    """How one athlete's numbers scatter within sessions and from day to day.

    `biomechanics.variance.Components` of one metric on one basis, over all setups and
    both sides. Of each basis a hundred athletes are kept: others learn from these.
    """

    player = models.ForeignKey(
        Player,
        on_delete=models.CASCADE,
        related_name="scatters",
        verbose_name="athlete",
    )
    metric = models.CharField(max_length=60)
    basis = models.CharField(max_length=BASIS_LENGTH, blank=True)
    source = models.CharField(max_length=100, blank=True)
    method_version = models.CharField(max_length=20)
    within_variance = models.FloatField()
    within_freedom = models.FloatField()
    means_variance = models.FloatField()
    means_freedom = models.FloatField()
    inverse_n = models.FloatField()

    class Meta:
        db_table = "athlete_scatters"
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "basis", "source", "method_version", "player"],
                name="athlete_scatter_basis",
            ),
        ]

    def __str__(self) -> str:
        return f"scatter {self.pk}"


class SetAside(models.Model):
    """What a person decided about a swing on frames that it no longer has.

    The vendor sent other frames, or processed the session again under other ids, and
    it cannot be shown that the decision means the same now (athletes.frames.carrying).
    It is kept, not used, and offered on the page of the session until somebody takes
    it up or drops it.
    """

    movement = models.ForeignKey(
        Movement, on_delete=models.CASCADE, related_name="set_aside"
    )
    # The gone movement that it was decided on; null: this one, with other frames.
    decided_on = models.ForeignKey(
        Movement,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="offered",
    )
    # Empty: nothing was decided about averages.
    inclusion = models.CharField(max_length=8, choices=Inclusion.choices, blank=True)
    inclusion_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    settled_at = models.DateTimeField("settled", null=True)
    is_taken_up = models.BooleanField(null=True)

    class Meta:
        verbose_name = "decision set aside"
        verbose_name_plural = "decisions set aside"

    def __str__(self) -> str:
        return f"set aside of movement {self.movement_id}"

    @property
    def offered_inclusion(self) -> tuple[str, str]:
        """What was decided about averages, and the reason; empty where nothing was."""
        if self.inclusion or self.decided_on is None:
            return self.inclusion, self.inclusion_reason
        return self.decided_on.inclusion, self.decided_on.inclusion_reason


class EventCorrection(models.Model):
    """An event of a movement that a person moved; undone moves are kept as history."""

    movement = models.ForeignKey(
        Movement, on_delete=models.CASCADE, related_name="event_corrections"
    )
    event = models.CharField(max_length=30)
    time_s = models.FloatField("time (s)", help_text="Seconds on the file's clock.")
    # The frames that it was seen in (BiomechanicsData.content_sha256); of others it
    # says nothing. Empty: not known.
    frames_sha256 = models.CharField(
        max_length=64, blank=True, editable=False, default="", db_default=""
    )
    # Since the frames changed it is not used, but offered there.
    set_aside = models.ForeignKey(
        SetAside,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="corrections",
    )
    automatic_time_s = models.FloatField("automatic time (s)", null=True)
    # What a person had set before; undoing this one brings it back.
    replaced = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Events that were moved together have the same.
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField("undone", null=True)

    class Meta:
        verbose_name = "moved event"
        constraints = [
            models.UniqueConstraint(
                fields=["movement", "event"],
                condition=Q(undone_at__isnull=True),
                name="event_correction_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} of movement {self.movement_id}"


class InclusionDecision(models.Model):
    """The history of who excluded or included a movement, and why."""

    movement = models.ForeignKey(
        Movement, on_delete=models.CASCADE, related_name="inclusion_decisions"
    )
    inclusion = models.CharField(max_length=8, choices=Inclusion.choices)
    reason = models.CharField(max_length=300, blank=True)
    # As in `EventCorrection`.
    frames_sha256 = models.CharField(
        max_length=64, blank=True, editable=False, default="", db_default=""
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.inclusion} for movement {self.movement_id}"


class GapDismissal(models.Model):
    """A decision of staff that what a session lacks needs nobody's care, and why.

    It holds while the session lacks just that; another gap needs care again.
    """

    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="gap_dismissals"
    )
    data_state = models.CharField(max_length=10, choices=DataState.choices)
    data_gap = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField("undone", null=True)

    class Meta:
        verbose_name = "dismissed missing data"
        verbose_name_plural = "dismissed missing data"
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(undone_at__isnull=True),
                name="gap_dismissal_active",
            ),
        ]

    def __str__(self) -> str:
        return f"gap of session {self.session_id}"


class SameRecording(models.Model):
    """A session whose frames are stored under an older one too, and which counts."""

    class Counts(models.TextChoices):
        """Which of the two sessions counts."""

        UNDECIDED = "", "Both, until someone decides"
        LATER = "later", "The newer one"
        OTHER = "other", "The older one"
        BOTH = "both", "Both"

    session = models.OneToOneField(
        Session, on_delete=models.CASCADE, related_name="same_recording"
    )
    other = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    # How many swings have the same frames.
    swings = models.PositiveIntegerField()
    counts = models.CharField(
        max_length=5, choices=Counts.choices, default=Counts.UNDECIDED, blank=True
    )
    found_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField("decided", null=True)

    objects = querysets.SameRecordingQuerySet.as_manager()

    class Meta:
        verbose_name = "duplicate recording"

    def __str__(self) -> str:
        return f"sessions {self.session_id} and {self.other_id}"


# --- Files that a person uploaded (syncing.imports, syncing.undoing) ---------------


class UploadState(models.TextChoices):
    """How far an upload by hand has come."""

    STAGED = "staged", "Not stored yet"
    STORING = "storing", "Being stored"
    STORED = "stored", "Stored"
    UNDONE = "undone", "Undone"


class HandUpload(models.Model):
    """Files that a person uploaded: whose they are, and all that undoing them needs.

    Frames of sessions that a sync brought have no such row.
    """

    state = models.CharField(
        max_length=7, choices=UploadState.choices, default=UploadState.STAGED
    )
    # Null while nobody is chosen, and once the athlete whom it began is gone.
    player = models.ForeignKey(
        Player,
        null=True,
        on_delete=models.CASCADE,
        related_name="hand_uploads",
        verbose_name="athlete",
    )
    session = models.ForeignKey(
        Session, null=True, on_delete=models.SET_NULL, related_name="hand_uploads"
    )
    # What was chosen before it is stored: a new athlete's name, a new session's id.
    choice = models.JSONField(default=dict, blank=True)
    # [{"name", "size", "kind", "stored_as", "movements": [{"name", "sha256"}]}]
    files = models.JSONField(default=list, blank=True)
    # What the files said of each movement: [movement, data type, hash of it].
    contents = models.JSONField(default=list, blank=True)
    # What this upload began: {"player", "session", "movements", "frames"}.
    created = models.JSONField(default=dict, blank=True)
    # What stood there before: {"session_date", "jobs", "metadata", "vendor_metrics"}.
    before = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    stored_at = models.DateTimeField("stored", null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField("undone", null=True)

    class Meta:
        db_table = "hand_uploads"
        verbose_name = "manual upload"
        verbose_name_plural = "manual uploads"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"upload {self.pk}"


class ReplacedFrames(models.Model):
    """Frames that an upload replaced, for as long as it can be undone."""

    upload = models.ForeignKey(
        HandUpload, on_delete=models.CASCADE, related_name="replaced"
    )
    movement = models.ForeignKey(
        Movement, on_delete=models.CASCADE, related_name="replaced_frames"
    )
    data_type = models.CharField(max_length=30, choices=DataType.choices)
    frames = models.BinaryField()
    header_size = models.PositiveIntegerField()
    byte_size = models.PositiveIntegerField()
    frame_count = models.PositiveIntegerField("frames")
    column_count = models.PositiveIntegerField("columns")
    content_sha256 = models.CharField(max_length=64)
    repairs = models.JSONField(default=list, blank=True)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "replaced_frames"
        verbose_name_plural = "replaced frames"
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "movement", "data_type"], name="replaced_frames_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_type} of movement {self.movement_id} before an upload"


# --- What people write: notes and tags ----------------------------------------


class TagColor(models.TextChoices):
    """The colors of tags: names of tokens, each to be seen in both themes."""

    GRAY = "gray", "Gray"
    BLUE = "blue", "Blue"
    GREEN = "green", "Green"
    AMBER = "amber", "Amber"
    ORANGE = "orange", "Orange"
    PINK = "pink", "Pink"
    VIOLET = "violet", "Violet"


class Tag(models.Model):
    """A tag that people put on athletes and sessions to find them again."""

    name = models.CharField(max_length=40)
    color = models.CharField(
        max_length=8,
        choices=TagColor.choices,
        default=TagColor.GRAY,
        db_default=TagColor.GRAY.value,
    )
    players = models.ManyToManyField(Player, related_name="tags", blank=True)
    sessions = models.ManyToManyField(Session, related_name="tags", blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="tag_name",
                violation_error_message="A tag with this name exists. Merge the two "
                "in the list of tags.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    """A note that a person wrote about an athlete, a session or one movement of it.

    Either `player` or `session` is set; a note on a movement has its session too.
    """

    player = models.ForeignKey(
        Player,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="notes",
        verbose_name="athlete",
    )
    session = models.ForeignKey(
        Session, null=True, blank=True, on_delete=models.CASCADE, related_name="notes"
    )
    movement = models.ForeignKey(
        Movement, null=True, blank=True, on_delete=models.CASCADE, related_name="notes"
    )
    text = models.TextField(max_length=4000)
    on_sheet = models.BooleanField("on the sheet", default=False, db_default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)
    edited_at = models.DateTimeField(
        "edited", null=True, blank=True, help_text="Empty if never edited."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(player__isnull=True, session__isnull=False)
                | Q(player__isnull=False, session__isnull=True, movement__isnull=True),
                name="note_about_one",
            ),
        ]
        indexes = [
            # notes of a session, newest first
            models.Index(fields=["session", "-created_at"], name="note_session"),
            # notes of an athlete, newest first
            models.Index(fields=["player", "-created_at"], name="note_player"),
        ]

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def about_id(self) -> int:
        """The key of the athlete whom the note is about."""
        if self.session is not None:
            return self.session.player_id
        return self.player_id  # type: ignore[return-value]


# --- One athlete under two ids ---------------------------------------------------


class NameKey(models.Model):
    """A hash of a name that similar athletes share (athletes.identity.duplicates).

    Two athletes are compared only when they share a key, so that looking for duplicates
    of one athlete among 100 000 reads a few rows of this index.
    """

    player = models.ForeignKey(
        Player,
        on_delete=models.CASCADE,
        related_name="name_keys",
        verbose_name="athlete",
    )
    key = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "player"], name="name_key_player"),
        ]

    def __str__(self) -> str:
        return f"key of athlete {self.player_id}"


class Likeness(models.TextChoices):
    """Why two records may be one athlete; the strongest reason first."""

    # Of records from before ids had one spelling (`syncing.ids`).
    SAME_ID = "same_id", "Same ID, spelled differently"
    SAME = "same", "Same name and birth date"
    SWAPPED = "swapped", "First and last name swapped, same birth date"
    SIMILAR = "similar", "Similar name, same birth date"
    SAME_DATE_TYPO = "same_typo", "Same name, birth dates differ by a likely typo"
    SAME_NO_DATE = "same_no_date", "Same name, a birth date is missing"
    SWAPPED_NO_DATE = (
        "swapped_no_date",
        "First and last name swapped, a birth date is missing",
    )
    SIMILAR_NO_DATE = "similar_no_date", "Similar name, a birth date is missing"
    SAME_OTHER_DATE = "same_other_date", "Same name, different birth dates"


class DuplicatePair(models.Model):
    """Two records that may be one athlete, and what a person decided about them.

    When the records are no longer similar, the pair is deleted, unless somebody has
    decided about it.
    """

    first = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")
    likeness = models.CharField(max_length=20, choices=Likeness.choices)
    # The place of the likeness in its list: a smaller rank is more likely.
    rank = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField(auto_now_add=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    dismissed_at = models.DateTimeField(null=True)

    objects = querysets.DuplicatePairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], name="duplicate_pair_players"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=models.F("second")), name="duplicate_pair_order"
            ),
        ]
        indexes = [
            # pairs to be decided, the likeliest first
            models.Index(
                fields=["rank", "id"],
                condition=Q(dismissed_at__isnull=True),
                name="duplicate_pair_open",
            ),
        ]

    def __str__(self) -> str:
        return f"athletes {self.first_id} and {self.second_id}"


class AthleteMerge(models.Model):
    """A merge of two records into one athlete, with all that undoing it needs."""

    kept = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="merges")
    merged = models.ForeignKey(
        Player, on_delete=models.CASCADE, related_name="merged_by"
    )
    # What athletes.identity.merging changed, so that undoing puts back only that.
    changes = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField("undone", null=True)

    class Meta:
        verbose_name = "merge of athletes"
        verbose_name_plural = "merges of athletes"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=Q(undone_at__isnull=True),
                name="athlete_merge_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"athlete {self.merged_id} into {self.kept_id}"


# --- Erased athletes -----------------------------------------------------------


class Tombstone(models.Model):
    """What remains of an athlete who was erased for good: hashes of their ids.

    They keep the next sync from importing the athlete again
    (athletes.identity.tombstones).
    """

    # The id of the key with which the hashes were made.
    key_id = models.CharField(max_length=16)
    org_player_hash = models.CharField(max_length=64, unique=True)
    reboot_player_hash = models.CharField(max_length=64, blank=True)
    erased_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"tombstone {self.pk}"
