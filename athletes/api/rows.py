"""Rows of the database as the plain values that the JSON paths return."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from athletes.access import Viewer, visible_movements
from athletes.analysis.attack_share import (
    ANGLE,
    RANGE_DEG,
    AttackShare,
    attack_shares,
)
from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import means_by_side
from athletes.feed.moments import changed_at
from athletes.models import (
    FeedKind,
    Movement,
    Player,
    Session,
    SessionMetric,
    counting,
)
from athletes.querysets import MovementQuerySet, PlayerQuerySet, SessionQuerySet
from biomechanics.basis import PARTS, parts_of, setup_in, without_setup
from biomechanics.definitions import METRICS, MetricDefinition, SeriesDefinition

Row = dict[str, Any]

PLAYER_FIELDS = (
    "id",
    "org_player_id",
    "reboot_player_id",
    "first_name",
    "last_name",
    "date_of_birth",
    "height_ft",
    "weight_lbs",
    "dominant_hand_hitting",
    "dominant_hand_throwing",
    "created_at",
)
SESSION_FIELDS = (
    "id",
    "session_id",
    "player_id",
    "session_date",
    "movement_type_id",
    "movement_type_name",
    "data_synced",
    "created_at",
    "missing_since",
)
EVENTS_IN_JSON = (
    *("load", "first_move", "foot_down", "peak_hand_speed", "contact", "reference"),
)
MOVEMENT_FIELDS = (
    "id",
    "org_movement_id",
    "session",
    "session__session_id",
    "session__player_id",
    "session__condition",
    "condition",
    "position",
    "side",
    "sampling_rate_hz",
    "frame_count",
    "angle_unit_found",
    "quality_grade",
    "quality_reasons",
    "events",
    "metrics",
    "method_version",
    "is_swing",
    "inclusion",
    "missing_since",
)
#: No number has more digits than this; rates have decimals instead.
_DIGITS = 6
_RATE_DECIMALS = 3


def rounded(value: Any) -> Any:
    """A number with six significant digits; anything else as it is."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _goable(missing_since: dt.datetime | None) -> Row:
    """What JSON says of a row that the vendor no longer has: `Goable`."""
    return {
        "gone_at": missing_since,
        "gone_because": None if missing_since is None else "missing_at_vendor",
    }


# --- Athletes -------------------------------------------------------------------


def player_rows(players: PlayerQuerySet) -> list[Row]:
    """The athletes as `PlayerOut`, in the order of the query."""
    found = players.annotate(moved_at=changed_at(FeedKind.PLAYER))
    return [_player(row) for row in found.values(*PLAYER_FIELDS, "moved_at")]


def goable_player_rows(players: PlayerQuerySet) -> list[Row]:
    """The athletes as `PlayerChange`, in the order of the query."""
    found = players.annotate(moved_at=changed_at(FeedKind.PLAYER))
    return [
        _player(row) | _goable(since)
        for row in found.values(*PLAYER_FIELDS, "moved_at", "missing_since")
        for since in (row.pop("missing_since"),)
    ]


def merged_records(player_id: int) -> list[Row]:
    """The records that were merged into an athlete, as `MergedRecord`, oldest first."""
    rows = Player.everyone.filter(merged_into=player_id).order_by("pk")
    return [
        row | {"reboot_player_id": row["reboot_player_id"] or None}
        for row in rows.values("id", "org_player_id", "reboot_player_id")
    ]


def _player(row: Row) -> Row:
    """A row of an athlete with null for missing text."""
    # The tables keep missing text as ''; other programs are told null.
    for name in ("reboot_player_id", "first_name", "last_name"):
        row[name] = row[name] or None
    # A height of 6 ft 1 in that staff typed is stored with all its threes.
    for name in ("height_ft", "weight_lbs"):
        row[name] = rounded(row[name])
    row["updated_at"] = row.pop("moved_at")
    return row


# --- Sessions -------------------------------------------------------------------


def session_rows(sessions: SessionQuerySet, *, with_player: bool = True) -> list[Row]:
    """The sessions as `SessionOut`, each with its athlete, in one query.

    One more where a part of one is gone: another record's part may still be there.
    Without their athletes they are `SessionRow`.
    """
    fields = [*SESSION_FIELDS, "moved_at"]
    query = sessions.annotate(moved_at=changed_at(FeedKind.SESSION))
    if with_player:
        query = query.annotate(player_moved_at=changed_at(FeedKind.PLAYER, "player__"))
        fields += [f"player__{name}" for name in PLAYER_FIELDS] + ["player_moved_at"]
    found = list(query.values(*fields))
    marked = [row["id"] for row in found if row["missing_since"] is not None]
    there = (
        set(
            Session.objects.filter(pk__in=marked).present().values_list("pk", flat=True)
        )
        if marked
        else set()
    )
    answer = []
    for row in found:
        session = {name: row[name] for name in SESSION_FIELDS}
        since = session.pop("missing_since")
        session["updated_at"] = row["moved_at"]
        session |= _goable(None if row["id"] in there else since)
        session["movement_type_name"] = session["movement_type_name"] or None
        if with_player:
            player = {name: row[f"player__{name}"] for name in PLAYER_FIELDS}
            session["player"] = _player(player | {"moved_at": row["player_moved_at"]})
        answer.append(session)
    return answer


# --- Movements ------------------------------------------------------------------


def movement_rows(movements: MovementQuerySet) -> list[Row]:
    """The movements as `MovementOut`, in the order of the query."""
    found = movements.annotate(moved_at=changed_at(FeedKind.MOVEMENT))
    return [_movement(row) for row in found.values(*MOVEMENT_FIELDS, "moved_at")]


def _movement(row: Row) -> Row:
    """A row of a movement in the shape of `MovementOut`."""
    events = row["events"]
    rate = row["sampling_rate_hz"]
    counted, counted_reason = counting(
        missing_since=row["missing_since"],
        inclusion=row["inclusion"],
        is_swing=row["is_swing"],
        quality_grade=row["quality_grade"],
    )
    return {
        "id": row["id"],
        "org_movement_id": row["org_movement_id"],
        "session": row["session"],
        "session_id": row["session__session_id"],
        "player_id": row["session__player_id"],
        "position": row["position"],
        "side": row["side"],
        "setup": _setup(row),
        "counted": counted,
        "counted_reason": counted_reason,
        "sampling_rate_hz": None if rate is None else round(rate, _RATE_DECIMALS),
        "frames": row["frame_count"],
        "angle_unit_found": row["angle_unit_found"],
        "quality": {
            "grade": row["quality_grade"],
            "reasons": [
                {"code": reason["code"], "text": reason["text"]}
                for reason in row["quality_reasons"]
            ],
        },
        "events": {name: _instant(events.get(name)) for name in EVENTS_IN_JSON},
        "metrics": {
            name: {
                "value": rounded(entry["value"]),
                "unit": entry["unit"],
                **_sureness(entry),
            }
            for name, entry in row["metrics"].items()
        },
        "method_version": row["method_version"] or None,
        "updated_at": row["moved_at"],
        **_goable(row["missing_since"]),
    }


def _sureness(entry: Mapping[str, Any]) -> Row:
    """How sure a value is and what it rests on: what is in `MetricOut` and others."""
    return {
        "uncertainty": rounded(entry.get("uncertainty")),
        "confidence": "low" if entry.get("flagged") else "good",
        "reason": entry.get("reason"),
        "basis": entry.get("basis") or None,
    }


def _instant(event: Mapping[str, Any] | None) -> Row:
    """An event in the shape of `Instant`; all null where there is none."""
    names = ("time_s", "rule", "confidence")
    return {name: event.get(name) if event else None for name in names}


# --- Metrics of a session -------------------------------------------------------


def session_metrics(caller: Viewer, session: Session) -> Row:
    """What `SessionMetrics` says of the swings of a session.

    Of `metrics` the average at the top is over the swings from both sides, where a
    switch hitter's session has both; `sides` holds the averages of each side.
    """
    spreads: dict[str, list[Row]] = defaultdict(list)
    for metric in session.session_metrics.order_by("metric", "-n", "basis"):
        spreads[metric.metric].append(_spread(session, metric))
    swings = list(
        visible_movements(caller)
        .filter(session=session)
        .in_session_order()
        .only(
            "id",
            "missing_since",
            "org_movement_id",
            "position",
            "side",
            "metrics",
            "events",
            "automatic_events",
            "is_swing",
            "inclusion",
            "condition",
            "quality_grade",
        )
    )
    for swing in swings:
        swing.session = session
    sides = _sides(session, swings)
    names = [*METRICS, *spreads, *(name for swing in swings for name in swing.metrics)]
    answer: dict[str, Row] = {}
    for name in dict.fromkeys(names):
        values = list(_values(name, swings))
        if not values and name not in spreads:
            continue
        first, *others = spreads.get(name) or [_NO_SPREAD]
        answer[name] = {
            **first,
            "unit": _unit(name, swings),
            "values": values,
            "other_rules": others,
            "sides": sides.get(name, []),
        }
    return {
        "metrics": answer,
        "attack_angle_shares": [
            _attack_share(share) for share in attack_shares(swings)
        ],
    }


def _attack_share(share: AttackShare) -> Row:
    """A share of swings in the shape of `AttackAngleShare`."""
    low, high = RANGE_DEG
    return {
        "side": share.side or None,
        "basis": without_setup(share.basis) or None,
        "low": low,
        "high": high,
        "unit": METRICS[ANGLE].unit,
        "inside": share.inside,
        "n": share.n,
        "left_out": share.left_out,
    }


def _sides(session: Session, swings: Iterable[Movement]) -> dict[str, list[Row]]:
    """The averages of each side as `SideSpread`, by metric, most swings first."""
    found: dict[str, list[Row]] = defaultdict(list)
    for side, means in means_by_side(swings).items():
        most_first = sorted(means.items(), key=lambda item: (-item[1].n, item[0][1]))
        for (metric, basis), one in most_first:
            found[metric].append(
                {
                    "side": side or None,
                    "mean": rounded(one.mean),
                    "sd": rounded(one.sd),
                    "n": one.n,
                    "minimum": rounded(one.minimum),
                    "maximum": rounded(one.maximum),
                    "median": rounded(one.median),
                    "event_rule": rule_in_basis(basis) or None,
                    "basis": without_setup(basis) or None,
                    "setup": _setup_of(session, basis),
                }
            )
    for rows in found.values():
        rows.sort(key=lambda row: -row["n"])
    return found


_NO_SPREAD: Row = {
    "mean": None,
    "sd": None,
    "n": 0,
    "minimum": None,
    "maximum": None,
    "median": None,
    "event_rule": None,
    "basis": None,
    "setup": None,
    "method_version": None,
}


def _spread(session: Session, metric: SessionMetric) -> Row:
    """A row of a session metric in the shape of `Spread`."""
    return {
        "mean": rounded(metric.mean),
        "sd": rounded(metric.sd),
        "n": metric.n,
        "minimum": rounded(metric.minimum),
        "maximum": rounded(metric.maximum),
        "median": rounded(metric.median),
        "event_rule": rule_in_basis(metric.basis) or None,
        "basis": without_setup(metric.basis) or None,
        "setup": _setup_of(session, metric.basis),
        "method_version": metric.method_version or None,
    }


def _setup_of(session: Session, basis: str) -> str | None:
    """How the swings of an average were hit; None where that is not recorded."""
    own = setup_in(basis)
    return (session.condition if own is None else own) or None


def _setup(row: Row) -> str | None:
    """How a movement was hit: its own setup, else its session's."""
    own = row["condition"]
    return (row["session__condition"] if own is None else own) or None


def _values(name: str, swings: Iterable[Movement]) -> Iterable[Row]:
    """The value of one metric for each swing that has an entry for it."""
    for swing in swings:
        entry = swing.metrics.get(name)
        if entry is not None:
            yield {
                "movement_id": swing.pk,
                "org_movement_id": swing.org_movement_id,
                "position": swing.position,
                "side": swing.side or None,
                "value": rounded(entry["value"]),
                **_sureness(entry),
                "counted": swing.is_counted,
            }


def _unit(name: str, swings: Iterable[Movement]) -> str:
    """The unit of a metric, from the stored numbers or else its definition."""
    for swing in swings:
        if name in swing.metrics:
            return str(swing.metrics[name]["unit"])
    return METRICS[name].unit if name in METRICS else ""


# --- Definitions ----------------------------------------------------------------


def definition(metric: MetricDefinition) -> Row:
    """A metric in the shape of `Definition`."""
    names = (
        *("id", "name", "short", "plain", "formula", "unit", "window", "group", "part"),
        *("direction", "decimals", "robustness", "source", "needs", "usual"),
        *("plausible", "published_sd", "method_version"),
    )
    parts = set(parts_of(metric.id))
    if "reference" in parts:
        # Where the hands' peak stands in, their points matter too.
        parts.add("hands")
    return {
        **{name: getattr(metric, name) for name in names},
        "definition": f"{metric.plain} Measured as: {metric.formula}.",
        "basis": [part for part in PARTS if part in parts],
        "retired": metric.retired or None,
    }


def curve_definition(curve: SeriesDefinition) -> Row:
    """A curve in the shape of `CurveDefinition`."""
    names = ("id", "name", "unit", "part", "group", "decimals", "method_version")
    return {
        **{name: getattr(curve, name) for name in names},
        "definition": curve.plain,
    }
