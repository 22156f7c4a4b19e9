"""The shapes of the JSON about athletes, as the OpenAPI document describes them.

Other programs rely on the names and types; tests compare every answer with them. The
docstrings here are the descriptions in that document.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from ninja import Schema
from pydantic import Field

from athletes.models import Condition, CountedReason, Hand, QualityGrade, Side

Number = float | None


class Verdict(StrEnum):
    """Whether a difference is more than the athlete's usual variation."""

    REAL = "real"
    NO_CLEAR_CHANGE = "no_clear_change"
    UNKNOWN = "unknown"


class UnknownBecause(StrEnum):
    """Why a verdict is unknown."""

    NOT_ENOUGH = "not_enough"
    NOT_COMPARABLE = "not_comparable"


class Sure(StrEnum):
    """Whether a value passed all checks."""

    GOOD = "good"
    LOW = "low"


class Direction(StrEnum):
    """Whether coaches usually look for a higher value."""

    HIGHER = "higher"
    NONE = "none"


class GoneBecause(StrEnum):
    """Why a row is gone."""

    MISSING_AT_VENDOR = "missing_at_vendor"
    MERGED = "merged"
    ERASED = "erased"
    NO_LONGER_VISIBLE = "no_longer_visible"


class Goable(Schema):
    """Whether the vendor still has it; what it no longer has is kept, marked."""

    gone_at: dt.datetime | None = Field(
        description="Since when Reboot Motion no longer has it; null while it does."
    )
    gone_because: GoneBecause | None


class Gone(Schema):
    """A row that is gone; nothing else about it is kept."""

    id: int
    gone_at: dt.datetime
    gone_because: GoneBecause


class Following(Schema):
    """Where to go on in a list of changes."""

    next: str = Field(
        description="Send it as `cursor`, now or later, to get everything that "
        "changed since. Never null."
    )
    more: bool = Field(description="Whether there is more to fetch right away.")


class PlayerOut(Schema):
    """One athlete."""

    id: int
    org_player_id: str
    reboot_player_id: str | None
    first_name: str | None
    last_name: str | None
    date_of_birth: dt.date | None
    height_ft: float | None = Field(description="Decimal feet: 6.5 is six feet six.")
    weight_lbs: float | None = Field(description="Pounds.")
    dominant_hand_hitting: Hand | None
    dominant_hand_throwing: Hand | None
    created_at: dt.datetime
    updated_at: dt.datetime


class MergedRecord(Schema):
    """A Reboot Motion record that was merged into an athlete."""

    id: int
    org_player_id: str
    reboot_player_id: str | None


class PlayerDetail(PlayerOut):
    """One athlete, with the records that were merged into them."""

    merged_records: list[MergedRecord] = Field(
        description="Other records of Reboot Motion that staff merged into this "
        "athlete; "
        "their ids lead here."
    )


class PlayerChange(PlayerOut, Goable):
    """One athlete who changed."""


class PlayerPage(Following):
    """Athletes, a page at a time; with `updated_since` or `cursor` what changed."""

    total: int
    players: list[PlayerChange | PlayerOut | Gone]
    page: int = Field(description="skip // limit + 1")
    limit: int


class SessionRow(Goable):
    """One athlete's part in one session, without the athlete."""

    id: int
    session_id: str
    player_id: int
    session_date: dt.date | None
    movement_type_id: int | None
    movement_type_name: str | None = Field(
        description="Reboot Motion's short name, such as baseball-hitting."
    )
    data_synced: bool
    created_at: dt.datetime
    updated_at: dt.datetime


class SessionOut(SessionRow):
    """One athlete's part in one session."""

    player: PlayerOut


class SessionChanges(Following):
    """Sessions of all athletes, in the order in which they changed."""

    sessions: list[SessionRow | Gone]


class SessionList(Schema):
    """Sessions of one athlete, a page at a time."""

    sessions: list[SessionOut]
    total: int = Field(
        description="The number of all sessions that match, before skip and limit."
    )
    player_id: int


class MeanNow(Schema):
    """The average of a session."""

    mean: Number
    n: int = Field(description="The swings it is based on.")


class MeanBefore(MeanNow):
    """The average of the comparable sessions before, taken together."""

    sessions: int


class ChangeOut(Schema):
    """One headline number of a sessioncompared with the sessions before it."""

    metric: str
    basis: str | None = Field(
        description="What the compared numbers are measured from."
    )
    verdict: Verdict = Field(
        description="real: more than the athlete's usual variation, with the whole "
        "list counted as one test. unknown has a `reason_code`."
    )
    delta: Number = Field(description="Now minus before: `now.mean - before.mean`.")
    unit: str
    now: MeanNow
    before: MeanBefore
    needed: Number = Field(
        description="The smallest difference that would be real; null where unknown."
    )
    reason: str
    reason_code: UnknownBecause | None


class Changes(Schema):
    """What changed in one session of an athlete, from one batting side."""

    player_id: int
    session: int | None = Field(description="null where no session has numbers.")
    session_id: str | None
    side: Side | None
    sides: list[Side] = Field(
        description="The batting sides that have numbers in this session."
    )
    setup: str | None = Field(
        description="The setup that a coach recorded. Sessions without one are "
        "compared with others without."
    )
    changes: list[ChangeOut]
    method: str
    method_version: str


class Instant(Schema):
    """When an event was; all null where it was not found."""

    time_s: float | None = Field(description="Seconds on the file's clock.")
    rule: str | None = Field(description="The rule that found it.")
    confidence: str | None


class Events(Schema):
    """The events of a swing."""

    load: Instant
    first_move: Instant
    foot_down: Instant
    peak_hand_speed: Instant
    contact: Instant
    reference: Instant


class QualityReason(Schema):
    """A reason for the quality grade, as a code and as a sentence."""

    code: str
    text: str


class QualityOut(Schema):
    """How good the data of a movement is, and why."""

    grade: QualityGrade | None
    reasons: list[QualityReason]


class Sureness(Schema):
    """How sure the value of one metric of a movement is, and what it rests on."""

    uncertainty: float | None = Field(
        description="Measurement uncertainty, one standard deviation in the unit of "
        "the value; null if unknown."
    )
    confidence: Sure = Field(
        description="low: the value failed a check; it is shown but excluded from "
        "averages. Says nothing about a missing value."
    )
    reason: str | None = Field(description="Why there is no value, or why to doubt it.")
    basis: str | None = Field(
        description="What the value is measured from, besides its definition, such as "
        "`reference=bat_peak foot_down=ankle_settles`: compare only "
        "values with the same basis. null where there is no value."
    )


class MetricOut(Sureness):
    """The value of one metric of a movement."""

    value: float | str | None
    unit: str


class MovementOut(Goable):
    """One movement with its quality, events and metrics."""

    id: int
    org_movement_id: str
    session: int = Field(description="The session's ID in this dashboard.")
    session_id: str
    player_id: int
    position: int = Field(description="Position in the session, from 1.")
    side: Side | None
    setup: Condition | None = Field(
        description="How the ball was pitched or placed, as a coach recorded it."
    )
    counted: bool = Field(description="Whether it is included in averages.")
    counted_reason: CountedReason | None = Field(
        description="Why it is excluded, or included despite poor data; null where it "
        "is included automatically."
    )
    sampling_rate_hz: float | None
    frames: int | None
    angle_unit_found: str | None
    quality: QualityOut
    events: Events
    metrics: dict[str, MetricOut]
    method_version: str | None
    updated_at: dt.datetime = Field(
        description="When anything shown here last changed."
    )


class MovementChanges(Following):
    """Movements of all athletes, in the order in which they changed."""

    movements: list[MovementOut | Gone]


class MovementList(Schema):
    """The movements of one session."""

    movements: list[MovementOut]
    total: int


class SwingValue(Sureness):
    """The value of one metric for one swing."""

    movement_id: int
    org_movement_id: str
    position: int
    side: Side | None
    value: float | str | None
    counted: bool = Field(description="Whether the swing is included in averages.")


_EVENT_RULE = "The rule of the event in `basis`: of contact, else of foot down."
_BASIS = (
    "What all values of the average are measured from: events, measured points, frame "
    "rate. Compare only averages with the same basis."
)


_OWN_SETUP = (
    "The setup of these swings, their own or else the session's; null where none is "
    "recorded. An average never mixes setups."
)


class Spread(Schema):
    """The average of one metric over swings on the same basis."""

    mean: float | None
    sd: float | None
    n: int
    minimum: float | None
    maximum: float | None
    median: float | None
    event_rule: str | None = Field(description=_EVENT_RULE)
    basis: str | None = Field(description=_BASIS)
    setup: Condition | None = Field(description=_OWN_SETUP)
    method_version: str | None


class SideSpread(Schema):
    """The average of one metric over the included swings from one side."""

    side: Side | None = Field(
        description="null where the side of the swings is unknown."
    )
    mean: float | None
    sd: float | None
    n: int
    minimum: float | None
    maximum: float | None
    median: float | None
    event_rule: str | None = Field(description=_EVENT_RULE)
    basis: str | None = Field(description=_BASIS)
    setup: Condition | None = Field(description=_OWN_SETUP)


class SessionMetricOut(Spread):
    """The average and spread of one metric in a session, and each swing's value."""

    unit: str
    values: list[SwingValue]
    other_rules: list[Spread] = Field(
        description="Averages over swings on a different basis; the two are never "
        "mixed."
    )
    sides: list[SideSpread] = Field(
        description="Averages over the swings of each side, one for each basis. "
        "For a switch hitter mean, sd and n above are over both sides together: "
        "compare these instead."
    )


class AttackAngleShare(Schema):
    """How many included swings from one side have an attack angle inside a range.

    A count, not an average; it says nothing about the pitches.
    """

    side: Side | None = Field(
        description="null where the side of the swings is unknown."
    )
    basis: str | None = Field(description=_BASIS)
    low: float = Field(
        description="Lower end of the range; an angle at the end counts as inside."
    )
    high: float = Field(
        description="Upper end of the range; an angle at the end counts as inside."
    )
    unit: str
    inside: int = Field(description="How many of `n` are inside.")
    n: int = Field(description="Included swings with the number on this basis.")
    left_out: int = Field(
        description="Included swings without it: missing, low, or on another basis."
    )


class SessionMetrics(Schema):
    """The metrics of a session, by their id."""

    id: int
    session_id: str
    player_id: int
    metrics: dict[str, SessionMetricOut]
    attack_angle_shares: list[AttackAngleShare]


class FrameColumns(Schema):
    """The frames of one movement by column."""

    movement_id: int
    data_type: str
    frames: int
    columns: list[str]
    data: dict[str, list[float | str | None]] = Field(
        description="By column; missing values are null."
    )


class Definition(Schema):
    """The definition of one metric."""

    id: str
    name: str
    short: str
    definition: str = Field(description="`plain` and `formula` in one text.")
    plain: str
    formula: str
    unit: str
    window: str
    basis: list[str] = Field(
        description="What can stand in the `basis` of its values: the parts that "
        "matter to this metric. A value has those that apply to its file."
    )
    group: str
    part: str
    direction: Direction
    decimals: int
    robustness: str
    source: str
    needs: str
    usual: list[float] | None = Field(
        description="Typical range of real hitters; a value outside it gets a "
        "reason and is still included."
    )
    plausible: list[float] | None = Field(
        description="Outside it, a value is flagged and excluded from averages."
    )
    published_sd: float | None
    retired: str | None = Field(
        description="Why it is no longer measured; null while it is."
    )
    method_version: str


class CurveDefinition(Schema):
    """The definition of one curve of `data_type=curves`."""

    id: str
    name: str
    definition: str
    unit: str
    part: str
    group: str
    decimals: int
    method_version: str


class Definitions(Schema):
    """The definitions of all metrics and curves, and the version of the method."""

    metrics: list[Definition]
    curves: list[CurveDefinition]
    method_version: str


Row = dict[str, Any]
