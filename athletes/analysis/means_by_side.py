"""Averages over the swings of a session that count: of all, and of each side.

A switch hitter has two swings, and one average over both would move with how many were
taken from each side. So there are averages of each side as well, computed from the
swings' own numbers by the same function. Few sessions have swings from both sides; for
these the averages of the headline numbers are kept in the session's summary, since a
trend reads many sessions, and the others are computed when they are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, cast

from django.db.models import QuerySet

from athletes.analysis.event_rules import event_rule
from athletes.kept_questions import kept_question
from athletes.models import Movement, Session, Side
from athletes.querysets import SessionQuerySet
from biomechanics.analysis_types import MetricValue
from biomechanics.basis import with_setup
from biomechanics.definitions import METRICS, NUMERIC_HEADLINES
from biomechanics.session_statistics import MetricSummary, summarize_by_basis

#: The sides that swings are taken from, in the order in which they are listed. Empty
#: text stands for an unknown side, which is a group of its own.
SIDES = (Side.RIGHT.value, Side.LEFT.value, "")

#: A metric, and what its values rest on (`biomechanics.basis`).
MetricOnBasis = tuple[str, str]

# Numbers of versions before 2026.2 do not say what they rest on. Until they are
# computed again, the rule of this event stands for it, as in their stored averages.
_EVENT_OF_METRIC = {
    name: "foot_down"
    if "foot down" in definition.window and "contact" not in definition.window
    else "reference"
    for name, definition in METRICS.items()
}

#: Metrics whose averages by side are kept in the summary of a session.
_KEPT = frozenset(NUMERIC_HEADLINES)


def metrics_of(
    movement: Movement, names: Collection[str] | None = None
) -> dict[str, MetricValue]:
    """The stored metrics of a movement as values of `biomechanics`.

    With `names` only these metrics.
    """
    return {
        name: _value(entry, metric_basis(movement, name))
        for name, entry in movement.metrics.items()
        if names is None or name in names
    }


def _value(entry: Mapping[str, Any], basis: str) -> MetricValue:
    value = entry["value"]
    return MetricValue(
        # A database may return 3.0 as 3.
        value=float(value) if isinstance(value, int | float) else value,
        unit=entry.get("unit", ""),
        reason=entry.get("reason"),
        flagged=bool(entry.get("flagged")),
        window=entry.get("window", ""),
        uncertainty=entry.get("uncertainty"),
        basis=basis,
    )


def metric_basis(movement: Movement, metric: str) -> str:
    """What a metric of this movement rests on: the key by which it is averaged."""
    basis = (movement.metrics.get(metric) or {}).get("basis")
    if not basis:
        basis = event_rule(movement, _EVENT_OF_METRIC.get(metric, "reference"))
    setup = movement.other_setup
    return str(basis) if setup is None else with_setup(str(basis), setup)


def side_of(movement: Movement) -> str:
    """The side that a swing was taken from; empty where it is not known."""
    return movement.side or ""


def means_by_side(
    movements: Iterable[Movement], names: Collection[str] | None = None
) -> dict[str, dict[MetricOnBasis, MetricSummary]]:
    """The averages over the swings from each side that count, in the order of `SIDES`.

    With `names` only of these metrics.
    """
    of_side: dict[str, list[Movement]] = {}
    for movement in movements:
        if movement.is_counted:
            of_side.setdefault(side_of(movement), []).append(movement)
    return {
        side: summarize_by_basis(metrics_of(swing, names) for swing in of_side[side])
        for side in SIDES
        if side in of_side
    }


def side_in_files(sides: Collection[str]) -> str:
    """The word for these sides in a file: `right`, `left`, `both`, or empty."""
    if len(sides) > 1:
        return "both"
    return next(iter(sides), "")


# --- Kept, and read for many sessions ---------------------------------------------


class SideMean(NamedTuple):
    """The average of one metric over the swings from one side that count."""

    n: int
    mean: float
    sd: float | None


#: The averages of a session by side; empty for a session with swings from one side.
SideMeans = dict[str, dict[MetricOnBasis, SideMean]]


def side_key(side: str) -> str:
    """The name of a side in JSON and in addresses: `right`, `left` or `unknown`."""
    return side or "unknown"


def sides_json(
    counted: Iterable[tuple[Movement, Mapping[str, MetricValue]]],
) -> dict[str, Any]:
    """What the summary of a session keeps of each side, as JSON.

    The number of swings; and the averages of the headline metrics where the session
    has swings from more than one side.
    """
    of_side: dict[str, list[Mapping[str, MetricValue]]] = {}
    for movement, metrics in counted:
        kept = {name: value for name, value in metrics.items() if name in _KEPT}
        of_side.setdefault(side_of(movement), []).append(kept)
    return {
        side_key(side): {
            "n": len(of_side[side]),
            "means": [
                [metric, basis, one.n, one.mean, one.sd]
                for (metric, basis), one in summarize_by_basis(of_side[side]).items()
            ]
            if len(of_side) > 1
            else [],
        }
        for side in SIDES
        if side in of_side
    }


@kept_question
def _sides(
    sessions: SessionQuerySet, *player_ids: int
) -> QuerySet[Movement, tuple[int, str | None]]:
    """Keys of sessions with each side that one has swings from."""
    own = sessions.filter(player_id__in=player_ids).order_by()
    # Other movements have no numbers, so nothing is lost by leaving them out. These
    # columns lie before the long ones, which SQLite would have to read through.
    rows = Movement.objects.filter(session__in=own, is_swing=True).present()
    return rows.order_by().values_list("session_id", "side").distinct()


@kept_question
def _sides_of_one(session_id: int) -> QuerySet[Movement, tuple[int, str | None]]:
    rows = Movement.objects.filter(session_id=session_id, is_swing=True).present()
    return rows.order_by().values_list("session_id", "side").distinct()


@kept_question
def _kept_means(*session_ids: int) -> QuerySet[Session, tuple[int, Any]]:
    rows = Session.objects.filter(pk__in=session_ids)
    return rows.values_list("pk", "summary__sides")


def sides_of_sessions(
    sessions: SessionQuerySet, player_ids: Collection[int], names: Collection[str]
) -> dict[int, SideMeans]:
    """The sides of the swings in these athletes' sessions, with averages of metrics.

    Averages are there only for sessions with swings from more than one side. One query,
    and two more at most where there is such a session.
    """
    return _with_means(_sides(sessions, *player_ids), names)


def sides_of_session(session_id: int, names: Collection[str]) -> SideMeans:
    """The same of one session; nothing of one without swings."""
    return _with_means(_sides_of_one(session_id), names).get(session_id, {})


def _with_means(
    sides: Iterable[tuple[int, str | None]], names: Collection[str]
) -> dict[int, SideMeans]:
    found: dict[int, SideMeans] = {}
    for pk, side in sides:
        found.setdefault(pk, {})[side or ""] = {}
    mixed = [pk for pk, parts in found.items() if len(parts) > 1]
    if not mixed:
        return found
    others = [n for n in names if n not in _KEPT and METRICS[n].unit != "text"]
    wanted: dict[int, Collection[str]] = {}
    for pk, kept in _kept_means(*mixed):
        if kept is None:
            # Computed before sides were told apart.
            wanted[pk] = names
            continue
        found[pk] = _side_means_of_json(kept)
        if others and len(kept) > 1:
            wanted[pk] = others
    for pk, parts in _computed(wanted).items():
        for side, means in parts.items():
            found[pk].setdefault(side, {}).update(means)
        # A side whose swings are all excluded is not compared.
        found[pk] = {side: found[pk][side] for side in parts}
    return found


def _side_means_of_json(kept: Mapping[str, Any]) -> SideMeans:
    return {
        side: {
            (metric, basis): SideMean(n, float(mean), None if sd is None else float(sd))
            for metric, basis, n, mean, sd in kept[side_key(side)]["means"]
        }
        for side in SIDES
        if side_key(side) in kept
    }


def _computed(wanted: Mapping[int, Collection[str]]) -> dict[int, SideMeans]:
    """The averages by side of these metrics, by session, computed from the swings.

    One query.
    """
    if not wanted:
        return {}
    names = list(dict.fromkeys(name for some in wanted.values() for name in some))
    fields = (
        *("session_id", "session__condition", "condition", "side"),
        *("is_swing", "quality_grade", "inclusion"),
    )
    events = [
        f"{kind}__{event}"
        for kind in ("events", "automatic_events")
        for event in ("reference", "foot_down")
    ]
    # Only the needed numbers: all of a swing's are many times as much.
    rows = (
        Movement.objects.filter(session_id__in=list(wanted))
        .present()
        .values_list(*fields, *events, *(f"metrics__{name}" for name in names))
    )
    swings: dict[int, list[Movement]] = {pk: [] for pk in wanted}
    for pk, of_session, setup, side, is_swing, grade, inclusion, *rest in rows:
        reference, foot_down, auto_reference, auto_foot_down, *entries = rest
        swings[pk].append(
            Movement(
                session=Session(pk=pk, condition=of_session),
                condition=setup,
                side=side,
                is_swing=is_swing,
                quality_grade=grade,
                inclusion=inclusion,
                events={"reference": reference, "foot_down": foot_down},
                automatic_events={
                    "reference": auto_reference,
                    "foot_down": auto_foot_down,
                },
                metrics={
                    name: entry
                    for name, entry in zip(names, entries, strict=True)
                    if entry is not None
                },
            )
        )
    return {
        pk: {
            side: {
                key: SideMean(one.n, cast(float, one.mean), one.sd)
                for key, one in means.items()
                if key[0] in wanted[pk]
            }
            for side, means in means_by_side(found).items()
        }
        for pk, found in swings.items()
    }
