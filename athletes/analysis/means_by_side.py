"""Means over the counted swings of a session: of all together, and of each side.

A switch hitter has two swings, and where numbers are held against each other one mean
over both would move with how many were taken of each. So there are means of each side
as well, from the swings' own numbers by the same function. Few sessions have swings of
both; of these the headline numbers' are kept in the session's summary, since a trend
reads many, and the others are computed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, cast

from athletes.models import Movement, Session, Side
from athletes.querysets import SessionQuerySet
from biomechanics.analysis_types import MetricValue
from biomechanics.definitions import HEADLINES, METRICS
from biomechanics.session_statistics import MetricSummary, summarize_metric

#: Side that a swing was taken from; of what could not be told it is nothing, which is
#: a group of its own.
SIDES = (Side.RIGHT.value, Side.LEFT.value, "")

#: A metric, and the rule that found the event which it hangs on.
Key = tuple[str, str]

#: The event that each metric hangs on.
_EVENT_OF = {
    name: "foot_down"
    if "foot down" in definition.window and "reference" not in definition.window
    else "reference"
    for name, definition in METRICS.items()
}

#: Metrics of which the means of each side are kept.
_KEPT = frozenset(name for name in HEADLINES if METRICS[name].unit != "text")


def metrics_of(
    movement: Movement, names: Collection[str] | None = None
) -> dict[str, MetricValue]:
    """Stored metrics as the library knows them; those of `names` alone, if given."""
    return {
        name: _value(entry)
        for name, entry in movement.metrics.items()
        if names is None or name in names
    }


def _value(entry: Mapping[str, Any]) -> MetricValue:
    value = entry["value"]
    return MetricValue(
        # A database may give back 3.0 as 3.
        value=float(value) if isinstance(value, int | float) else value,
        unit=entry.get("unit", ""),
        reason=entry.get("reason"),
        flagged=bool(entry.get("flagged")),
        window=entry.get("window", ""),
    )


def event_rule(movement: Movement, metric: str) -> str:
    """The rule that found the event which a metric of this movement hangs on.

    Where a person moved the event it is the rule of the automatic one: the event is
    still the same, only better placed.
    """
    event = _EVENT_OF[metric]
    entry = movement.events.get(event) or {}
    if entry.get("rule") == "manual":
        entry = movement.automatic_events.get(event) or entry
    return str(entry.get("rule") or "")


def means_by_rule(
    counted: Iterable[tuple[Movement, Mapping[str, MetricValue]]],
) -> dict[Key, MetricSummary]:
    """Spread of each metric over swings, by the rule behind it; never over two."""
    groups: dict[Key, list[float | None]] = {}
    for movement, metrics in counted:
        for name, value in metrics.items():
            if name in METRICS and value.number is not None:
                rule = event_rule(movement, name)
                groups.setdefault((name, rule), []).append(value.number)
    return {
        key: summarize_metric(numbers, ratio_scale=METRICS[key[0]].ratio_scale)
        for key, numbers in groups.items()
    }


def side_of(movement: Movement) -> str:
    """The side that a swing was taken from; nothing where that is not known."""
    return movement.side or ""


def means_by_side(
    movements: Iterable[Movement], names: Collection[str] | None = None
) -> dict[str, dict[Key, MetricSummary]]:
    """The same of the counted swings of each side, in the order of `SIDES`."""
    of_side: dict[str, list[Movement]] = {}
    for movement in movements:
        if movement.is_counted:
            of_side.setdefault(side_of(movement), []).append(movement)
    return {
        side: means_by_rule(
            (swing, metrics_of(swing, names)) for swing in of_side[side]
        )
        for side in SIDES
        if side in of_side
    }


def side_in_files(sides: Collection[str]) -> str:
    """What stands in a file beside numbers over swings from these sides together."""
    if len(sides) > 1:
        return "both"
    return next(iter(sides), "")


# --- Kept, and read for many sessions ---------------------------------------------


class Part(NamedTuple):
    """One metric over the counted swings of one side."""

    n: int
    mean: float
    sd: float | None


#: By side what there is of it; without numbers where one side is all of the session.
Parts = dict[str, dict[Key, Part]]


def side_key(side: str) -> str:
    """A side as JSON and an address name it."""
    return side or "unknown"


def sides_json(
    counted: Iterable[tuple[Movement, Mapping[str, MetricValue]]],
) -> dict[str, Any]:
    """What a session's summary keeps of its sides; numbers where there are several."""
    of_side: dict[str, list[tuple[Movement, Mapping[str, MetricValue]]]] = {}
    for movement, metrics in counted:
        kept = {name: value for name, value in metrics.items() if name in _KEPT}
        of_side.setdefault(side_of(movement), []).append((movement, kept))
    return {
        side_key(side): {
            "n": len(of_side[side]),
            "means": [
                [metric, rule, one.n, one.mean, one.sd]
                for (metric, rule), one in means_by_rule(of_side[side]).items()
            ]
            if len(of_side) > 1
            else [],
        }
        for side in SIDES
        if side in of_side
    }


def sides_of_sessions(
    sessions: SessionQuerySet, names: Collection[str]
) -> dict[int, Parts]:
    """Sides that the sessions' swings were taken from, with the means of each.

    One query; two more at most where a session has swings of both sides.
    """
    found: dict[int, Parts] = {}
    # What is no swing has no numbers, so nothing is lost by leaving it out. These
    # columns lie before the long ones, which SQLite would have to read through.
    rows = Movement.objects.filter(session__in=sessions.order_by(), is_swing=True)
    for pk, side in rows.order_by().values_list("session_id", "side").distinct():
        found.setdefault(pk, {})[side or ""] = {}
    mixed = [pk for pk, parts in found.items() if len(parts) > 1]
    if not mixed:
        return found
    others = [n for n in names if n not in _KEPT and METRICS[n].unit != "text"]
    wanted: dict[int, Collection[str]] = {}
    for pk, kept in Session.objects.filter(pk__in=mixed).values_list(
        "pk", "summary__sides"
    ):
        if kept is None:
            # Summarised before sides were told apart.
            wanted[pk] = names
            continue
        found[pk] = _parts_of_json(kept)
        if others and len(kept) > 1:
            wanted[pk] = others
    for pk, parts in _computed(wanted).items():
        for side, means in parts.items():
            found[pk].setdefault(side, {}).update(means)
        # A swing that does not count is of no side that is compared.
        found[pk] = {side: found[pk][side] for side in parts}
    return found


def _parts_of_json(kept: Mapping[str, Any]) -> Parts:
    return {
        side: {
            (metric, rule): Part(n, float(mean), None if sd is None else float(sd))
            for metric, rule, n, mean, sd in kept[side_key(side)]["means"]
        }
        for side in SIDES
        if side_key(side) in kept
    }


def _computed(wanted: Mapping[int, Collection[str]]) -> dict[int, Parts]:
    """Means of each side of these sessions, from their swings; one query."""
    if not wanted:
        return {}
    names = list(dict.fromkeys(name for some in wanted.values() for name in some))
    fields = ("session_id", "side", "is_swing", "quality_grade", "inclusion")
    events = [
        f"{kind}__{event}"
        for kind in ("events", "automatic_events")
        for event in ("reference", "foot_down")
    ]
    # All numbers of a swing are much more than is asked for.
    rows = Movement.objects.filter(session_id__in=list(wanted)).values_list(
        *fields, *events, *(f"metrics__{name}" for name in names)
    )
    swings: dict[int, list[Movement]] = {pk: [] for pk in wanted}
    for pk, side, is_swing, grade, inclusion, *rest in rows:
        reference, foot_down, auto_reference, auto_foot_down, *entries = rest
        swings[pk].append(
            Movement(
                session_id=pk,
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
                key: Part(one.n, cast(float, one.mean), one.sd)
                for key, one in means.items()
                if key[0] in wanted[pk]
            }
            for side, means in means_by_side(found).items()
        }
        for pk, found in swings.items()
    }
